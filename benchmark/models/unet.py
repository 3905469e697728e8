"""U-Net: lung fields from a radiograph."""

from __future__ import annotations

from benchmark.models._unet import unet

CARD = {
    "title": "U-Net (three levels)",
    "description": "Two 3x3 convolutions a level, 32, 64 and 128 filters, a bridge of 256.",
    "reference": "Ronneberger et al. 2015, arXiv:1505.04597",
    "source_system": "S2",
    "predicts": "masks",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 16,
    "max_size": None,
    "parameters": {"size": 128, "channels": 1, "outputs": 1, "count": 1946305},
    "gmacs_224": 8.1084416,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network as the paper draws it, without batch normalisation."""
    return unet(input_shape, task)

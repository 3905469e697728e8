"""U-Net as published by S2, whose wiring leaves every other convolution out."""

from __future__ import annotations

from benchmark.models._unet import unet

CARD = {
    "title": "U-Net, S2's published wiring",
    "description": "As unet, but one convolution a level: the other one's output is thrown away.",
    "reference": "Ronneberger et al. 2015, arXiv:1505.04597",
    "source_system": "S2",
    "predicts": "masks",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 16,
    "max_size": None,
    "parameters": {"size": 128, "channels": 1, "outputs": 1, "count": 968705},
    "gmacs_224": 4.871487488,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """The network of the published code, fault included."""
    return unet(input_shape, task, legacy=True)

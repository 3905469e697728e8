"""Thamilarasi and Roselin's small network, variant 2: Dropout."""

from __future__ import annotations

from benchmark.models._thamilarasi import thamilarasi

CARD = {
    "title": "Thamilarasi 2 (Dropout)",
    "description": "Variant 1 with dropout of 0.25, 0.25 and 0.5 after the poolings.",
    "reference": "Thamilarasi and Roselin 2021, doi:10.1088/1757-899X/1055/1/012099",
    "source_system": "S0",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 22,
    "max_size": None,
    "parameters": {"size": 295, "channels": 1, "outputs": 1, "count": 46349263},
    "gmacs_224": 0.458070951,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """Dropout after each pooling, most after the last."""
    return thamilarasi(input_shape, task, dropout=(0.25, 0.25, 0.5))

"""Thamilarasi and Roselin's small network, variant 3: BatchNorm."""

from __future__ import annotations

from benchmark.models._thamilarasi import thamilarasi

CARD = {
    "title": "Thamilarasi 3 (BatchNorm)",
    "description": "Variant 1 with batch normalisation for biases, dropout 0.25 after poolings, "
    "0.5 before the logits.",
    "reference": "Thamilarasi and Roselin 2021, doi:10.1088/1757-899X/1055/1/012099",
    "source_system": "S0",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 22,
    "max_size": None,
    "parameters": {"size": 295, "channels": 1, "outputs": 1, "count": 46350820},
    "gmacs_224": 0.458070951,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """Batch normalisation before each ReLU, and dropout."""
    return thamilarasi(
        input_shape, task, batch_norm=True, dropout=(0.25, 0.25, 0.25), hidden_dropout=0.5
    )

"""Thamilarasi and Roselin's small network, variant 4: L2."""

from __future__ import annotations

from benchmark.models._thamilarasi import L2, thamilarasi

CARD = {
    "title": "Thamilarasi 4 (L2)",
    "description": "Variant 1 with 512 hidden units, L2 0.001 on every kernel, dropout 0.25 after "
    "poolings, 0.5 before the logits.",
    "reference": "Thamilarasi and Roselin 2021, doi:10.1088/1757-899X/1055/1/012099",
    "source_system": "S0",
    "inputs": "image",
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 22,
    "max_size": None,
    "parameters": {"size": 295, "channels": 1, "outputs": 1, "count": 80375297},
    "gmacs_224": 0.476847744,
    "weights": {},
    "deterministic": False,
}


def build(input_shape, task, weights):
    """L2 on every kernel, dropout, a wider hidden layer."""
    return thamilarasi(
        input_shape, task, hidden=512, dropout=(0.25, 0.25, 0.25), hidden_dropout=0.5, l2=L2
    )

"""Thamilarasi and Roselin's small network, variant 5: Dropout, BatchNorm and L2.

S0's text promises a combination of dropout, batch normalisation and L2 here, its published code
repeats variant 3. This is what the text promises; for what the code does, run ``thamilarasi3``.
"""

from __future__ import annotations

from benchmark.models._thamilarasi import L2, thamilarasi

CARD = {
    "title": "Thamilarasi 5 (Dropout, BatchNorm and L2)",
    "description": "Variant 3 with L2 0.001 on every kernel, as S0's text has it; its published "
    "code is identical to variant 3.",
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
    """Variant 3 with variant 4's penalty on the kernels."""
    return thamilarasi(
        input_shape,
        task,
        batch_norm=True,
        dropout=(0.25, 0.25, 0.25),
        hidden_dropout=0.5,
        l2=L2,
    )

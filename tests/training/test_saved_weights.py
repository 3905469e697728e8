"""Weights as they are saved and loaded again."""

from __future__ import annotations

import keras
import pytest

from benchmark.errors import UserError
from benchmark.training.network import encode_weights, load_weights


@pytest.mark.parametrize("data", [b"", b"\x89HDF\r\n\x1a\n" + bytes(100), b"PK\x03\x04"])
def test_weights_that_are_damaged_or_of_another_network_are_named(tmp_path, data):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    path = tmp_path / "a.weights.h5"
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"weights {path} do not fit"):
        load_weights(network, path)
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    path.write_bytes(encode_weights(other))
    with pytest.raises(UserError, match=f"weights {path} do not fit"):
        load_weights(network, path)
    path.write_bytes(encode_weights(network))
    load_weights(network, path)

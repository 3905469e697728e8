"""The last feature map of a network: where on the image it finds something."""

from __future__ import annotations

import keras

from benchmark.models._discovery import NotApplicable

COARSEST = 4
"""Cells a side: a map of 2 x 2, the last of many networks at 64 px, points nowhere."""


def feature_layer(network: keras.Model, passed_over: tuple[type, ...] = ()) -> keras.layers.Layer:
    """The last layer with a feature map that is fine enough; without one, the last finest.

    Args:
        passed_over: kinds of layers that are not taken.

    Raises:
        NotApplicable: the network has no feature map.
    """
    maps = [
        layer
        for layer in network.layers
        if not isinstance(layer, (keras.layers.InputLayer, keras.Model, *passed_over))
        and len(getattr(layer.output, "shape", ())) == 4
        and len(layer._inbound_nodes) == 1
    ]
    if not maps:
        raise NotApplicable(
            "this network has no feature map: it sees the image as a list of pixels"
        )
    finest = max(min(layer.output.shape[1:3]) for layer in maps)
    wanted = min(finest, COARSEST)
    return [layer for layer in maps if min(layer.output.shape[1:3]) >= wanted][-1]

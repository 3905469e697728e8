"""The layers of a network, those of models inside it too."""

from __future__ import annotations

from collections.abc import Iterator

import keras


def every_layer(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Every layer of a model that is not a model itself."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from every_layer(layer)
        else:
            yield layer

"""Grad-CAM: where on an image a network finds what speaks for a finding.

Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74, which gives a channel one weight for all places. A
network that flattens its map weighs every place by itself, and the mean of those weights says
little of any; there each place keeps its own, as in HiResCAM (Draelos and Carin 2020,
arXiv:2011.08891). Where a network pools its last map globally, the two are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import UserError

if TYPE_CHECKING:
    import keras

_BATCH = 32


@dataclass(frozen=True)
class Heat:
    """Heat of one logit on N images.

    Attributes:
        maps: (N, S, S) float32, 0 where nothing speaks for the finding and otherwise 1 at most.
        method: ``Grad-CAM`` or ``HiResCAM``.
        layer: name of the layer whose feature map it was computed on.
        cells: that map's (height, width).
    """

    maps: np.ndarray
    method: str
    layer: str
    cells: tuple[int, int]


def heat_maps(model: keras.Model, images: np.ndarray, output: int) -> Heat:
    """Heat of one logit on each image.

    Args:
        model: as :func:`benchmark.models.create` makes it.
        images: uint8 (N, S, S).
        output: which logit.

    Raises:
        UserError: the network has no such map, or Keras does not run on TensorFlow.
    """
    import keras
    import tensorflow as tf

    from benchmark.models._feature_map import feature_layer

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "Grad-CAM needs Keras on TensorFlow, whatever the rows were trained with: "
            "KERAS_BACKEND=tensorflow cxr-bench report --gradcam"
        )
    network = model.layers[-1]
    layer = feature_layer(network)
    flattens = any(isinstance(each, keras.layers.Flatten) for each in network.layers)
    probe = keras.Model(network.inputs, [layer.output, network.output])
    heat = []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH].astype(np.float32)[..., None] / 255
        normalised = model.get_layer("normalisation")(batch)
        with tf.GradientTape() as tape:
            tape.watch(normalised)  # a frozen network records nothing by itself
            features, logits = probe(normalised, training=False)
            wanted = logits[:, output]
        weights = tape.gradient(wanted, features)
        if not flattens:
            weights = tf.reduce_mean(weights, axis=(1, 2), keepdims=True)
        found = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
        found = tf.image.resize(tf.cast(found, tf.float32), images.shape[1:])
        heat.append(found.numpy()[..., 0])
    joined = np.concatenate(heat)
    highest = joined.max(axis=(1, 2), keepdims=True)
    scaled = np.divide(joined, highest, out=np.zeros_like(joined), where=highest > 0)
    method = "HiResCAM" if flattens else "Grad-CAM"
    return Heat(scaled, method, layer.name, tuple(layer.output.shape[1:3]))


def share_inside(heat: np.ndarray, boxes: Sequence[dict[str, float]]) -> tuple[float | None, float]:
    """Share of the heat that lies in the boxes, and the share of the image that they cover.

    Args:
        heat: (S, S), not negative.
        boxes: left, top, width and height as fractions of the side, keys x, y, w, h.

    Returns:
        The first is None on an image without any heat.
    """
    centres = (np.arange(len(heat)) + 0.5) / len(heat)
    inside = np.zeros(heat.shape, bool)
    for box in boxes:
        down = (centres >= box["y"]) & (centres < box["y"] + box["h"])
        across = (centres >= box["x"]) & (centres < box["x"] + box["w"])
        inside |= down[:, None] & across
    whole = float(heat.sum())
    return (float(heat[inside].sum()) / whole if whole else None), float(inside.mean())

"""Normalisation inside the model: grey images in [0, 1] to what a network expects."""

from __future__ import annotations

import keras
from keras import ops

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_AFFINE = {
    # method: mean and standard deviation per channel, in units of the [0, 1] input
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "imagenet": (_IMAGENET_MEAN, _IMAGENET_DEVIATION),
    "minus1_1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "lite": ((127 / 255,) * 3, (128 / 255,) * 3),  # (x - 127) / 128 of 0 to 255
    # 0 to 255, blue-green-red, ImageNet mean subtracted: what weights trained in Caffe expect
    "caffe": (tuple(m / 255 for m in (103.939, 116.779, 123.68)), (1 / 255, 1 / 255, 1 / 255)),
}


@keras.saving.register_keras_serializable(package="cxr_bench")
class Normalisation(keras.layers.Layer):
    """Normalise grey images and repeat them to the channels a network takes.

    Always computed in float32, whatever the precision policy.

    Args:
        method: ``unit``, ``imagenet``, ``minus1_1``, ``lite``, ``caffe``: one shift and scale
            a channel (a network of one channel gets their mean); or ``standardise``: zero mean and
            unit variance per image, the deviation never below one grey level of 255, so that a
            flat image gives zeros.
        channels: 1 or 3.

    Shapes: float32 (B, H, W, 1) in [0, 1] -> float32 (B, H, W, channels).
    """

    def __init__(self, method: str, channels: int, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.method = method
        self.channels = channels

    def call(self, images):
        """Apply the normalisation."""
        if self.method == "standardise":
            return ops.repeat(_standardise(images), self.channels, axis=-1)
        mean: tuple[float, ...]
        deviation: tuple[float, ...]
        mean, deviation = _AFFINE[self.method]
        if self.channels == 1:
            mean, deviation = (sum(mean) / 3,), (sum(deviation) / 3,)
        shift = ops.reshape(ops.convert_to_tensor(mean, "float32"), (1, 1, 1, -1))
        scale = ops.reshape(ops.convert_to_tensor(deviation, "float32"), (1, 1, 1, -1))
        return (images - shift) / scale

    def compute_output_shape(self, input_shape):
        """The input's shape with ``channels`` channels."""
        return (*input_shape[:-1], self.channels)

    def get_config(self):
        """What it takes to make the same layer again."""
        return {**super().get_config(), "method": self.method, "channels": self.channels}


def imagenet_to_minus1_1(images):
    """What ``imagenet`` made of images (B, H, W, 3), turned into what ``minus1_1`` would have.

    For a model of two backbones that expect one each.
    """
    return keras.layers.Rescaling(
        scale=[2 * deviation for deviation in _IMAGENET_DEVIATION],
        offset=[2 * mean - 1 for mean in _IMAGENET_MEAN],
    )(images)


def _standardise(images):
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    deviation = ops.std(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) / ops.maximum(deviation, 1 / 255)

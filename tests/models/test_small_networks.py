"""The networks of the source systems and the small Vision Transformer, layer by layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.models import create, discover
from benchmark.models._vit import positions
from benchmark.task import Task
from benchmark.training.loss import MaskedCrossEntropy

# Keras 3.15 itself converts its variables in a way that NumPy 2 is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BINARY = Task(("pneumonia",), "binary")
THAMILARASI = {
    # variant: rates of dropout, batch normalisations, layers with L2, hidden units
    1: ([], 0, 0, 295),
    2: ([0.25, 0.25, 0.5], 0, 0, 295),
    3: ([0.25, 0.25, 0.25, 0.5], 4, 0, 295),
    4: ([0.25, 0.25, 0.25, 0.5], 0, 5, 512),
    5: ([0.25, 0.25, 0.25, 0.5], 4, 5, 295),
}


def network_of(name, size=32):
    return create(discover()[name], size, BINARY, "own").layers[-1]


@pytest.mark.parametrize("variant", THAMILARASI)
def test_variants_of_thamilarasi_differ_as_published(variant):
    layers = network_of(f"thamilarasi{variant}").layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(c.filters, c.kernel_size, c.padding) for c in convolutions] == [
        (width, (3, 3), "valid") for width in (32, 64, 128)
    ]
    norms = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
    assert all(c.use_bias != bool(norms) for c in convolutions)
    penalties = [layer.kernel_regularizer for layer in layers if hasattr(layer, "kernel")]
    assert all(penalty.l2 == 0.001 for penalty in penalties if penalty)
    hidden = next(layer for layer in layers if isinstance(layer, keras.layers.Dense))
    assert THAMILARASI[variant] == (
        [layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)],
        norms,
        sum(penalty is not None for penalty in penalties),
        hidden.units,
    )


def test_the_penalty_on_kernels_is_part_of_the_training_loss():
    model = create(discover()["thamilarasi4"], 32, BINARY, "own")
    images, targets = np.zeros((2, 32, 32, 1), "float32"), np.zeros((2, 1), "float32")
    model.compile(keras.optimizers.SGD(0.0), MaskedCrossEntropy(exclusive=False))
    kernels = [np.asarray(w) for w in model.weights if w.name == "kernel"]
    penalty = 0.001 * sum((kernel**2).sum() for kernel in kernels)
    # A black image gives 0 from every layer, so that the cross-entropy is that of a coin.
    assert model.evaluate(images, targets, verbose=0) == pytest.approx(
        np.log(2) + penalty, rel=1e-4
    )


@pytest.mark.parametrize(
    ("size", "tokens"), [(32, 16), (64, 64), (100, 169), (128, 64), (224, 196)]
)
def test_a_vision_transformer_has_tokens_at_any_size(size, tokens):
    assert network_of("vit", size).get_layer("positions").output.shape == (None, tokens, 192)


def test_positions_tell_every_patch_from_every_other():
    codes = positions(3, 5, 8).reshape(3, 5, 8)
    np.testing.assert_allclose(codes[0, 0], [0, 0, 1, 1, 0, 0, 1, 1])
    column, row = np.array([3, 3e-4]), np.array([2, 2e-4])
    by_hand = [np.sin(column), np.cos(column), np.sin(row), np.cos(row)]
    np.testing.assert_allclose(codes[2, 3], np.concatenate(by_hand), rtol=1e-6)
    assert len(np.unique(codes.reshape(15, 8).round(6), axis=0)) == 15


def conv(inputs, outputs, side=3, bias=True):
    return side * side * inputs * outputs + bias * outputs


def dense(inputs, outputs, bias=True):
    return inputs * outputs + bias * outputs


def thamilarasi_by_hand(hidden=295, norm=False):
    """At 295 px: unpadded convolutions and poolings leave 35 x 35 pixels of 128 channels."""
    widths = [(1, 32), (32, 64), (64, 128)]
    features = sum(conv(*each, bias=not norm) for each in widths)
    head = dense(35 * 35 * 128, hidden, bias=not norm) + dense(hidden, 1)
    return features + head + norm * 4 * (32 + 64 + 128 + hidden)


def unet_by_hand(norm=False, legacy=False):
    """A level: two convolutions, or (as published) the second one alone, from the level's input."""

    def level(inputs, width):
        first = 0 if legacy else conv(inputs, width, bias=not norm)
        second = conv(inputs if legacy else width, width, bias=not norm)
        return first + second + norm * 4 * width * (1 if legacy else 2)

    down = level(1, 32) + level(32, 64) + level(64, 128) + level(128, 256)
    up = level(256 + 128, 128) + level(128 + 64, 64) + level(64 + 32, 32)
    return down + up + conv(32, 1, side=1)


BY_HAND = {
    "thamilarasi1": thamilarasi_by_hand(),
    "thamilarasi2": thamilarasi_by_hand(),
    "thamilarasi3": thamilarasi_by_hand(norm=True),
    "thamilarasi4": thamilarasi_by_hand(hidden=512),
    "thamilarasi5": thamilarasi_by_hand(norm=True),
    # DenseNet-121 without its classifier, then 295 units
    "densenet121_s0": 8_062_504 - dense(1024, 1000) + dense(1024, 295) + dense(295, 1),
    "s1_dense": dense(64 * 64, 128) + dense(128, 64) + dense(64, 1),
    "s1_cnn": conv(1, 32) + conv(32, 64) + conv(64, 128) + dense(8 * 8 * 128, 128) + dense(128, 7),
    "s2_cnn": conv(1, 64)
    + conv(64, 128)
    + 2 * conv(128, 128)
    + dense(44 * 44 * 128, 128)
    + dense(128, 6),
    "gielczyk": conv(1, 64)
    + conv(64, 64)
    + conv(64, 128)
    + conv(128, 128)
    + 4 * (64 + 64 + 128 + 128)
    + dense(11 * 11 * 128, 512)
    + dense(512, 6),
    "mlp": dense(64 * 64, 512) + dense(512, 128) + dense(128, 1),
    "cnn": conv(1, 32) + conv(32, 64) + conv(64, 128) + dense(8 * 8 * 128, 128) + dense(128, 1),
    "unet": unet_by_hand(),
    "unet_batchnorm": unet_by_hand(norm=True),
    "unet_legacy": unet_by_hand(legacy=True),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_parameters_are_those_counted_by_hand(name):
    """The contract suite counts the same on what is built."""
    assert discover()[name].card["parameters"]["count"] == BY_HAND[name]

"""Golden outputs of every model file: what it gives at random weights, and what shapes learning."""

from __future__ import annotations

import importlib.util
from collections import Counter
from functools import cache

import numpy as np

from tests.golden.inputs import TASKS, noise

SLOW = {
    *("densenet121_s0", "densenet169", "mobilenetv2_densenet169"),
    *("efficientnet_lite1", "efficientnet_lite2", "efficientnetb6", "efficientnetb7"),
    "vit_keras_hub",
}
"""Those that take longest to build."""
SIZE = 32
"""Pixels a side, or the least that the model takes."""


@cache
def _files() -> dict:
    from benchmark.models import discover

    return discover()


def models() -> list[str]:
    return [*_files()]


def missing(name: str) -> str:
    """How to install what a model needs and is not here; empty where it needs nothing."""
    packages = _files()[name].card["packages"].items()
    return " ".join(how for module, how in packages if importlib.util.find_spec(module) is None)


def of_model(name: str) -> dict:
    file = _files()[name]
    if file.card["inputs"] == "image":
        return _of_network(file)
    return _of_mask_baseline(file) if file.card["predicts"] == "masks" else _of_baseline(file)


def _of_network(file) -> dict:
    import keras

    from benchmark.models import create

    size = max(SIZE, file.card["min_size"])
    task = TASKS["binary" if file.card["predicts"] == "masks" else "multilabel"]
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    model = create(file, size, task, "own")
    network = model.layers[-1]
    inner = keras.Model(network.inputs, [network.get_layer("logits").input, network.output])
    before, logits = inner(
        model.get_layer("normalisation")(noise(2, size, size, 1)), training=False
    )
    layers = list(_layers(network))
    return {
        "logits": _shown(logits),
        "features": _shown(before),
        "parameters": [_count(network.trainable_weights), _count(network.weights)],
        "penalties": float(sum(map(float, network.losses))),
        "dropout": _counted(layers, "rate"),
        "momentum": _counted(layers, "momentum"),
    }


def _shown(tensor) -> list[float]:
    """A small array whole, of a larger one its statistics and a few of its values."""
    values = np.asarray(tensor, np.float64).ravel()
    if len(values) <= 8:
        return values.tolist()
    few = values[np.linspace(0, len(values) - 1, 5).astype(int)]
    return [values.mean(), values.std(), np.abs(values).max(), *few]


def _count(weights) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


def _layers(model):
    """Every layer, those inside of others too."""
    return {id(layer): layer for layer in model._flatten_layers(include_self=False)}.values()


def _counted(layers, attribute: str) -> list[list[float]]:
    """Values of an attribute of layers, ascending, each with how many layers have it."""
    found = [getattr(layer, attribute, None) for layer in layers]
    numbers = Counter(float(value) for value in found if isinstance(value, int | float))
    return [[value, numbers[value]] for value in sorted(numbers)]


def _metadata(n: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(4)
    age = draw.integers(0, 90, n)
    age[::7] = -1
    sex = np.array(["F", "M", ""])[draw.choice(3, n, p=(0.5, 0.4, 0.1))]
    view = np.array(["PA", "AP", ""])[draw.choice(3, n, p=(0.6, 0.3, 0.1))]
    return {"age": age, "sex": sex, "view": view}


def _shapes(n: int) -> dict[str, np.ndarray]:
    """Two detectors and some odd films, spacing not always known, all of 8 bits."""
    draw = np.random.default_rng(4)
    width = draw.choice([2048.0, 2992.0, 1200.0, 817.0], n)
    spacing = np.where(width > 2000, 0.143, 0.168)
    spacing[::7] = np.nan
    height = np.round(width * draw.choice([0.82, 1.0, 1.2], n))
    eight = np.full(n, 8.0)
    known = {"width": width, "height": height, "spacing": spacing}
    return known | {"bits": eight, "bytes_a_pixel": eight / 8}


def _of_baseline(file) -> dict:
    from benchmark.models import fit
    from tests.golden.inputs import targets

    known = _shapes if file.card["inputs"] == "shape" else _metadata
    train, asked, values = known(24), known(30), {}
    asked = {name: column[24:] for name, column in asked.items()}
    for kind, task in TASKS.items():
        truth = targets(kind)
        predict = fit(file, train, np.maximum(truth, 0), truth >= 0, task)
        values[kind] = predict(asked).ravel().tolist()
    return values


def _of_mask_baseline(file) -> dict:
    from benchmark.models import fit

    masks = noise(6, 4, 4, 1) < 0.5
    known = np.random.default_rng(5).uniform(size=masks.shape) < 0.8
    predict = fit(file, _metadata(6), masks, known, TASKS["binary"])
    return {"masks": predict(_metadata(1)).ravel().tolist()}

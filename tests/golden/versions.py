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
        "schemes": _of_scheme,
        "normalisation": _of_training,
        "training": _of_training,
        "ensembles": _of_ensemble,
        "protocols": _of_protocol,
    }[family](name)


FILES = {
    "models": "benchmark/models/{}.py",
    "decoding": "benchmark/data/__init__.py",
    "preprocessing": "benchmark/data/preprocessing/{}.py",
    "augmentation": "benchmark/data/augmentation/{}.py",
    "imbalance": "benchmark/training/imbalance/{}.py",
    "schemes": "benchmark/training/schemes/{}.py",
    "normalisation": "benchmark/training/__init__.py",
    "training": "benchmark/training/__init__.py",
    "ensembles": "benchmark/kinds/{}.py",
    "rules": "benchmark/ensembles/rules/{}.py",
    "protocols": "benchmark/protocols/{}.py",
}

FAMILY_FILES = {"probes": "probe"}
"""Protocols whose file has another name than their golden values."""


def file(family: str, name: str) -> str:
    """Where the version of a component stands."""
    from benchmark.ensembles.rules import AXIS as RULES

    place = "rules" if family == "ensembles" and name in RULES.names() else family
    return FILES[place].format(FAMILY_FILES.get(name, name))


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
    from benchmark.data.augmentation import AXIS

    return AXIS.find(name).version


def _of_imbalance(name: str) -> int:
    from benchmark.training.imbalance import AXIS

    return AXIS.find(name).version


def _of_scheme(name: str) -> int:
    from benchmark.training.schemes import AXIS

    return AXIS.find(name).version


def _of_training(name: str) -> int:
    from benchmark.training import VERSION

    return VERSION


def _of_ensemble(name: str) -> int:
    from benchmark.kinds.ensemble import ways

    return ways()[name][1].version


def _of_protocol(name: str) -> int:
    from importlib import import_module

    return import_module(f"benchmark.protocols.{FAMILY_FILES.get(name, name)}").VERSION

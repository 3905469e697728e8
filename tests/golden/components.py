"""Every component that shapes numbers, what it gives for fixed inputs, and what it gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden import of_data, of_ensembles, of_models, of_protocols, of_training
from tests.golden.compare import rounded

FOLDER = Path(__file__).parent / "values"


@dataclass(frozen=True)
class Family:
    """Components of one sort.

    Attributes:
        names: gives their names, as the code has them now.
        values: what one of them gives: numbers, texts and pixels, in lists and dicts by name.
        keras: whether that needs Keras, and so its TensorFlow backend, under which it was recorded.
    """

    names: Callable[[], list[str]]
    values: Callable[[str], dict[str, Any]]
    keras: bool = False


FAMILIES = {
    "models": Family(of_models.models, of_models.of_model, keras=True),
    "decoding": Family(of_data.decoding, of_data.decoded),
    "preprocessing": Family(of_data.preprocessing, of_data.preprocessed),
    "augmentation": Family(of_data.augmentation, of_data.augmented),
    "imbalance": Family(of_training.imbalance, of_training.balanced),
    "schemes": Family(of_training.schemes, of_training.fitted),
    "normalisation": Family(of_training.normalisation, of_training.normalised, keras=True),
    "training": Family(of_training.training, of_training.trained, keras=True),
    "ensembles": Family(of_ensembles.ensembles, of_ensembles.combined, keras=True),
    "protocols": Family(of_protocols.protocols, of_protocols.applied),
}


def missing(family: str, name: str) -> str:
    """How to install what a component needs and is not here; empty where nothing is missing."""
    return of_models.missing(name) if family == "models" else ""


def compute(family: str, name: str) -> dict[str, Any]:
    """What a component gives now, in the form in which it is kept."""
    return rounded(FAMILIES[family].values(name))


def golden(family: str) -> dict[str, dict[str, Any]]:
    """What was recorded: name of a component -> ``version`` and ``values``."""
    path = FOLDER / f"{family}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(family: str, entries: dict[str, dict[str, Any]]) -> None:
    """Write what was recorded, one line a component, so that a change shows as one."""
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    lines = (
        f"{json.dumps(name)}: {json.dumps(entries[name], **compact)}" for name in sorted(entries)
    )
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{family}.json").write_text(text, encoding="utf-8")

"""What ``keras.applications`` publishes (see :mod:`benchmark.training.published`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.models import ModelFile, NotApplicable, weight_files
from benchmark.records.store import Results
from benchmark.training.weight_files import find_weights, weight_folders

CARD = {
    "title": "ImageNet weights",
    "description": "The file published with the architecture, learnt on ImageNet.",
    "gives": "backbone",
}


def files(
    weights: str, model_file: ModelFile, results: Results, folders: Sequence[Path]
) -> list[Path]:
    """One file a backbone, from the user's folders or Keras' cache."""
    names = weight_files(model_file)
    if not names:
        raise NotApplicable(
            f"no weights are published for model {model_file.name}; choose scheme = scratch."
        )
    return find_weights(model_file.name, names, weight_folders(folders))

"""What is published with an architecture.

The files of ``keras.applications`` (see :mod:`benchmark.training.published`), or what the Python
package holds that a card names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.models import ModelFile, NotApplicable, weight_files
from benchmark.records.store import Results
from benchmark.training.weight_files import find_weights, weight_folders
from benchmark.training.weight_sources._python_package import file_of_package

CARD = {
    "title": "ImageNet weights",
    "description": "The file published with the architecture, learnt on ImageNet.",
    "gives": "backbone",
}


def files(
    weights: str, model_file: ModelFile, results: Results, folders: Sequence[Path]
) -> list[Path]:
    """One file a backbone, from the user's folders, Keras' cache or an installed package."""
    names = weight_files(model_file)
    if not names:
        raise NotApplicable(
            f"no weights are published for model {model_file.name}; choose scheme = scratch."
        )
    if package := model_file.card["weight_package"]:
        return [file_of_package(model_file.name, names[0], package)]
    return find_weights(model_file.name, names, weight_folders(folders))

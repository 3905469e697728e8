"""Chest X-ray data sets as TFDS builders.

Importing this package registers them all, so that plain ``tfds.load`` finds them::

    import tensorflow_datasets as tfds
    import tfds_builders
    train = tfds.load("kermany_pneumonia/official", split="train")

A builder is a folder ``<name>/`` with ``<name>_dataset_builder.py`` in it; it is found by that
name. TensorFlow itself is only imported when images are read or written.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_SUFFIX = "_dataset_builder"


def _discover() -> dict[str, Any]:
    found = {}
    for path in sorted(Path(__file__).parent.glob(f"*/*{_SUFFIX}.py")):
        name = path.parent.name
        if path.stem == name + _SUFFIX:
            found[name] = import_module(f"{__name__}.{name}.{path.stem}").Builder
    return found


BUILDERS: dict[str, Any] = _discover()
"""Every builder class by its name."""

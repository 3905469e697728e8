"""`cxr-bench new-suite`: write a suite file to edit."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.errors import UnknownModel, UserError

DEFAULTS: dict[str, list] = {"datasets": ["thorax_phantom/default"], "models": ["constant", "cnn"],
            "resolutions": [64]}  # fmt: skip


def write_suite(name: str, *, recipe: str, models_dirs: Sequence[Path], **axes: Sequence) -> None:
    """Write the file, once it is known to be one that can be read, and say how to run it.

    Raises:
        UserError: the name cannot be one, the file exists, or a value cannot be.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.models import discover
    from benchmark.records.files import write_atomic
    from benchmark.suites import parse_suite, suite_text
    from benchmark.suites.files import check_suite_name

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    check_suite_name(path.stem)
    if path.exists():
        raise UserError(f"{path} exists already; choose another name or delete it first")
    matrix: dict[str, Sequence] = {"datasets": (), "models": (), "resolutions": (), **axes}
    for axis, usual in DEFAULTS.items():
        matrix[axis] = matrix[axis] or usual
    text = suite_text(matrix, recipe, title=path.stem, description="What it is for.")
    suite = parse_suite(path.stem, path, text)
    for dataset, _ in suite.datasets:
        find_dataset(dataset)
    known = discover(models_dirs)
    for model in suite.named_models:
        if model not in known:
            raise UnknownModel("model", model, known)
    write_atomic(path, text.encode())
    own = "".join(f" --models-dir {shlex.quote(str(folder))}" for folder in models_dirs)
    where = path if "/" in str(path) else f"./{path}"
    click.echo(f"Wrote {path}. Its axes and recipes: docs/suites.md. Then:")
    click.echo(f"  cxr-bench run --suite {shlex.quote(str(where))} --dry-run{own}")

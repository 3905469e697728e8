"""`cxr-bench new-model`: write the one file that adds a model."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


def scaffold_model(name: str, models_dir: Path | None) -> None:
    """Write a model file and say what to do next."""
    from benchmark.models import new_model
    from benchmark.models._discovery import BUILT_IN

    path = new_model(name, models_dir or BUILT_IN)
    own = f" --models-dir {shlex.quote(str(models_dir))}" if models_dir else ""
    click.echo(f"Wrote {path}. It trains as it is; make it yours, then:")
    click.echo(f"  cxr-bench list models{own}")
    if not models_dir:  # tests are of what is in the package
        click.echo(f"  python -m pytest tests/models/test_model_contract.py -k {name}")
    click.echo(f"  cxr-bench run --suite phantom --filter model={name}{own}")

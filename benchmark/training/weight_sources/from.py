"""What another row saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.models import ModelFile, NotApplicable
from benchmark.records.store import Results
from benchmark.spec import FROM
from benchmark.training.schemes import why_no_network
from benchmark.training.weight_files import MissingWeights

CARD = {
    "title": "Weights of a row",
    "description": "The weights that a row of the same model and input saved.",
    "gives": "network",
    "argument": "spec id",
    "pattern": "[0-9a-f]{12}",
    "meaning": "the id of a row, twelve hexadecimal digits, as its file in the results folder's "
    "rows/ is called",
}


def files(
    weights: str, model_file: ModelFile, results: Results, folders: Sequence[Path]
) -> list[Path]:
    """The one file that the row saved."""
    spec_id = weights.removeprefix(FROM)
    path, row = results.weights_path(spec_id), results.read_row(spec_id)
    if row is None:
        raise MissingWeights(f"no row {spec_id} in {results.folder}; run it first")
    if why := why_no_network(row.spec.scheme):
        raise NotApplicable(f"row {spec_id} has no weights: {why}")
    if not path.is_file():
        raise MissingWeights(
            f"the weights of row {spec_id} are not in {path.parent}: they are not published "
            "with a row. Copy the file there, or run that spec again with --rerun all and a "
            "--filter for it."
        )
    return [path]

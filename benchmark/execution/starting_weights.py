"""The weights that a cell starts from: the files, why there are none, what a row says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.errors import UserError
from benchmark.execution.ancestry import overlap
from benchmark.models import ModelFile, NotApplicable, weight_files
from benchmark.records.files import canonical_json, sha256_of_file
from benchmark.records.store import Results, Row
from benchmark.segmentation.chosen import unresolved
from benchmark.suites.cell import Cell
from benchmark.training.published import is_as_published
from benchmark.training.weights import (
    MissingWeights,
    digest,
    find_weights,
    is_frozen,
    is_published,
    origin,
    weight_folders,
)

SAME_INPUT = ("model", "resolution", "preprocessing", "normalisation")


@dataclass(frozen=True)
class WeightSources:
    """Where weights come from.

    Attributes:
        results: rows that cells may continue from.
        folders: named by the user for weight files, beside those of
            :func:`benchmark.training.weights.weight_folders`.
    """

    results: Results
    folders: Sequence[Path] = ()

    def files(self, policy: str, model_file: ModelFile) -> list[Path]:
        """The weight files that a policy loads into a model; none where it loads none.

        Raises:
            NotApplicable: the model has no published weights.
            MissingWeights: a file is not there; says how to get it.
        """
        if origin(policy):
            return [self._saved_by(origin(policy))]
        if not is_published(policy):
            return []
        names = weight_files(model_file)
        if not names:
            raise NotApplicable(
                f"no weights are published for model {model_file.name}; choose weights = random."
            )
        return find_weights(model_file.name, names, weight_folders(self.folders))

    def _saved_by(self, cell_id: str) -> Path:
        path = self.results.weights_path(cell_id)
        if self.results.read_row(cell_id) is None:
            raise MissingWeights(f"no row {cell_id} in {self.results.folder}; run it first")
        if not path.is_file():
            raise MissingWeights(
                f"the weights of row {cell_id} are not in {path.parent}: they are not published "
                "with a row. Copy the file there, or run that cell again with --rerun all and a "
                "--filter for it."
            )
        return path

    def resolve(self, cell: Cell, model_file: ModelFile) -> str | None:
        """SHA-256 of what a cell loads; None where it loads nothing or what it wants is not there.

        A cell that was run while its weights were there keeps their hash, and so its id.
        """
        try:
            files = self.files(cell.weights, model_file)
            return digest(files) if files else None
        except UserError:
            return self._known.get(_without_hashes(cell.as_dict()))

    @cached_property
    def _known(self) -> dict[bytes, str]:
        """Finished cells without the hash of their weights -> that hash."""
        cells = [row["cell"] for row in self.results.rows() if row["status"] == "done"]
        return {
            _without_hashes(cell): cell["weights_sha256"]
            for cell in cells
            if "weights_sha256" in cell
        }


def remove_superseded(cells: Iterable[Cell], results: Results) -> None:
    """Remove rows that say of these cells that their weights were missing, where they are not."""
    ids = {_without_hashes(cell.as_dict()): cell.cell_id for cell in cells}
    for row in list(results.rows()):
        if row["status"] == "not_runnable":
            now = ids.get(_without_hashes(row["cell"]), row["cell_id"])
            if now != row["cell_id"]:
                results.remove_row(row["cell_id"])


def _without_hashes(cell: dict[str, Any]) -> bytes:
    """A cell, an ensemble's members included, whatever its weights or lungs, to compare."""

    def bare(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        kept = {k: bare(v) for k, v in value.items() if k != "weights_sha256"}
        lungs = {k: unresolved(kept[k]) for k in ("preprocessing",) if k in kept}
        return kept | lungs

    return canonical_json(bare(cell))


def check_start(cell: Cell, model_file: ModelFile, sources: WeightSources) -> list[Path]:
    """The files a cell loads, after making sure that they are what it was planned with.

    Raises:
        NotApplicable, MissingWeights: see :meth:`WeightSources.files`.
        UserError: they changed since the cell was planned.
    """
    files = sources.files(cell.weights, model_file)
    if origin(cell.weights):
        _check_origin(cell, sources.results.read_row(origin(cell.weights)))
    if files and digest(files) != cell.weights_sha256:
        raise UserError(f"{files[0]} changed after this cell was planned; run again")
    return files


def _check_origin(cell: Cell, row: Row) -> None:
    if row["status"] != "done":
        raise NotApplicable(f"row {row['cell_id']} has no weights: it is {row['status']}")
    for name in SAME_INPUT:
        theirs, ours = row["cell"][name], getattr(cell, name)
        if theirs != ours:
            raise NotApplicable(
                f"row {row['cell_id']} has {name} {theirs}, this cell {ours}: weights are only "
                "continued with the same model and input."
            )


def weights_facts(cell: Cell, model_file: ModelFile, files: Sequence[Path]) -> dict[str, Any]:
    """What a row says about the weights it began with; empty for weights drawn at random."""
    if cell.weights in ("", "random"):
        return {}
    facts: dict[str, Any] = {
        "files": [{"name": path.name, "sha256": sha256_of_file(path)} for path in files]
    }
    if is_published(cell.weights):
        facts["source"] = model_file.card["weights"]
        for fact, path in zip(facts["files"], files, strict=True):
            fact["as_published"] = is_as_published(path)
    if is_frozen(cell.weights):
        facts["features"] = "computed once for each view, so without image augmentation"
    return facts


def weights_watermarks(
    cell: Cell, prepared: Prepared, files: Sequence[Path], results: Results
) -> list[str]:
    """Why a row is not to be ranked for the weights it began with; empty where nothing is wrong."""
    if origin(cell.weights):
        return overlap(cell, prepared, results)
    if not is_published(cell.weights):
        return []
    others = [path.name for path in files if is_as_published(path) is False]
    return [f"weights that are not the published ones: {', '.join(others)}"] if others else []

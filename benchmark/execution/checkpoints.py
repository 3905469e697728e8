"""The checkpoints of cells: one file for each stage of a training, gone once the cell is done."""

from __future__ import annotations

from pathlib import Path

from benchmark.execution.environment import versions
from benchmark.models import ModelFile
from benchmark.suites.cell import Cell
from benchmark.training.checkpoint import Checkpoint


def cell_checkpoint(folder: Path, cell: Cell, model_file: ModelFile, stage: str) -> Checkpoint:
    """Where a stage of a cell's training goes on from.

    Args:
        folder: of all checkpoints of a results folder.
        stage: names it among the stages of the cell.
    """
    made_by = {"model": model_file.sha256, **versions()}
    return Checkpoint(folder / f"{cell.cell_id}.{stage}.npz", made_by)


def remove_checkpoints(folder: Path, cell: Cell) -> None:
    """Forget where a cell stood: it is done."""
    for pattern in (f"{cell.cell_id}.*", f".{cell.cell_id}.*"):  # whole, and cut off by a kill
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)

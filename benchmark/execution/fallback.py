"""Smaller cells in place of those that ran out of memory.

A cell that fails for memory is tried again with half as many images at a time and the gradients of
twice as many parts accumulated. That is another cell with an id of its own: where there is batch
normalisation, or a random layer, its numbers are not those of the first. Its watermark keeps it out
of every ranking with full ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.models import ModelFile
from benchmark.records.store import Results
from benchmark.suites.cell import Cell
from benchmark.training.recipe import Recipe

if TYPE_CHECKING:
    from benchmark.execution.plan import Planned

FEWEST = 4
"""Images at a time below which nothing more is tried: what is short then is not room for images."""
WATERMARK = "memory fallback: trained in smaller parts of a batch than was planned"


def smaller(planned: Planned) -> Planned | None:
    """The same cell with half as many images in memory at a time; None where there is none.

    Not for ensembles: their members' cells are told by what differs from their own.
    """
    cell = planned.cell
    trains = "batch_size" in cell.recipe and not cell.ensemble
    if not trains or cell.micro_batch % 2 or cell.micro_batch // 2 < FEWEST:
        return None
    recipe = Recipe(**cell.recipe)
    halved = replace(recipe, accumulate=2 * recipe.accumulate)
    less = replace(
        cell, recipe=halved.as_dict(), micro_batch=halved.micro_batch, memory_fallback=True
    )
    return replace(planned, cell=less, status="missing")


def stand_in(
    planned: Planned, results: Results, status: Callable[[Results, Cell, ModelFile], str]
) -> Planned:
    """What a plan has for a cell that ran out of memory: the smaller one that was or will be done.

    The cell itself where nothing smaller was begun, or all of it failed too.

    Args:
        status: how a cell stands by its row.
    """
    tried = planned
    while tried.status == "failed":
        begun = results.read_row(tried.cell.cell_id)["error"].get("fallback")
        less = smaller(tried)
        if less is None or less.cell.cell_id != begun:
            return planned
        tried = replace(less, status=status(results, less.cell, less.model_file))
    return tried

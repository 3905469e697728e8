"""The ensembles of a suite as planned cells: behind their members, and never without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmark.ensembles.cells import ensemble_cells, member_cells
from benchmark.ensembles.declaration import KINDS, Ensemble
from benchmark.ensembles.model_file import EnsembleFile, ensemble_file
from benchmark.screening.protocol import PATTERN, withheld_by
from benchmark.suites.cell import Cell
from benchmark.suites.suite import Suite
from benchmark.task import Task
from benchmark.training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from benchmark.execution.plan import Planned, Stock


def plan_ensemble(
    ensemble: Ensemble,
    suite: Suite,
    members: Mapping[str, list[Planned]],
    stock: Stock,
    status_of: Callable[[Cell, EnsembleFile], str],
) -> list[Planned]:
    """The cells of an ensemble on one data set.

    Args:
        members: planned cells of each member on that data set.
        status_of: how a cell stands by its own row alone.

    Raises:
        UserError: a member has no cell that would fit beside the others'.
    """
    chance = {name for name in ensemble.members if not _card(stock, name)["deterministic"]}
    cells = ensemble_cells(
        ensemble,
        {name: [planned.cell for planned in members[name]] for name in ensemble.members},
        fixed=set(ensemble.members) - chance,
        training=partial(_training, ensemble, suite, stock),
    )
    by_id = {p.cell.cell_id: p for of_one in members.values() for p in of_one}
    return [
        _planned(
            cell, {n: by_id[m.cell_id] for n, m in member_cells(cell).items()}, stock, status_of
        )
        for cell in cells
    ]


def _training(ensemble: Ensemble, suite: Suite, stock: Stock, member: Cell) -> dict[str, Any]:
    """What an ensemble's cell says of the training that is its own; a vote has none."""
    fields = {"precision": "float32", "micro_batch": 0, "weights_sha256": None}
    if not KINDS[ensemble.kind].trains:
        return fields | {"recipe": {"version": Recipe.version}}
    second = ensemble.rule.get("second", "")
    recipe = make_recipe(*suite.recipe_values(second, member.resolution), ensemble.recipe)
    fields |= {"recipe": recipe.as_dict(), "micro_batch": recipe.micro_batch}
    card = _card(stock, second) if second else {}
    fields["precision"] = stock.environment.precision(recipe.precision, card.get("gmacs_224"))
    if second:
        fields["weights_sha256"] = stock.weights.resolve(member, stock.model_files[second])
    return fields


def _planned(
    cell: Cell,
    members: Mapping[str, Planned],
    stock: Stock,
    status_of: Callable[[Cell, EnsembleFile], str],
) -> Planned:
    file = ensemble_file(cell, stock.model_files, stock.results)
    status, statuses = status_of(cell, file), {planned.status for planned in members.values()}
    if status == "done" and "stale" in statuses:
        status = "stale"
    if status in ("failed", "not_runnable") and "missing" in statuses:
        status = "missing"  # it waited for a member, which is about to be run
    some_member = next(iter(members.values()))
    refusal = _refusal(cell, members, some_member.prepared.task)
    return replace(some_member, cell=cell, model_file=file, status=status, refusal=refusal)


def _refusal(cell: Cell, members: Mapping[str, Planned], task: Task) -> str | None:
    for name, planned in members.items():
        if planned.refusal and planned.status != "done":
            return f"its member {name} cannot be run: {planned.refusal}"
        if KINDS[cell.ensemble["kind"]].sees_images and not planned.cell.resolution:
            return f"its member {name} sees no image, so it has no features and no second stage"
    if cell.ensemble["kind"] == "anomaly" and withheld_by(cell.protocol) is None:
        return (
            "an anomaly screen needs a class that it was not trained on; write the data set as "
            f"{cell.dataset}@{PATTERN}"
        )
    if cell.ensemble["kind"] == "specialist":
        return _not_for_a_specialist(task, cell.ensemble["k"])
    return None


def _not_for_a_specialist(task: Task, k: int) -> str | None:
    if not task.exclusive:
        return f"a specialist is for exclusive findings; this is a {task.kind} task"
    if k >= task.n_outputs:
        return (
            f"a specialist for {k} of {task.n_outputs} findings leaves nothing to the first model; "
            "choose a smaller k"
        )
    return None


def _card(stock: Stock, name: str) -> Mapping[str, Any]:
    return stock.model_files[name].card or {"deterministic": True}

"""The ensembles of a suite as planned specs: behind their members, and never without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmark.ensembles.declaration import KINDS, Ensemble
from benchmark.ensembles.model_file import EnsembleFile, ensemble_file, kind_name
from benchmark.ensembles.specs import ensemble_specs
from benchmark.screening.protocol import PATTERN, withheld_by
from benchmark.spec import Spec
from benchmark.suites.suite import Suite
from benchmark.task import Task
from benchmark.training.recipe import make_recipe

if TYPE_CHECKING:
    from benchmark.execution.plan import Planned, Stock


def plan_ensemble(
    ensemble: Ensemble,
    suite: Suite,
    members: Mapping[str, list[Planned]],
    stock: Stock,
    status_of: Callable[[Spec, EnsembleFile], str],
) -> list[Planned]:
    """The specs of an ensemble on one data set.

    Args:
        members: planned specs of each member on that data set.
        status_of: how a spec stands by its own row alone.

    Raises:
        UserError: a member has no spec that would fit beside the others'.
    """
    chance = {name for name in ensemble.members if not _card(stock, name)["deterministic"]}
    specs = ensemble_specs(
        ensemble,
        {name: [planned.spec for planned in members[name]] for name in ensemble.members},
        fixed=set(ensemble.members) - chance,
        training=partial(_training, ensemble, suite, stock),
    )
    by_id = {p.spec.spec_id: p for of_one in members.values() for p in of_one}
    return [
        _planned(
            spec, {name: by_id[member] for name, member in spec.members.items()}, stock, status_of
        )
        for spec in specs
    ]


def _training(ensemble: Ensemble, suite: Suite, stock: Stock, member: Spec) -> dict[str, Any]:
    """What an ensemble's spec says of the training that is its own; a vote has none."""
    if not KINDS[ensemble.kind].trains:
        return {"recipe": {}, "precision": "", "weights_sha256": None}
    second = ensemble.rule.second or ""
    recipe = make_recipe(*suite.recipe_values(second, member.resolution), ensemble.recipe)
    loads = stock.weights.resolve(member, stock.model_files[second]) if second else None
    return {
        "recipe": recipe.as_dict(),
        "precision": stock.precision or recipe.precision,
        "weights_sha256": loads and loads.weights_sha256,
    }


def _planned(
    spec: Spec,
    members: Mapping[str, Planned],
    stock: Stock,
    status_of: Callable[[Spec, EnsembleFile], str],
) -> Planned:
    file = ensemble_file(spec, stock.model_files)
    status, statuses = status_of(spec, file), {planned.status for planned in members.values()}
    if status == "done" and "stale" in statuses:
        status = "stale"
    if status in ("failed", "not_runnable") and "missing" in statuses:
        status = "missing"  # it waited for a member, which is about to be run
    some_member = next(iter(members.values()))
    refusal = _refusal(spec, members, some_member.prepared.task)
    return replace(some_member, spec=spec, model_file=file, status=status, refusal=refusal)


def _refusal(spec: Spec, members: Mapping[str, Planned], task: Task) -> str | None:
    for name, planned in members.items():
        if planned.refusal and planned.status not in ("done", "stale"):
            return f"its member {name} cannot be run: {planned.refusal}"
        if KINDS[kind_name(spec)].sees_images and not planned.spec.resolution:
            return f"its member {name} sees no image, so it has no features and no second stage"
    if spec.kind == "anomaly" and withheld_by(spec.protocol) is None:
        return (
            "an anomaly screen needs a class that it was not trained on; write the data set as "
            f"{spec.dataset}@{PATTERN}"
        )
    if spec.kind == "specialist":
        return _not_for_a_specialist(task, spec.ensemble.k)
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

"""Smaller specs in place of those that ran out of memory.

A spec that fails for memory is tried again with half as many images at a time and the gradients of
twice as many parts accumulated. That is another spec with an id of its own: where there is batch
normalisation, or a random layer, its numbers are not those of the first. Its watermark keeps it out
of every ranking with full ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from msgspec import structs

from benchmark.planning.plan import PlannedSpec
from benchmark.records.row import Row
from benchmark.spec import Spec
from benchmark.training.recipe import make_recipe

FEWEST = 4
"""Images at a time below which nothing more is tried: what is short then is not room for images."""


def smaller(planned: PlannedSpec) -> PlannedSpec | None:
    """The same spec with half as many images in memory at a time; None where there is none.

    Not for ensembles: their members' specs are told by what differs from their own.
    """
    spec = planned.spec
    trains = "batch_size" in spec.recipe and not spec.ensemble
    if not trains or spec.micro_batch % 2 or spec.micro_batch // 2 < FEWEST:
        return None
    recipe = make_recipe(spec.recipe)
    halved = replace(recipe, accumulate=2 * recipe.accumulate)
    less = structs.replace(spec, recipe=halved.as_dict(), memory_fallback=True)
    return replace(planned, spec=less, status="missing")


def fallback_for(
    planned: PlannedSpec, rows: Mapping[str, Row], status: Callable[[Spec], str]
) -> PlannedSpec:
    """What a plan has for a spec that ran out of memory: the smaller one that was or will be done.

    The spec itself where nothing smaller was begun, or all of it failed too.

    Args:
        rows: by spec id, as they were when the plan was begun: another run may end specs meanwhile.
        status: how a spec of this model stands by its row.
    """
    tried = planned
    while tried.status == "failed":
        error, less = rows[tried.spec.spec_id].error, smaller(tried)
        if less is None or error is None or less.spec.spec_id != error.fallback:
            return planned
        tried = replace(less, status=status(less.spec))
    return tried

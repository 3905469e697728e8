"""The ensembles of a suite as planned specs: behind their members, and never without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from benchmark import kinds
from benchmark.planning.ensemble_specs import ensemble_specs
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.plan import PlannedSpec
from benchmark.spec import Spec
from benchmark.suites.ensembles import Ensemble
from benchmark.suites.suite import Suite
from benchmark.training.recipe import make_recipe


def plan_ensemble(
    ensemble: Ensemble,
    suite: Suite,
    members: Mapping[str, list[PlannedSpec]],
    inputs: PlanInputs,
) -> list[PlannedSpec]:
    """The specs of an ensemble on one data set, of which nothing is known yet.

    Args:
        members: drafts of each member on that data set.

    Raises:
        UserError: a member has no spec that would fit beside the others'.
    """
    specs = ensemble_specs(
        ensemble,
        {name: [draft.spec for draft in members[name]] for name in ensemble.members},
        fixed=partial(_is_fixed, inputs),
        seeds=suite.matrix["seeds"] if ensemble.way.trains else (),
        training=partial(_training, ensemble, suite, inputs),
    )
    some = members[ensemble.members[0]][0]
    return [
        replace(
            some,
            spec=spec,
            model_file=ensemble.spec_kind.model_file(spec, inputs.model_files),
            refusal=None,
        )
        for spec in specs
    ]


def _training(ensemble: Ensemble, suite: Suite, inputs: PlanInputs, member: Spec) -> dict[str, Any]:
    """What an ensemble's spec says of the training that is its own; a vote has none."""
    if not ensemble.way.trains:
        return {"recipe": {}, "precision": "", "weights_sha256": None}
    second = ensemble.rule.second or ""
    recipe = make_recipe(*suite.recipe_values(second, member.resolution), ensemble.recipe)
    loads = inputs.weights.resolve(member, inputs.model_files[second]) if second else None
    return {
        "recipe": recipe.as_dict(),
        "precision": inputs.precision or recipe.precision,
        "weights_sha256": loads and loads.weights_sha256,
    }


def _is_fixed(inputs: PlanInputs, spec: Spec) -> bool:
    return kinds.find(spec.kind).deterministic(spec, inputs.model_files[spec.model].card)

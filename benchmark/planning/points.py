"""The points of a suite's matrix on one data set, as specs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from msgspec import structs

from benchmark import kinds
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.data.shapes import obstacle
from benchmark.errors import UserError
from benchmark.kinds.base import found as model_called
from benchmark.models import ModelFile
from benchmark.planning.cost import nominal_seconds
from benchmark.planning.ensembles import plan_ensemble
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.lungs import lung_suite, mask_set, needs_lungs, why_none
from benchmark.planning.plan import Plan, PlannedSpec
from benchmark.protocols import SplitProtocol, find
from benchmark.spec import LUNGS, Spec, requirement
from benchmark.suites.filters import matches
from benchmark.suites.suite import Suite, Variant
from benchmark.training.recipe import make_recipe
from benchmark.training.schemes import is_by_gradient, is_features_only

# What a model file that cannot be read is taken for: one row is enough to show its fault.
UNKNOWN_CARD = {"inputs": "metadata", "predicts": "findings", "deterministic": True}
NO_IMAGE = {
    "resolution": 0,
    **dict.fromkeys(
        ("preprocessing", "normalisation", "imbalance", "scheme", "weights", "augmentation"), ""
    ),
}


class NoModel(UserError):
    """No model of a suite predicts what a set holds; other suites may have one."""


def within_budget(names: Sequence[str], cost: Mapping[str, float], seconds: float) -> list[str]:
    """The leading names whose costs add up to no more than the budget."""
    kept, spent = [], 0.0
    for name in names:
        spent += cost[name]
        if spent > seconds:
            break
        kept.append(name)
    return kept


@dataclass
class Found:
    """Specs of a suite on one data set: all of them, and those that a filter keeps."""

    all: list[PlannedSpec]
    selected: list[Spec]


@dataclass(frozen=True)
class Resolver:
    """A suite on one data set, as one protocol sees it."""

    suite: Suite
    prepared: Prepared
    protocol: SplitProtocol
    inputs: PlanInputs

    def specs(self, wanted: Mapping[str, set[str]], plan: Plan) -> Found:
        """Cheapest models first, within the suite's budget; ensembles behind them."""
        fitting = self._fitting_models(wanted.get("model", ()))
        by_model = {name: self._of_model(name) for name in fitting}
        named = [name for name in by_model if name in wanted.get("model", {name})]
        kept = self._within_budget({name: by_model[name] for name in named}, wanted, plan)
        specs = [draft for name in kept for draft in by_model[name]]
        of_members = [draft for drafts in by_model.values() for draft in drafts]
        for ensemble in () if self.prepared.holds_masks else self.suite.ensembles:
            ensemble.check_models(self.suite.models(self.inputs.model_files))
            for name in ensemble.members:
                if name not in by_model:
                    raise UserError(
                        f"ensemble {ensemble.name} of suite {self.suite.name}: its member {name} "
                        f"does not predict the findings of {self.prepared.name}."
                    )
            members = {name: by_model[name] for name in ensemble.members}
            specs += plan_ensemble(ensemble, self.suite, members, self.inputs)
        selected = [draft.spec for draft in specs if matches(draft.spec, wanted)]
        return Found([*self._lungs(of_members), *of_members, *specs], selected)

    def _fitting_models(self, wanted: Collection[str]) -> list[str]:
        """The models of the suite that predict what the set holds: masks, or findings.

        One of the file's shape is not among those that ``*`` stands for where no shapes differ.
        """
        files, named = self.inputs.model_files, {*self.suite.named_models, *wanted}
        holds = "masks" if self.prepared.holds_masks else "findings"
        cards = {n: files[n].card or UNKNOWN_CARD for n in self.suite.models(files)}
        fitting = [
            name
            for name, card in cards.items()
            if card["predicts"] == holds
            and (name in named or card["inputs"] != "shape" or self._shapes_differ)
        ]
        if not fitting:
            raise NoModel(
                f"suite {self.suite.name} has no model for {self.prepared.name}, which holds "
                f"{holds}."
            )
        return fitting

    @cached_property
    def _shapes_differ(self) -> bool:
        return not obstacle(self.prepared.name, self.prepared.shapes)

    def _within_budget(
        self,
        by_model: Mapping[str, list[PlannedSpec]],
        wanted: Mapping[str, set[str]],
        plan: Plan,
    ) -> list[str]:
        counts, suite = self.prepared.counts, self.suite
        cost = {
            name: sum(nominal_seconds(d.spec, d.model_file.card, counts) for d in drafts)
            for name, drafts in by_model.items()
        }
        names = sorted(by_model, key=lambda name: (cost[name], name))
        if suite.budget_minutes is None:
            return names
        names.sort(key=lambda name: name not in suite.named_models)
        if "model" in wanted:  # who names a model wants it
            return names
        kept = within_budget(names, cost, suite.budget_minutes * 60)
        if left_out := sorted(by_model.keys() - set(kept)):
            plan.over_budget[suite.name] = left_out
        return kept

    def _of_model(self, name: str) -> list[PlannedSpec]:
        """Drafts of a model: one for each variant and seed, seed 0 where there is no chance."""
        file = self.inputs.model_files[name]
        card = file.card or UNKNOWN_CARD
        drafts = []
        for variant, seeds in _points(self.suite, self.protocol, name, card):
            base, why = self._spec(file, card, variant)
            fixed = kinds.find(base.kind).deterministic(base, card)
            for seed in [0] if fixed else seeds:
                spec = structs.replace(base, seed=seed)
                drafts.append(PlannedSpec(spec, self.suite.name, self.prepared, file, refusal=why))
        return drafts

    def _spec(
        self, file: ModelFile, card: Mapping[str, Any], variant: dict[str, Any]
    ) -> tuple[Spec, str | None]:
        """A spec without a seed, and why it has not the lungs that it needs."""
        inputs, sees_images = self.inputs, card["inputs"] == "image"
        recipe = make_recipe(*self.suite.recipe_values(file.name, variant["resolution"]))
        trains = sees_images and is_by_gradient(variant["scheme"])
        spec = Spec(
            kind=kinds.of_card(card).name,
            dataset=self.prepared.name,
            dataset_version=self.prepared.version,
            manifest_sha256=self.prepared.manifest_sha256,
            model=file.name,
            seed=0,
            recipe=recipe.as_dict() if trains else {},
            precision=(inputs.precision or recipe.precision) if sees_images else "",
            limit=inputs.limit,
            no_test=inputs.no_test,
            protocol=self.protocol.name,
            shapes_sha256=self.prepared.shapes_sha256 if card["inputs"] == "shape" else None,
            **variant,
        )
        if not sees_images:
            return spec, None
        spec = inputs.weights.resolve(spec, file)
        if self.prepared.holds_masks or not needs_lungs(spec.preprocessing):
            return spec, None
        if why := why_none(self._masks, self.prepared, spec.preprocessing):
            return spec, why
        network = requirement(self._lung_network.spec)
        return structs.replace(spec, requires={**spec.requires, LUNGS: network}), None

    @cached_property
    def _masks(self) -> Prepared | NotPrepared:
        """The set that the suite's lung network learns from, checked."""
        name, named = mask_set(self.suite), self.suite.lungs
        assert name is not None  # a variant needs lungs, or nobody would ask
        masks = self.inputs.prepared[name]
        card = model_called(named.model, self.inputs.model_files).card or UNKNOWN_CARD
        learns = (card["inputs"], card["predicts"]) == ("image", "masks")
        if learns and (isinstance(masks, NotPrepared) or masks.holds_masks):
            return masks
        raise UserError(
            f"suite {self.suite.name}: model {named.model} on {masks.name}, the first data set of "
            f"suite {named.suite}, finds no lungs. Under [lungs] name a suite of lung masks and a "
            "network that predicts masks."
        )

    @cached_property
    def _lung_network(self) -> PlannedSpec:
        suite = lung_suite(self.suite.lungs)
        (_, protocol), *_ = suite.datasets
        assert isinstance(self._masks, Prepared)  # else `why_none` said why there is no network
        inputs = replace(self.inputs, no_test=False)  # a tool, whatever it is used for
        resolver = Resolver(suite, self._masks, find(protocol), inputs)
        return resolver._of_model(self.suite.lungs.model)[0]

    def _lungs(self, drafts: Iterable[PlannedSpec]) -> list[PlannedSpec]:
        """The lung network, where any of these specs requires it."""
        required = any(LUNGS in draft.spec.requires for draft in drafts)
        return [self._lung_network] if required else []


def _points(
    suite: Suite, protocol: SplitProtocol, model: str, card: Mapping[str, Any]
) -> list[tuple[Variant, list[int]]]:
    """The variants of a model with their seeds; a mean mask sees no image, but has a size."""
    if card["inputs"] == "image":
        plain = {"augmentation": "none"}  # features are computed once, from the images as they are
        return [
            (variant | (plain if is_features_only(variant["scheme"]) else {}), seeds)
            for variant, seeds in suite.points(model)
        ]
    seeds = suite.seeds(model)
    if card["predicts"] == "masks":
        sizes = suite.matrix["resolutions"]
        return [({**NO_IMAGE, "resolution": size}, seeds) for size in sizes]
    if protocol.copies_first:  # the policy decides what is tested, of networks and of others
        policies = dict.fromkeys(v["imbalance"] for v in suite.variants(model))
        return [({**NO_IMAGE, "imbalance": policy}, seeds) for policy in policies]
    return [(NO_IMAGE, seeds)]

"""From suites to specs: every point of their matrices, with what it is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import ValidationError, structs

from benchmark import kinds
from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.data.shapes import obstacle
from benchmark.errors import UserError
from benchmark.kinds.base import found as model_called
from benchmark.models import ModelFile
from benchmark.planning.cost import nominal_seconds
from benchmark.planning.ensembles import plan_ensemble
from benchmark.planning.graph import Graph
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.lungs import lung_suite, mask_set, needs_lungs, why_none
from benchmark.planning.plan import RERUN, Plan, PlannedSpec
from benchmark.protocols import SplitProtocol, find
from benchmark.spec import LUNGS, Spec, requirement
from benchmark.suites.filters import check_ids, matches, nothing_matches
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


def make_plan(
    suites: Iterable[Suite],
    inputs: PlanInputs,
    wanted: Mapping[str, set[str]] | None = None,
    rerun: str | None = None,
) -> Plan:
    """Resolve suites into specs, with what these require.

    Args:
        wanted: a parsed ``--filter``, checked (:func:`benchmark.planning.wanted.check_wanted`);
            None keeps every spec.
        rerun: what to run again although it has a row, a key of :data:`RERUN`.

    Raises:
        UserError: a suite names an unknown model or data set, the filter matches nothing, a recipe
            value makes no sense, or no suite has a model that predicts what its sets hold.
    """
    suites, wanted = list(suites), wanted or {}
    plan = Plan(rerun=RERUN[rerun] if rerun else set(), written=inputs.written)
    found = _all_found(suites, inputs, wanted, plan)
    _refuse_unreadable(found.all)
    chosen = {suite.name for suite in suites}  # beside these, networks that find lungs
    specs = [draft.spec for draft in found.all if draft.suite in chosen]
    check_ids(wanted, specs)
    if wanted and found.all and not found.selected:
        raise nothing_matches(wanted, specs)
    selected = {spec.spec_id: spec for spec in found.selected}
    selected = inputs.shard.of(selected, found.all) if inputs.shard else selected
    drafts = [*found.all, *_origins(found.all, inputs)]
    plan.specs = Graph(drafts, inputs, plan.rerun).ordered(selected.values())
    return plan


def dataset_names(suites: Iterable[Suite], data_dir: Path | None = None) -> list[str]:
    """Every data set the suites need, once, checked; those in ``data_dir`` are choices, too.

    Raises:
        UnknownName: a suite names a data set that does not exist.
    """
    suites = list(suites)
    names = [name for suite in suites for name, _ in suite.datasets]
    names += filter(None, map(mask_set, suites))
    return [find_dataset(name, data_dir).name for name in dict.fromkeys(names)]


def within_budget(names: Sequence[str], cost: Mapping[str, float], seconds: float) -> list[str]:
    """The leading names whose costs add up to no more than the budget."""
    kept, spent = [], 0.0
    for name in names:
        spent += cost[name]
        if spent > seconds:
            break
        kept.append(name)
    return kept


def _refuse_unreadable(drafts: Iterable[PlannedSpec]) -> None:
    """Raise a UserError for a spec that no row could be read back of, before it is trained."""
    for draft in drafts:
        try:
            Spec.from_dict(draft.spec.as_dict())
        except ValidationError as error:
            raise UserError(
                f"suite {draft.suite}: a row cannot hold {draft.spec.label}: {error}"
            ) from None


@dataclass
class _Found:
    """Specs of a suite on one data set: all of them, and those that a filter keeps."""

    all: list[PlannedSpec]
    selected: list[Spec]


def _all_found(
    suites: Iterable[Suite], inputs: PlanInputs, wanted: Mapping[str, set[str]], plan: Plan
) -> _Found:
    """Of all suites, on every set that is prepared; what is left out, the plan is told.

    Raises:
        UserError: as of :func:`make_plan`.
    """
    every, unfit = _Found([], []), []
    for suite in suites:
        for name, protocol in suite.datasets:
            facts = inputs.prepared[name]
            if isinstance(facts, NotPrepared):
                plan.unprepared.setdefault(name, []).append(suite.name)
                continue
            meant, unanswered = find(protocol).answers(facts)
            plan.unanswered |= unanswered
            for bound, prepared in meant:
                try:
                    found = _Resolver(suite, prepared, bound, inputs).specs(wanted, plan)
                except NoModel as error:
                    plan.unanswered[f"{suite.name} on {prepared.name}"] = str(error)
                    unfit.append(error)
                    continue
                every.all += found.all
                every.selected += found.selected
    if unfit and not every.all and not plan.unprepared:
        raise UserError(f"{unfit[0]} Name a suite that has one: --suite NAME.")
    return every


@dataclass(frozen=True)
class _Resolver:
    """A suite on one data set, as one protocol sees it."""

    suite: Suite
    prepared: Prepared
    protocol: SplitProtocol
    inputs: PlanInputs

    def specs(self, wanted: Mapping[str, set[str]], plan: Plan) -> _Found:
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
        return _Found([*self._lungs(of_members), *of_members, *specs], selected)

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
        resolver = _Resolver(suite, self._masks, find(protocol), inputs)
        return resolver._of_model(self.suite.lungs.model)[0]

    def _lungs(self, drafts: Iterable[PlannedSpec]) -> list[PlannedSpec]:
        """The lung network, where any of these specs requires it."""
        required = any(LUNGS in draft.spec.requires for draft in drafts)
        return [self._lung_network] if required else []


def _origins(drafts: Sequence[PlannedSpec], inputs: PlanInputs) -> list[PlannedSpec]:
    """Rows that specs start from, as specs, as far as their data sets and models are at hand."""
    known = {draft.spec.spec_id for draft in drafts}
    found = []
    for origin in dict.fromkeys(draft.spec.origin for draft in drafts):
        row = inputs.rows.get(origin)
        if row is None or origin in known or row.spec.model not in inputs.model_files:
            continue
        prepared = inputs.prepared.get(row.spec.dataset)
        if isinstance(prepared, Prepared) and prepared.manifest_sha256 == row.spec.manifest_sha256:
            seen = find(row.spec.protocol).apply(prepared)
            file = inputs.model_files[row.spec.model]
            found.append(PlannedSpec(row.spec, row.suite, seen, file))
    return found


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

"""From suites to a list of specs: what is there, what is missing, what cannot run and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from msgspec import structs

from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.ensembles.declaration import Ensemble
from benchmark.ensembles.model_file import own_file
from benchmark.errors import UnknownName, UserError
from benchmark.execution.code import is_current
from benchmark.execution.cost import nominal_seconds
from benchmark.execution.fallback import stand_in
from benchmark.execution.plan_ensembles import plan_ensemble
from benchmark.execution.refusal import refusal
from benchmark.execution.starting_weights import WeightSources
from benchmark.models import ModelFile
from benchmark.protocols import resolved
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.segmentation.chosen import LungNetworks
from benchmark.spec import Spec
from benchmark.suites.filters import matches
from benchmark.suites.suite import Suite
from benchmark.training.recipe import make_recipe
from benchmark.training.weights import FROZEN

# What a model file that cannot be read is taken for: one row is enough to show its fault.
UNKNOWN_CARD = {"inputs": "metadata", "predicts": "findings", "deterministic": True}
NO_IMAGE = {
    "resolution": 0,
    **dict.fromkeys(
        ("preprocessing", "normalisation", "imbalance", "scheme", "weights", "augmentation"), ""
    ),
}
FINISHED = ("done", "stale")
RERUN = {"failed": {"failed", "not_runnable"}, "stale": {"stale"}}
RERUN["all"] = {"done", *RERUN["failed"], *RERUN["stale"]}


@dataclass(frozen=True)
class Planned:
    """A spec, what it needs, and how it stands.

    Attributes:
        status: ``"missing"``, or that of its row (``"done"``, ``"failed"``, ``"not_runnable"``),
            or ``"stale"`` where the row was made by other versions of the code, or from rows that
            are stale or were made anew since.
        refusal: why it cannot be run at all; None where it can.
    """

    spec: Spec
    suite: str
    prepared: Prepared
    model_file: ModelFile
    status: str
    refusal: str | None = None


@dataclass
class Plan:
    """All specs of a run, in running order, and what was left out.

    Attributes:
        specs: of each suite and data set, cheapest models first, so that results come early. A
            spec that ran out of memory is replaced by the smaller one (see ``fallback.py``).
        unprepared: data set name -> suites that need it.
        over_budget: suite name -> models that do not fit its time budget.
        unanswered: data set and shortcut probe -> why that is left out.
        rerun: statuses that are run again.
    """

    specs: list[Planned] = field(default_factory=list)
    unprepared: dict[str, list[str]] = field(default_factory=dict)
    over_budget: dict[str, list[str]] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    rerun: set[str] = field(default_factory=set)

    def to_run(self) -> list[Planned]:
        """The missing specs, and those to be run again, that nothing rules out."""
        wanted = {"missing", *self.rerun}
        return [p for p in self.specs if p.status in wanted and p.refusal is None]

    def refused(self) -> list[Planned]:
        """The specs that cannot be run and have no row that says so yet, nor one of better days."""
        return [p for p in self.specs if p.refusal and p.status not in ("not_runnable", *FINISHED)]

    def summary(self) -> Counter[str]:
        """Number of specs by status."""
        refused = {id(p) for p in self.specs if p.refusal and p.status not in FINISHED}
        return Counter("not_runnable" if id(p) in refused else p.status for p in self.specs)


@dataclass(frozen=True)
class Stock:
    """What a plan is made from.

    Attributes:
        model_files: every known model by name.
        prepared: facts of each data set the suites name, or why there are none.
        results: where rows of earlier runs are.
        limit: at most so many images of each split; None for all.
        weights_dirs: folders of published weight files, beside the usual ones.
        precision: Keras dtype policy in place of the recipes' own; None for these.
    """

    model_files: Mapping[str, ModelFile]
    prepared: Mapping[str, Prepared | NotPrepared]
    results: Results
    limit: int | None = None
    weights_dirs: tuple[Path, ...] = ()
    precision: str | None = None

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The rows that there are, by id."""
        return {row.spec_id: row for row in self.results.rows()}

    @cached_property
    def weights(self) -> WeightSources:
        """Where specs take their first weights from."""
        return WeightSources(self.results, self.weights_dirs)

    @cached_property
    def lungs(self) -> LungNetworks:
        """The networks that find the lungs for preprocessing variants."""
        return LungNetworks(self.results)


def make_plan(
    suites: Iterable[Suite],
    stock: Stock,
    wanted: Mapping[str, set[str]] | None = None,
    rerun: str | None = None,
) -> Plan:
    """Resolve suites into specs.

    Args:
        wanted: a parsed ``--filter``; None keeps every spec.
        rerun: what to run again although it has a row, a key of :data:`RERUN`.

    Raises:
        UserError: a suite or the filter names an unknown model or data set, a recipe value makes
            no sense, or a suite has no model that predicts what one of its sets holds.
    """
    suites, wanted = list(suites), wanted or {}
    _check_names(wanted, suites, stock)
    plan = Plan(rerun=RERUN.get(rerun, set()))
    seen: set[str] = set()
    for suite in suites:
        for name, protocol in suite.datasets:
            facts = stock.prepared[name]
            if isinstance(facts, NotPrepared):
                plan.unprepared.setdefault(name, []).append(suite.name)
                continue
            meant, unanswered = resolved(protocol, facts)
            plan.unanswered |= unanswered
            for planned in _specs_under(meant, suite, stock, wanted, plan):
                if rerun != "all":
                    planned = stand_in(planned, stock.results, partial(_status, stock))
                if planned.spec.spec_id not in seen:
                    seen.add(planned.spec.spec_id)
                    plan.specs.append(planned)
    return plan


def dataset_names(suites: Iterable[Suite]) -> list[str]:
    """Every data set the suites name, once, checked.

    Raises:
        UnknownName: a suite names a data set that does not exist.
    """
    names = dict.fromkeys(name for suite in suites for name, _ in suite.datasets)
    return [find_dataset(name).name for name in names]


def _check_names(wanted: Mapping[str, set[str]], suites: Iterable[Suite], stock: Stock) -> None:
    ensembles = [ensemble.name for suite in suites for ensemble in suite.ensembles]
    for name in sorted(wanted.get("model", ())):
        if name not in (known := [*stock.model_files, *ensembles]):
            raise UnknownName("model", name, known)
    for name in sorted(wanted.get("dataset", ())):
        find_dataset(name)


def _specs_under(
    meant: Mapping[str, Prepared],
    suite: Suite,
    stock: Stock,
    wanted: Mapping[str, set[str]],
    plan: Plan,
) -> list[Planned]:
    """Specs of a suite on one data set, under each of these protocols."""
    return [
        planned
        for protocol, prepared in meant.items()
        for planned in _specs(suite, prepared, protocol, stock, wanted, plan)
    ]


def _specs(
    suite: Suite,
    prepared: Prepared,
    protocol: str,
    stock: Stock,
    wanted: Mapping[str, set[str]],
    plan: Plan,
) -> list[Planned]:
    """Specs of a suite on one data set, cheapest models first, within the suite's budget."""
    by_model = {
        name: _specs_of_model(suite, prepared, protocol, stock.model_files[name], stock)
        for name in _fitting_models(suite, prepared, stock)
        if name in wanted.get("model", {name})
    }
    cost = {
        name: sum(nominal_seconds(p.spec, p.model_file.card, prepared.counts) for p in specs)
        for name, specs in by_model.items()
    }
    names = sorted(by_model, key=lambda name: (cost[name], name))
    if suite.budget_minutes is not None:
        names.sort(key=lambda name: name not in suite.named_models)
    if suite.budget_minutes is not None and "model" not in wanted:  # who names a model wants it
        names = within_budget(names, cost, suite.budget_minutes * 60)
        left_out = sorted(by_model.keys() - set(names))
        if left_out:
            plan.over_budget[suite.name] = left_out
    specs = [p for name in names for p in by_model[name]]
    for ensemble in () if prepared.holds_masks else suite.ensembles:
        specs += _specs_of_ensemble(ensemble, suite, prepared, protocol, stock)
    return [p for p in specs if matches(p.spec, wanted)]


def _fitting_models(suite: Suite, prepared: Prepared, stock: Stock) -> list[str]:
    """The models of a suite that predict what a set holds: masks, or findings."""
    holds = "masks" if prepared.holds_masks else "findings"
    cards = {n: stock.model_files[n].card or UNKNOWN_CARD for n in suite.models(stock.model_files)}
    fitting = [name for name, card in cards.items() if card["predicts"] == holds]
    if not fitting:
        raise UserError(f"{prepared.name} holds {holds}: suite {suite.name} has no model for them.")
    return fitting


def within_budget(names: Sequence[str], cost: Mapping[str, float], seconds: float) -> list[str]:
    """The leading names whose costs add up to no more than the budget."""
    kept, spent = [], 0.0
    for name in names:
        spent += cost[name]
        if spent > seconds:
            break
        kept.append(name)
    return kept


def _specs_of_model(
    suite: Suite, prepared: Prepared, protocol: str, model_file: ModelFile, stock: Stock
) -> list[Planned]:
    card = model_file.card or UNKNOWN_CARD
    sees_images = card["inputs"] == "image"
    specs = []
    for variant in _variants(suite, prepared, model_file.name, card):
        recipe = make_recipe(*suite.recipe_values(model_file.name, variant["resolution"]))
        base = Spec(
            kind=_kind(card),
            dataset=prepared.name,
            dataset_version=prepared.version,
            manifest_sha256=prepared.manifest_sha256,
            model=model_file.name,
            seed=0,
            recipe=recipe.as_dict() if sees_images else {},
            precision=(stock.precision or recipe.precision) if sees_images else "",
            limit=stock.limit,
            protocol=protocol,
            **variant,
        )
        if sees_images:
            base = stock.weights.resolve(stock.lungs.resolve(base, prepared), model_file)
        seeds = suite.matrix["seeds"][: 1 if card["deterministic"] else None]
        specs += [structs.replace(base, seed=seed) for seed in seeds]
    return [
        Planned(
            spec,
            suite.name,
            prepared,
            model_file,
            _status(stock, spec, model_file),
            refusal(spec, prepared, model_file, stock.weights, stock.lungs),
        )
        for spec in specs
    ]


def _kind(card: Mapping[str, Any]) -> str:
    """The kind of a model's specs."""
    if card["predicts"] == "masks":
        return "masks"
    return "classifier" if card["inputs"] == "image" else "metadata_baseline"


def _variants(
    suite: Suite, prepared: Prepared, model: str, card: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The image axes of a model's specs, as fields; a mean mask sees no image, but has a size."""
    if card["inputs"] == "image":
        frozen = {"augmentation": "none"}  # features are computed once, from the images as they are
        return [v | (frozen if v["scheme"] == FROZEN else {}) for v in suite.variants(model)]
    if card["predicts"] == "masks":
        return [{**NO_IMAGE, "resolution": size} for size in suite.matrix["resolutions"]]
    return [NO_IMAGE]


def _specs_of_ensemble(
    ensemble: Ensemble, suite: Suite, prepared: Prepared, protocol: str, stock: Stock
) -> list[Planned]:
    ensemble.check_models(suite.models(stock.model_files))
    members = {
        name: _specs_of_model(suite, prepared, protocol, stock.model_files[name], stock)
        for name in ensemble.members
    }
    return plan_ensemble(ensemble, suite, members, stock, partial(_status, stock))


def _status(stock: Stock, spec: Spec, model_file: ModelFile) -> str:
    """How a spec stands by its row; one whose predictions are gone is missing."""
    row = stock.rows.get(spec.spec_id)
    if row is None:
        return "missing"
    predictions = stock.results.predictions_path(spec.spec_id, row.dataset.redistributable)
    if row.done and not predictions.is_file():
        return "missing"
    if is_current(row, own_file(model_file)) and not row.remade(stock.rows):
        return row.status
    # A fault that was mended is tried again; a number that was measured stays until asked for.
    return "stale" if row.done else "missing"

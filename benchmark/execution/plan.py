"""From suites to a list of cells: what is there, what is missing, what cannot run and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.errors import UnknownName
from benchmark.execution.cost import nominal_seconds
from benchmark.execution.environment import Environment
from benchmark.legacy import HONEST
from benchmark.models import ModelFile, NotApplicable, check_size
from benchmark.records.store import Results
from benchmark.suites.cell import Cell, matches
from benchmark.suites.suite import Suite
from benchmark.training.recipe import make_recipe

# What a model file that cannot be read is taken for: one row is enough to show its fault.
UNKNOWN_CARD = {"inputs": "metadata", "deterministic": True}
NO_IMAGE = {
    "resolution": 0,
    **dict.fromkeys(("preprocessing", "normalisation", "imbalance", "weights", "augmentation"), ""),
}
RERUN = {"failed": {"failed", "not_runnable"}, "stale": {"stale"}}
RERUN["all"] = {"done", *RERUN["failed"], *RERUN["stale"]}


@dataclass(frozen=True)
class Planned:
    """A cell, what it needs, and how it stands.

    Attributes:
        status: ``"missing"``, or that of its row (``"done"``, ``"failed"``, ``"not_runnable"``),
            or ``"stale"`` where the row was made by another version of the model file.
        refusal: why it cannot be run at all; None where it can.
    """

    cell: Cell
    suite: str
    prepared: Prepared
    model_file: ModelFile
    status: str
    refusal: str | None = None


@dataclass
class Plan:
    """All cells of a run, in running order, and what was left out.

    Attributes:
        cells: of each suite and data set, cheapest models first, so that results come early.
        unprepared: data set name -> suites that need it.
        over_budget: suite name -> models that do not fit its time budget.
        rerun: statuses that are run again.
    """

    cells: list[Planned] = field(default_factory=list)
    unprepared: dict[str, list[str]] = field(default_factory=dict)
    over_budget: dict[str, list[str]] = field(default_factory=dict)
    rerun: set[str] = field(default_factory=set)

    def to_run(self) -> list[Planned]:
        """The missing cells, and those to be run again, that nothing rules out."""
        wanted = {"missing", *self.rerun}
        return [p for p in self.cells if p.status in wanted and p.refusal is None]

    def refused(self) -> list[Planned]:
        """The cells that cannot be run and have no row that says so yet."""
        return [p for p in self.cells if p.refusal and p.status != "not_runnable"]

    def summary(self) -> Counter[str]:
        """Number of cells by status."""
        return Counter("not_runnable" if p.refusal else p.status for p in self.cells)


@dataclass(frozen=True)
class Stock:
    """What a plan is made from.

    Attributes:
        model_files: every known model by name.
        prepared: facts of each data set the suites name, or why there are none.
        results: where rows of earlier runs are.
        environment: the arithmetic of this machine.
        limit: at most so many images of each split; None for all.
    """

    model_files: Mapping[str, ModelFile]
    prepared: Mapping[str, Prepared | NotPrepared]
    results: Results
    environment: Environment
    limit: int | None = None


def make_plan(
    suites: Iterable[Suite],
    stock: Stock,
    wanted: Mapping[str, set[str]] | None = None,
    rerun: str | None = None,
) -> Plan:
    """Resolve suites into cells.

    Args:
        wanted: a parsed ``--filter``; None keeps every cell.
        rerun: what to run again although it has a row, a key of :data:`RERUN`.

    Raises:
        UserError: a suite or the filter names an unknown model or data set, or a recipe value
            makes no sense.
    """
    wanted = wanted or {}
    _check_names(wanted, stock)
    plan = Plan(rerun=RERUN.get(rerun, set()))
    seen: set[str] = set()
    for suite in suites:
        for name, protocol in suite.datasets:
            facts = stock.prepared[name]
            if isinstance(facts, NotPrepared):
                plan.unprepared.setdefault(name, []).append(suite.name)
                continue
            for planned in _cells(suite, facts, protocol, stock, wanted, plan):
                if planned.cell.cell_id not in seen:
                    seen.add(planned.cell.cell_id)
                    plan.cells.append(planned)
    return plan


def dataset_names(suites: Iterable[Suite]) -> list[str]:
    """Every data set the suites name, once, checked.

    Raises:
        UnknownName: a suite names a data set that does not exist.
    """
    names = dict.fromkeys(name for suite in suites for name, _ in suite.datasets)
    return [find_dataset(name).name for name in names]


def _check_names(wanted: Mapping[str, set[str]], stock: Stock) -> None:
    for name in sorted(wanted.get("model", ())):
        if name not in stock.model_files:
            raise UnknownName("model", name, stock.model_files)
    for name in sorted(wanted.get("dataset", ())):
        find_dataset(name)


def _cells(
    suite: Suite,
    prepared: Prepared,
    protocol: str,
    stock: Stock,
    wanted: Mapping[str, set[str]],
    plan: Plan,
) -> list[Planned]:
    """Cells of a suite on one data set, cheapest models first, within the suite's budget."""
    by_model = {
        name: _cells_of_model(suite, prepared, protocol, stock.model_files[name], stock)
        for name in suite.models(stock.model_files)
        if name in wanted.get("model", {name})
    }
    cost = {
        name: sum(nominal_seconds(p.cell, p.model_file.card, prepared.counts) for p in cells)
        for name, cells in by_model.items()
    }
    names = sorted(by_model, key=lambda name: (cost[name], name))
    if suite.budget_minutes is not None:
        names.sort(key=lambda name: name not in suite.named_models)
    if suite.budget_minutes is not None and "model" not in wanted:  # who names a model wants it
        names = within_budget(names, cost, suite.budget_minutes * 60)
        left_out = sorted(by_model.keys() - set(names))
        if left_out:
            plan.over_budget[suite.name] = left_out
    return [p for name in names for p in by_model[name] if matches(p.cell, wanted)]


def within_budget(names: Sequence[str], cost: Mapping[str, float], seconds: float) -> list[str]:
    """The leading names whose costs add up to no more than the budget."""
    kept, spent = [], 0.0
    for name in names:
        spent += cost[name]
        if spent > seconds:
            break
        kept.append(name)
    return kept


def _cells_of_model(
    suite: Suite, prepared: Prepared, protocol: str, model_file: ModelFile, stock: Stock
) -> list[Planned]:
    card = model_file.card or UNKNOWN_CARD
    sees_images = card["inputs"] == "image"
    recipe = make_recipe(suite.recipe, suite.recipe_for.get(model_file.name, {}))
    cells = [
        Cell(
            dataset=prepared.name,
            dataset_version=prepared.version,
            manifest_sha256=prepared.manifest_sha256,
            model=model_file.name,
            seed=seed,
            recipe=recipe.as_dict() if sees_images else {"version": recipe.version},
            backend=stock.environment.backend,
            device=stock.environment.device,
            precision=stock.environment.precision(recipe.precision, card.get("gmacs_224")),
            threads=stock.environment.threads,
            micro_batch=recipe.batch_size,
            limit=stock.limit,
            protocol=protocol,
            **variant,
        )
        for variant in (suite.variants() if sees_images else [NO_IMAGE])
        for seed in suite.matrix["seeds"][: 1 if card["deterministic"] else None]
    ]
    return [
        Planned(
            cell,
            suite.name,
            prepared,
            model_file,
            _status(stock.results, cell, model_file),
            _refusal(cell, prepared, model_file),
        )
        for cell in cells
    ]


def _status(results: Results, cell: Cell, model_file: ModelFile) -> str:
    row = results.read_row(cell.cell_id)
    if row is None:
        return "missing"
    if row["model"]["sha256"] == model_file.sha256:
        return row["status"]
    # A fault that was mended is tried again; a number that was measured stays until asked for.
    return "stale" if row["status"] == "done" else "missing"


def _refusal(cell: Cell, prepared: Prepared, model_file: ModelFile) -> str | None:
    if model_file.problem:
        return model_file.problem
    if prepared.derived["verdict"] == "leak" and cell.protocol == HONEST:
        return (
            f"{prepared.name} leaks: {'; '.join(prepared.derived['reasons'])}. "
            "A leaking set is only run under a legacy protocol."
        )
    try:
        if cell.resolution:
            check_size(model_file, cell.resolution)
    except NotApplicable as error:
        return str(error)
    return None

"""From suites to a list of cells: what is there, what is missing, what cannot run and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.errors import UserError
from benchmark.execution.cost import nominal_seconds
from benchmark.execution.environment import Environment
from benchmark.models import ModelFile, NotApplicable, check_size
from benchmark.records.store import Results
from benchmark.suites.cell import Cell, matches
from benchmark.suites.suite import Suite
from benchmark.training.recipe import make_recipe


@dataclass(frozen=True)
class Planned:
    """A cell, what it needs, and the status of its row (``"missing"`` where it has none).

    ``refusal`` says why it cannot be run at all.
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
        cells: cheapest models first, so that results come early.
        unprepared: data set name -> suites that need it.
        over_budget: suite name -> models that do not fit its time budget.
    """

    cells: list[Planned] = field(default_factory=list)
    unprepared: dict[str, list[str]] = field(default_factory=dict)
    over_budget: dict[str, list[str]] = field(default_factory=dict)

    def to_run(self) -> list[Planned]:
        """The cells without a finished row that nothing rules out."""
        return [p for p in self.cells if p.status != "done" and p.refusal is None]

    def summary(self) -> Counter[str]:
        """Number of cells by status."""
        return Counter("refused" if p.refusal else p.status for p in self.cells)


def make_plan(
    suites: Iterable[Suite],
    model_files: Mapping[str, ModelFile],
    prepare: Mapping[str, Prepared | NotPrepared],
    results: Results,
    environment: Environment,
    wanted: Mapping[str, set[str]] | None = None,
    limit: int | None = None,
) -> Plan:
    """Resolve suites into cells.

    Args:
        model_files: every known model by name.
        prepare: facts of each data set the suites name, or why there are none.
        wanted: a parsed ``--filter``; None keeps every cell.
        limit: at most so many images of each split.

    Raises:
        UserError: a suite names an unknown model or a recipe value that makes no sense.
    """
    plan = Plan()
    seen: set[str] = set()
    for suite in suites:
        for name in suite.matrix["datasets"]:
            facts = prepare[name]
            if isinstance(facts, NotPrepared):
                plan.unprepared.setdefault(name, []).append(suite.name)
                continue
            for planned in _cells(suite, facts, model_files, results, environment, limit, plan):
                fresh = planned.cell.cell_id not in seen
                if fresh and (wanted is None or matches(planned.cell, wanted)):
                    seen.add(planned.cell.cell_id)
                    plan.cells.append(planned)
    return plan


def dataset_names(suites: Iterable[Suite]) -> list[str]:
    """Every data set the suites name, once, checked.

    Raises:
        UnknownName: a suite names a data set that does not exist.
    """
    names = dict.fromkeys(name for suite in suites for name in suite.matrix["datasets"])
    return [find_dataset(name).name for name in names]


def _cells(
    suite: Suite,
    prepared: Prepared,
    model_files: Mapping[str, ModelFile],
    results: Results,
    environment: Environment,
    limit: int | None,
    plan: Plan,
) -> list[Planned]:
    by_model = {
        name: _cells_of_model(suite, prepared, model_files[name], results, environment, limit)
        for name in suite.models(model_files)
    }
    cost = {
        name: sum(nominal_seconds(p.cell, p.model_file.card, prepared.counts) for p in cells)
        for name, cells in by_model.items()
    }
    cheapest_first = sorted(by_model, key=lambda name: (cost[name], name))
    if suite.budget_minutes is not None:
        kept = within_budget(cheapest_first, cost, suite.budget_minutes * 60)
        left_out = [name for name in cheapest_first if name not in kept]
        if left_out:
            plan.over_budget[suite.name] = left_out
        cheapest_first = kept
    return [planned for name in cheapest_first for planned in by_model[name]]


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
    suite: Suite,
    prepared: Prepared,
    model_file: ModelFile,
    results: Results,
    environment: Environment,
    limit: int | None,
) -> list[Planned]:
    if model_file.problem:
        card = {"inputs": "metadata", "deterministic": True}  # one row is enough to show the fault
    else:
        card = model_file.card
    recipe = make_recipe(suite.recipe, suite.recipe_for.get(model_file.name, {}))
    seeds = suite.matrix["seeds"][:1] if card["deterministic"] else suite.matrix["seeds"]
    if card["inputs"] == "metadata":
        variants = [dict.fromkeys(("preprocessing", "normalisation", "augmentation"), "")]
        variants[0] |= {"resolution": 0, "imbalance": "", "weights": ""}
        recipe_values = {"version": recipe.version}  # nothing else of it applies
    else:
        variants = [_singular(variant) for variant in suite.variants()]
        recipe_values = recipe.as_dict()
    planned = []
    for variant in variants:
        for seed in seeds:
            cell = Cell(
                dataset=prepared.name,
                dataset_version=prepared.version,
                manifest_sha256=prepared.manifest_sha256,
                model=model_file.name,
                seed=seed,
                recipe=recipe_values,
                backend=environment.backend,
                device=environment.device,
                precision=recipe.precision,
                threads=environment.threads,
                micro_batch=recipe.batch_size,
                limit=limit,
                **variant,
            )
            planned.append(_with_status(cell, suite, prepared, model_file, results))
    return planned


def _singular(variant: dict) -> dict:
    return {"resolution" if key == "resolutions" else key: value for key, value in variant.items()}


def _with_status(
    cell: Cell, suite: Suite, prepared: Prepared, model_file: ModelFile, results: Results
) -> Planned:
    row = results.read_row(cell.cell_id)
    status = row["status"] if row else "missing"
    refusal = None
    try:
        if model_file.problem:
            raise UserError(model_file.problem)
        if cell.resolution:
            check_size(model_file, cell.resolution)
        if prepared.derived["verdict"] == "leak":
            raise NotApplicable(
                f"{prepared.name} leaks: {'; '.join(prepared.derived['reasons'])}. "
                "A leaking set is only run under a legacy protocol."
            )
    except UserError as error:
        refusal = str(error)
    return Planned(cell, suite.name, prepared, model_file, status, refusal)


def load_all(names: Iterable[str], data_dir: Path, load) -> dict[str, Prepared | NotPrepared]:
    """Facts of each named data set, or the reason why there are none.

    Args:
        load: ``(name, data_dir) -> Prepared``, raising NotPrepared.
    """
    found: dict[str, Prepared | NotPrepared] = {}
    for name in names:
        try:
            found[name] = load(name, data_dir)
        except NotPrepared as error:
            found[name] = error
    return found

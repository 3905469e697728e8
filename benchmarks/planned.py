"""Plans of a few specs of one data set, with results of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.planning.plan import Plan
    from benchmark.suites.suite import Suite


def plan_of(suite: Suite, data_dir: Path, folder: Path, limit: int | None = None) -> Plan:
    """The specs of a suite with one data set, which is prepared where it is embedded and is not.

    Args:
        folder: results go to ``results`` in it.
        limit: images of each split at most.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import NotPrepared, load_prepared
    from benchmark.models import discover
    from benchmark.planning.inputs import PlanInputs
    from benchmark.planning.resolve import make_plan
    from benchmark.records.store import Results

    ((dataset, _),) = suite.datasets
    try:
        prepared = load_prepared(dataset, data_dir)
    except NotPrepared:
        prepared = prepare(find_dataset(dataset), data_dir, None)
    results = Results(folder / "results")
    stock = PlanInputs(discover(), {dataset: prepared}, results, limit)
    return make_plan([suite], stock)


def one_model(model: str, dataset: str, size: int, recipe: dict) -> Suite:
    """A suite of one spec."""
    from benchmark.suites.suite import DEFAULTS, Suite

    axes = {"datasets": [dataset], "models": [model], "resolutions": [size], "seeds": [0]}
    return Suite("speed", "", "", DEFAULTS | axes, recipe=recipe)

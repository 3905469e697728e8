"""Plans of a few specs, with results of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.data.prepared import NotPrepared, Prepared
    from benchmark.planning.plan import Plan
    from benchmark.suites.suite import Suite


def plan_of(suite: Suite, data_dir: Path, folder: Path, limit: int | None = None) -> Plan:
    """The specs of a suite; its sets are prepared where they are embedded and are not.

    Args:
        folder: results go to ``results`` in it.
        limit: images of each split at most.
    """
    from benchmark.models import discover
    from benchmark.planning.inputs import PlanInputs
    from benchmark.planning.resolve import dataset_names, make_plan
    from benchmark.records.store import Results

    prepared = {name: _facts(name, data_dir) for name in dataset_names([suite], data_dir)}
    results = Results(folder / "results")
    return make_plan([suite], PlanInputs(discover(), prepared, results, limit))


def _facts(dataset: str, data_dir: Path) -> Prepared | NotPrepared:
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import NotPrepared, load_prepared

    try:
        return load_prepared(dataset, data_dir)
    except NotPrepared as missing:
        found = find_dataset(dataset)
        return prepare(found, data_dir, None) if found.embedded else missing


def one_model(model: str, dataset: str, size: int, recipe: dict) -> Suite:
    """A suite of one spec."""
    from benchmark.suites.axes import DEFAULTS
    from benchmark.suites.suite import Suite

    axes = {"datasets": [dataset], "models": [model], "resolutions": [size], "seeds": [0]}
    return Suite("speed", "", "", DEFAULTS | axes, recipe=recipe)

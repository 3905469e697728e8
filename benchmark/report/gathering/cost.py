"""What a configuration costs: time of one run, and multiply-adds of one image."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from benchmark.models import discover
from benchmark.records.row import Row
from benchmark.records.timing import is_timed_whole
from benchmark.report.blocks.text import duration
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.spec import Spec
from benchmark.training.schemes import is_features_only

_SAME = ("model", "resolution", "preprocessing", "normalisation", "weights", "manifest_sha256")


def run_seconds(table: Table) -> dict[str, float]:
    """Key -> seconds that one run of a configuration takes to train, median over the seeds.

    Features of a frozen backbone are computed once and then shared, so that a row may have found
    them: here they count as long as they took whoever computed them.
    """
    computed: dict[tuple, float] = defaultdict(float)
    for row in table.rows:
        if row.done and is_features_only(row.spec.scheme):
            seconds = row.phases.get("features", 0.0)
            computed[_features(row.spec)] = max(seconds, computed[_features(row.spec)])
    found = {}
    for c in table.configurations:
        trained, features = c.train_seconds, computed.get(_features(c.spec), 0.0)
        if is_features_only(c.spec.scheme):
            found[c.key] = (trained or 0.0) + features
        elif trained is not None:
            found[c.key] = trained
    return found


def phases(row: Row) -> str:
    """How long each phase of a row took; of a training also where only its last part was timed."""
    part = {} if is_timed_whole(row) else {"train": " (since it was interrupted)"}
    return ", ".join(f"{name} {duration(s)}{part.get(name, '')}" for name, s in row.phases.items())


def multiply_adds(c: Configuration) -> float | None:
    """Multiply-adds of one image forward; None of models that are not in this package."""
    at_224 = _cards().get(c.spec.model)
    return at_224 * 1e9 * (c.spec.resolution / 224) ** 2 if at_224 else None


@cache
def _cards() -> dict[str, float | None]:
    return {name: model.card.get("gmacs_224") for name, model in discover().items()}


def _features(spec: Spec) -> tuple:
    return tuple(getattr(spec, name) for name in _SAME)

"""Whether a filter names what there is: told before anything is prepared or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmark import kinds
from benchmark.errors import UnknownModel, UnknownName, check_names
from benchmark.protocols.probe import EVERY
from benchmark.suites.files import load_suite
from benchmark.suites.files import suites as all_suites
from benchmark.suites.filters import FILTER_KEYS
from benchmark.suites.suite import Suite
from benchmark.training.recipe import PRECISIONS

SHOWN = 4
"""Suites that are named."""
UNSEEN = {"resolution": 0, "augmentation": "none", "seed": 0}
"""What specs have, whatever suites say, that see no image, augment none, or draw nothing."""


def check_precision(name: str) -> None:
    """Raise an UnknownName for what is no precision."""
    check_names("precision", [name], PRECISIONS)


NAMED: dict[str, Callable[[str], Any]] = {
    "kind": kinds.find,
    "precision": check_precision,
}
"""Fields that a suite does not say outright: whether there is anything of such a name."""


def check_wanted(
    wanted: Mapping[str, set[str]], suites: Sequence[Suite], models: Mapping[str, Any]
) -> None:
    """Refuse a filter with a value that no spec of these suites can have, were it one of several.

    Args:
        wanted: a parsed filter.
        models: the model files by name.

    Raises:
        UnknownName: there is no such value in these suites, or at all.
    """
    for key, field in FILTER_KEYS.items():
        for value in sorted(wanted.get(field, ())):
            if field in NAMED:
                NAMED[field](value)
            elif field != "spec_id" and not _has(field, value, suites, models):  # ids come later
                raise _unknown(key, value, suites, models)


def _unknown(
    key: str, value: str, suites: Sequence[Suite], models: Mapping[str, Any]
) -> UnknownName:
    """What to say of a value that none of these suites has: which others have it, or none."""
    field = FILTER_KEYS[key]
    known = _values(field, suites, models)
    every = [load_suite(name) for name in all_suites()]
    others = [suite.name for suite in every if _has(field, value, [suite], models)]
    if field == "model" and not others and value not in models:
        ensembles = {ensemble.name for suite in every for ensemble in suite.ensembles}
        return UnknownModel("model", value, {*models, *known, *ensembles})
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    told = f"Suites that have it (--suite NAME): {', '.join(others[:SHOWN])}{more}."
    return UnknownName(f"{key} in the filter", value, known, told if others else "")


def _has(field: str, value: str, suites: Sequence[Suite], models: Mapping[str, Any]) -> bool:
    """Whether a spec of these suites may have a value; ``probe:*`` is any that begins so."""
    known = _values(field, suites, models)
    begins = (name.removesuffix(EVERY) for name in known if name.endswith(f":{EVERY}"))
    return value in known or (field == "protocol" and value.startswith(tuple(begins)))


def _values(field: str, suites: Sequence[Suite], models: Mapping[str, Any]) -> set[str]:
    """What these suites name."""
    if field == "model":
        ensembles = {ensemble.name for suite in suites for ensemble in suite.ensembles}
        return {*ensembles, *(name for suite in suites for name in suite.models(models))}
    if field == "dataset":
        return {name for suite in suites for name, _ in suite.datasets}
    if field == "protocol":
        return {protocol for suite in suites for _, protocol in suite.datasets}
    return {*map(str, (*_of_axis(field, suites, models), UNSEEN.get(field, "")))} - {""}


def _of_axis(field: str, suites: Iterable[Suite], models: Mapping[str, Any]) -> set[Any]:
    """Values of an axis of the matrices."""
    points = [
        point for suite in suites for name in suite.models(models) for point in suite.points(name)
    ]
    if field == "seed":
        return {seed for _, seeds in points for seed in seeds}
    return {variant[field] for variant, _ in points}

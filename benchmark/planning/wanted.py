"""Whether a filter names what there is: told before anything is prepared or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmark import kinds
from benchmark.errors import UnknownModel, check_names
from benchmark.protocols.probe import EVERY
from benchmark.suites.filters import FILTER_KEYS
from benchmark.suites.suite import Suite
from benchmark.training.recipe import PRECISIONS

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
        what = f"{key} in the filter"
        values = sorted(wanted.get(field, ()))
        if field == "spec_id":
            continue  # known once there are specs
        if field in NAMED:
            for value in values:
                NAMED[field](value)
        elif field == "model":
            _check_models(values, suites, models)
        elif field == "dataset":
            check_names(what, values, {name for suite in suites for name, _ in suite.datasets})
        elif field == "protocol":
            _check_protocols(what, values, suites)
        else:
            known = {*_of_axis(field, suites, models), UNSEEN.get(field, "")}
            check_names(what, values, {*map(str, known)} - {""})


def _check_models(names: Sequence[str], suites: Iterable[Suite], models: Mapping[str, Any]) -> None:
    ensembles, of_suites = [], []
    for suite in suites:
        ensembles += [ensemble.name for ensemble in suite.ensembles]
        of_suites += suite.models(models)
    for name in names:
        if name not in (known := {*models, *ensembles}):
            raise UnknownModel("model", name, known)
    check_names("model in the filter", names, {*ensembles, *of_suites})


def _check_protocols(what: str, names: Iterable[str], suites: Iterable[Suite]) -> None:
    """``probe:*`` in a suite stands for any that begins so."""
    named = {protocol for suite in suites for _, protocol in suite.datasets}
    every = tuple(name.removesuffix(EVERY) for name in named if name.endswith(f":{EVERY}"))
    check_names(what, [name for name in names if not name.startswith(every)], named)


def _of_axis(field: str, suites: Iterable[Suite], models: Mapping[str, Any]) -> set[Any]:
    """Values of an axis of the matrices."""
    points = [
        point for suite in suites for name in suite.models(models) for point in suite.points(name)
    ]
    if field == "seed":
        return {seed for _, seeds in points for seed in seeds}
    return {variant[field] for variant, _ in points}

"""What validation chooses among configurations."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from benchmark.report.gathering.configuration import Configuration

Shown = TypeVar("Shown")


def on_validation(c: Configuration) -> tuple[bool, float, str]:
    """Of what has all its seeds, the best on validation is the greatest."""
    auc = c.measurements["validation_auc"].mean
    return c.complete, -1.0 if auc is None else auc, c.key


def chosen_first(
    entries: Sequence[Shown],
    group: Callable[[Shown], Hashable],
    of: Callable[[Shown], Configuration],
) -> tuple[list[Shown], list[Shown]]:
    """What validation chooses of each group, and the rest; both in the order given."""
    best: dict[Hashable, Shown] = {}
    for each in entries:
        key = group(each)
        if key not in best or on_validation(of(each)) > on_validation(of(best[key])):
            best[key] = each
    chosen = {id(each) for each in best.values()}
    return (
        [each for each in entries if id(each) in chosen],
        [each for each in entries if id(each) not in chosen],
    )

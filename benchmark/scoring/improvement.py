"""Whether a training was ended while it still got better, and whether it ever did."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmark.records.row import Row
from benchmark.records.run_facts import History
from benchmark.records.scores import Scores

LAST = 5
"""The last one of so many parts of the epochs is looked at."""


def late_gain(aucs: Sequence[float | None]) -> float | None:
    """How much the best AUC rose in the last fifth of the epochs, at least the last one.

    An undefined AUC is the worst. None where there is none before.
    """
    last = math.ceil(len(aucs) / LAST)
    before, late = (
        [auc for auc in part if auc is not None] for part in (aucs[:-last], aucs[-last:])
    )
    return max([0.0, *(auc - max(before) for auc in late)]) if before else None


def gain_of(row: Row) -> float | None:
    """:func:`late_gain` of the epochs that a row was trained for, as many as there were.

    Of several stages the last one counts: the others were followed by more. A training that
    patience ended is judged by the epochs that it had, as any other: it gained nothing in the last
    fifth of them, unless that is longer than its patience. None without AUC on validation, and for
    a specialist, whose history is of its second model and its predictions of both.
    """
    history = _judged(row)
    if history is None or history.val_auc is None:
        return None
    epochs = history.stages[-1][1] if history.stages else len(history.val_auc)
    return late_gain(history.val_auc[-epochs:])


def never_improved(row: Row) -> bool:
    """Whether no epoch after the first was better on validation, of several.

    The weights that were kept have then hardly left their draw: one epoch of warm-up.
    """
    history = _judged(row)
    return history is not None and len(history.loss) > 1 and history.best_epoch == 0


def _judged(row: Row) -> History | None:
    """The epochs of a row's own predictions: a specialist's are of its second model alone."""
    return None if row.ensemble and row.ensemble.findings else row.history


def still_improving(row: Row, scores: Scores) -> bool | None:
    """Whether the late gain is more than a standard error of the best epoch's AUC on validation.

    None where either is undefined. The error of a perfect AUC is zero, and says nothing; there is
    nothing left to gain either.
    """
    gain, error = gain_of(row), scores.validation_auc_error
    return None if gain is None or error is None else gain > error > 0

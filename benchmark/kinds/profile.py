"""Where the time of a spec went, in wall-clock seconds."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = {
    "views": "preparing",
    "build": "preparing",
    "features": "preparing",
    "predict": "evaluation",
    "write": "writing",
    "score": "writing",
}
"""What phases of a spec count as; those of the training come from its own clock."""
COLUMNS = ("preparing", "first step", "input", "steps", "evaluation", "writing", "other")


def profile(
    phases: Mapping[str, float], training: Mapping[str, float], total: float
) -> dict[str, float]:
    """Seconds of a spec by :data:`COLUMNS`.

    Args:
        phases: seconds of each phase of the spec.
        training: seconds of each part of its training.
        total: seconds of the whole spec; what is left of them is ``other``.
    """
    spent = dict.fromkeys(COLUMNS, 0.0)
    for name, seconds in training.items():
        spent[name] += seconds
    for name, column in PARTS.items():
        spent[column] += phases.get(name, 0.0)
    spent["other"] = total - sum(spent.values())
    return {name: round(seconds, 3) for name, seconds in spent.items()}

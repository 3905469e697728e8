"""Where the time of a spec went, in wall-clock seconds."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.records.run_facts import Speed

PARTS = {
    "views": "preparing",
    "build": "preparing",
    "features": "preparing",
    "predict": "evaluation",
    "write": "writing",
    "score": "writing",
}
"""What phases of a spec count as; those of the training come from its own clock."""
LATER = ("input", "steps")
"""Parts of a training that are timed without its first step."""
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


def speed(
    training: Mapping[str, float], images: int, device_memory_mb: int | None, sharing: int
) -> Speed | None:
    """How fast a network was trained; None where none was.

    Args:
        training: seconds of each part of the training.
        images: that it was trained on in these parts without its first step.
        device_memory_mb: the most memory taken of an accelerator, where there is one.
        sharing: specs that had the accelerators at the same time.
    """
    seconds = sum(training.get(part, 0.0) for part in LATER)
    if not training:
        return None
    return Speed(
        images_per_second=round(images / seconds, 2) if images and seconds else None,
        waiting=round(training.get("input", 0.0) / seconds, 3) if images and seconds else None,
        device_memory_mb=device_memory_mb,
        sharing=sharing,
    )

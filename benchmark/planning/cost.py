"""A nominal price of a spec, to order specs and to keep a suite within its budget.

Not a forecast: it is the same on every machine, so that a budgeted suite has the same specs
everywhere. The rates are rounded from measurements on two CPU cores at 64 px. They hold at other
sizes: a training step of the small CNN took 1.11, 0.89 and 0.94 of its price at 64, 128 and 224 px,
one of the MLP, whose weights grow with the pixels, 1.3, 1.9 and 1.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.planning.plan import PlannedSpec
from benchmark.records.facts import SplitCounts
from benchmark.spec import Spec
from benchmark.training.schemes import is_features_only

START_SECONDS = 5.0
IMAGES_PER_SECOND = 5000.0
GIGA_MACS_PER_SECOND = 60.0
TRAINING_PASSES = 3.0  # forward, gradient of the inputs, gradient of the weights


def nominal_seconds(spec: Spec, card: dict[str, Any], counts: dict[str, SplitCounts]) -> float:
    """Seconds that a spec would take at the nominal rates.

    A frozen backbone is passed once, and its head costs next to nothing.

    Args:
        card: the model's card; ``gmacs_224`` are multiply-adds at 224 px in 1e9.
        counts: images of each split.
    """
    passes = forward_passes(spec, card, counts)
    if not passes:
        return 1.0
    images, gigamacs = passes
    return START_SECONDS + images * (1 / IMAGES_PER_SECOND + gigamacs / GIGA_MACS_PER_SECOND)


def forward_passes(
    spec: Spec, card: Mapping[str, Any], counts: Mapping[str, SplitCounts]
) -> tuple[float, float] | None:
    """What a spec takes, as images that are passed forward once, and multiply-adds of each in 1e9.

    None of what computes no network.
    """
    features_only = is_features_only(spec.scheme)
    if not card or not (features_only or "epochs" in spec.recipe):
        return None
    gigamacs = (card["gmacs_224"] or 0.0) * (spec.resolution / 224) ** 2
    if features_only:
        return float(sum(split.images for split in counts.values())), gigamacs
    training, evaluated = counts["train"].images, counts["validation"].images
    return int(spec.recipe["epochs"]) * (TRAINING_PASSES * training + evaluated), gigamacs


def nominal_price(planned: PlannedSpec) -> float:
    """:func:`nominal_seconds` of a planned spec."""
    return nominal_seconds(planned.spec, planned.model_file.card, planned.prepared.counts)

"""Why a planned spec cannot be run, told before anything is trained. Imports no framework."""

from __future__ import annotations

from benchmark.data.prepared import Prepared
from benchmark.data.preprocessing import find as find_variant
from benchmark.errors import UserError
from benchmark.execution.starting_weights import WeightSources, check_start
from benchmark.legacy import is_legacy
from benchmark.models import ModelFile, check_size
from benchmark.segmentation.chosen import LungNetworks
from benchmark.spec import Spec
from benchmark.training.imbalance import check_policy

OF_MASKS = {"imbalance": ("", "none"), "scheme": ("", "scratch")}
"""What these axes may say of a network that predicts masks."""


def refusal(
    spec: Spec,
    prepared: Prepared,
    model_file: ModelFile,
    weights: WeightSources,
    lungs: LungNetworks,
) -> str | None:
    """The reason, and what to do about it; None where the spec can be run."""
    if model_file.problem:
        return model_file.problem
    if prepared.derived.verdict == "leak" and not is_legacy(spec.protocol):
        return (
            f"{prepared.name} leaks: {'; '.join(prepared.derived.reasons)}. "
            "A leaking set is only run under a legacy protocol."
        )
    try:
        if spec.resolution:
            check_size(model_file, spec.resolution)
        if prepared.holds_masks:
            return _of_masks(spec)
        if spec.resolution:
            check_policy(spec.imbalance, prepared.task)
            check_start(spec, model_file, weights)
    except UserError as error:
        return str(error)
    return lungs.why_none(spec, prepared)


def _of_masks(spec: Spec) -> str | None:
    for axis, choices in OF_MASKS.items():
        if getattr(spec, axis) not in choices:
            return f"{axis} {getattr(spec, axis)} has no meaning for masks; use {choices[-1]}."
    if spec.preprocessing and find_variant(spec.preprocessing).needs_lungs:
        return f"preprocessing {spec.preprocessing} needs the very masks that are to be learnt."
    return None

"""The checkpoints of specs: one file for each stage of a training, gone once the spec is done."""

from __future__ import annotations

from pathlib import Path

import msgspec

import benchmark
from benchmark.machine.environment import environment_facts
from benchmark.spec import Spec
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.context import Context


def stage_checkpoint(context: Context, spec: Spec, stage: str) -> Checkpoint:
    """Where a stage of a spec's training goes on from.

    Args:
        stage: names it among the stages of the spec.
    """
    made_by = {
        "code": dict(context.code),
        "package": benchmark.__version__,
        "environment": msgspec.to_builtins(environment_facts(context.environment)),
    }
    return Checkpoint(context.results.checkpoints / f"{spec.spec_id}.{stage}.npz", made_by)


def remove_checkpoints(folder: Path, spec: Spec) -> None:
    """Forget where a spec stood: it is done."""
    for pattern in (f"{spec.spec_id}.*", f".{spec.spec_id}.*"):  # whole, and cut off by a kill
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)

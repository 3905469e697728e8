"""The checkpoints of specs: one file for each stage of a training, gone once the spec is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import benchmark
from benchmark.ensembles.model_file import own_file
from benchmark.execution.code import code_of
from benchmark.execution.environment import environment_facts
from benchmark.models import ModelFile
from benchmark.spec import Spec
from benchmark.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from benchmark.execution.spec_run import Context


def stage_checkpoint(context: Context, spec: Spec, model_file: ModelFile, stage: str) -> Checkpoint:
    """Where a stage of a spec's training goes on from.

    Args:
        stage: names it among the stages of the spec.
    """
    made_by = {
        "code": code_of(spec, own_file(model_file)),
        "package": benchmark.__version__,
        "environment": msgspec.to_builtins(environment_facts(context.environment)),
    }
    return Checkpoint(context.results.checkpoints / f"{spec.spec_id}.{stage}.npz", made_by)


def remove_checkpoints(folder: Path, spec: Spec) -> None:
    """Forget where a spec stood: it is done."""
    for pattern in (f"{spec.spec_id}.*", f".{spec.spec_id}.*"):  # whole, and cut off by a kill
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)

"""`cxr-bench run --slurm-script`: the same run as an array of Slurm jobs on shared folders."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click
from click.core import ParameterSource

LEFT_OUT = ("slurm_tasks", "wait")
GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
SCRIPT = """#!/bin/bash
#SBATCH --job-name=cxr-bench
#SBATCH --array=1-{tasks}
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output={output}
{gpu}
# Partition, account, time and memory are your centre's: put them right, then: sbatch THIS_FILE
# Each task takes specs that no other has, and ends when none is left. A task that is ended leaves
# its spec to another one, which goes on from the last checkpoint.

{set_up}exec {command}
"""
GPU = "#SBATCH --gpus-per-task=1"


def slurm_script(context: click.Context, tasks: int) -> str:
    """The text of a batch file whose tasks are the command of ``context``, without waiting.

    Args:
        tasks: how many run at the same time at most.
    """
    values = context.params
    asked = (values["device"], os.environ.get("CXR_BENCH_DEVICE"))
    program = Path(sys.executable).with_name("cxr-bench")
    words = [str(program) if program.is_file() else "cxr-bench", "run", *_words(context)]
    logs = Path(values["results"]).resolve() / "logs"
    logs.mkdir(parents=True, exist_ok=True)  # Slurm does not make it, and a job then fails
    return SCRIPT.format(
        tasks=tasks,
        output=shlex.quote(f"{logs}/slurm-%A_%a.out"),
        gpu=GPU if "gpu" in asked else f"#{GPU}   (with --device gpu)",
        set_up=_set_up(),
        command=" \\\n  ".join([shlex.join(words), "--no-wait"]),
    )


def _words(context: click.Context) -> list[str]:
    """The options that were given, and every folder in full: a job may begin anywhere."""
    words: list[str] = []
    for param in context.command.params:
        name = param.name or ""
        value, source = context.params.get(name), context.get_parameter_source(name)
        folder = isinstance(value, Path)
        if name in LEFT_OUT or (source not in GIVEN and not folder):
            continue
        option = param.opts[0]
        if isinstance(value, bool):
            words.append(option if value else param.secondary_opts[0])
            continue
        for each in value if isinstance(value, tuple) else [value]:
            words += [option, str(each.resolve() if isinstance(each, Path) else each)]
    return words


def _set_up() -> str:
    """What of this shell's environment a run goes by."""
    names = ("KERAS_BACKEND", "CXR_BENCH_DEVICE", "CXR_BENCH_WEIGHTS")
    return "".join(
        f"export {name}={shlex.quote(os.environ[name])}\n" for name in names if name in os.environ
    )

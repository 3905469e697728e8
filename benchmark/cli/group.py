"""The group that all commands belong to, and how a user's mistake ends there."""

from __future__ import annotations

import os
from typing import Any

import click

import benchmark
from benchmark.commands.surroundings import system_errors_told, write_plainly
from benchmark.commands.terminal import kept_to_commands, plain_asked
from benchmark.commands.warned import warn, warnings_printed
from benchmark.errors import UserError
from benchmark.machine.paths import settle_home

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # or TensorFlow talks over the commands
settle_home()


class _Commands(click.Group):
    """Shows a UserError, or one of the system, as one message without a trace; exits with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.color = False if plain_asked() else None
        write_plainly()
        with kept_to_commands(), warnings_printed():
            try:
                with system_errors_told():
                    return super().invoke(ctx)
            except UserError as error:
                warn(f"Error: {error}")
                ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(benchmark.__version__, prog_name="cxr-bench")
def main() -> None:
    """An honest benchmark suite for chest X-ray classification.

    \b
    A first leaderboard, on the embedded simulated set:
      cxr-bench run --all
    On your own copy of a real set:
      cxr-bench list
      cxr-bench prepare kermany_pneumonia/official --manual-dir DIR
      cxr-bench run --suite pneumonia
    A model of your own:
      cxr-bench new-model my_model --models-dir my_models
      cxr-bench run --suite phantom --models-dir my_models --filter model=my_model
    """

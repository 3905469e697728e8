"""`cxr-bench doctor`: is everything there that a run needs?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from benchmark.commands.terminal import say
from benchmark.machine.environment import Environment
from benchmark.report.blocks.lines import window, wrapped
from benchmark.scheduling import checkup
from benchmark.scheduling.checkup import BAD, GOOD, POOR, Check

COLOURS = {GOOD: "green", POOR: "yellow", BAD: "red"}


def check_machine(
    names: Sequence[str | Path],
    *,
    results: Path,
    data_dir: Path,
    cache_dir: Path,
    models_dirs: Sequence[Path],
    quick: bool,
    device: str,
) -> int:
    """Print every check.

    Args:
        names: suites to be ready for; none: those of ``run --all``.
        device: to compute with; ``"auto"`` for what is found.
        quick: leave out what takes longer than a second: the accelerators and the self-test.

    Returns:
        The exit status: 1 where there is a problem. A warning is none.
    """
    from benchmark.machine.environment import current
    from benchmark.models import discover
    from benchmark.suites import load_suite, suites

    loaded = [load_suite(name) for name in names or suites()]
    chosen = loaded if names else [suite for suite in loaded if suite.run_all]
    models = discover(models_dirs)
    folders = {"Results": results, "Data": data_dir, "Cache": cache_dir}
    environment = current(device)
    verdicts = _show("Environment", checkup.environment_checks(environment))
    verdicts += _show("Folders", checkup.folder_checks(folders))
    verdicts += _show("Disk", checkup.disk_checks(chosen, models, data_dir, cache_dir, results))
    verdicts += _show("Data sets", checkup.dataset_checks(chosen, data_dir))
    if not quick:
        verdicts += _show("Training", _training_checks(environment))
    problems, warnings = verdicts.count(BAD), verdicts.count(POOR)
    click.echo(f"{problems} problem(s), {warnings} warning(s).")
    return min(problems, 1)


def _training_checks(environment: Environment) -> Iterator[Check]:
    """What takes longest; nothing is trained where there is nothing to train on."""
    accelerators = checkup.accelerator_check(environment)
    yield accelerators
    if accelerators.verdict != BAD:
        with tempfile.TemporaryDirectory() as folder:
            yield checkup.self_test(Path(folder), environment)


def _show(title: str, checks: Iterable[Check]) -> list[str]:
    """Print checks as they come; returns their verdicts."""
    click.secho(title, bold=True)
    verdicts = []
    for check in checks:
        verdicts.append(check.verdict)
        mark = click.style(check.verdict, fg=COLOURS[check.verdict])
        line = f"  {check.verdict:<8} {check.what:<20} {check.text}"
        click.echo(wrapped(line, window(sys.stdout), hang=30).replace(check.verdict, mark, 1))
        if check.remedy:
            say(f"{'':<32}-> {check.remedy}", hang=3)
    return verdicts

"""`cxr-bench reproduce`: run the spec of a row again and compare."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.report.blocks.text import UNDEFINED, one_line

if TYPE_CHECKING:
    from benchmark.planning.plan import PlannedSpec
    from benchmark.scheduling.reproduce import Reproduction


def reproduce_row(
    text: str, *, results: Path, data_dir: Path, cache_dir: Path, models_dirs: Sequence[Path],
    weights_dirs: Sequence[Path],
) -> int:  # fmt: skip
    """Run every seed of a row or configuration again; returns 0 where all are as promised.

    That is bit by bit within one environment, and within a tolerance in another.
    """
    from benchmark.records.store import Results
    from benchmark.report.comparing.lookup import find
    from benchmark.scheduling.reproduce import reproduce
    from benchmark.scheduling.slots import Folders

    found = find(Results(results), text)
    folders = Folders(data_dir, cache_dir, results, tuple(models_dirs), tuple(weights_dirs))
    same = True
    for row in found.rows:
        with tempfile.TemporaryDirectory(prefix="cxr-bench-reproduce-") as scratch:
            ended = reproduce(row, folders, Path(scratch), _say)
        same &= ended.as_promised
        click.echo(f"{row.spec_id}, seed {row.spec.seed}: {_verdict(ended)}")
        for name, (then, now) in ended.numbers.items():
            click.echo(f"  {name:<22}{_number(then):>12}{_number(now):>12}")
        if ended.changes:
            click.echo("  What else differs, then and now:")
        for name, change in ended.changes.items():
            click.echo(f"    {one_line(name)}: {' | '.join(map(one_line, change))}")
    return 0 if same else 1


def _say(planned: PlannedSpec, event: Mapping[str, Any]) -> None:
    if event["event"] == "start":
        click.echo(f"Running again: {planned.spec.label} ...", err=True)


def _verdict(ended: Reproduction) -> str:
    if ended.identical:
        return "the same, bit by bit"
    how = "" if ended.largest is None else f", probabilities differ by {ended.largest:.2g} at most"
    if ended.one_environment:
        return f"not the same{how}"
    within = "within" if ended.as_promised else "beyond"
    return (
        f"in another environment, {within} the {ended.tolerance:g} that {ended.compared[0]} may "
        f"differ by{how}"
    )


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.6f}"

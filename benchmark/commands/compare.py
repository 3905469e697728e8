"""`cxr-bench compare`: how far two rows are apart, and whether that is chance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.commands.terminal import say
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import UNDEFINED, count, one_line

if TYPE_CHECKING:
    from benchmark.report.comparing.compared import Compared


def compare_rows(
    first: str, second: str, finding: str, results: Path, *, as_json: bool = False
) -> None:
    """Print the differences in AUC and F1, and in the AUC of one finding."""
    from benchmark.records.store import Results
    from benchmark.report.comparing.compared import Compared
    from benchmark.report.comparing.lookup import find

    store = Results(results)
    found = Compared.of(store, find(store, first), find(store, second), finding)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=1))
        return
    _print(found)


def _print(found: Compared) -> None:
    from benchmark.report.comparing.paired import METRICS

    pair = found.pair
    test, dataset = pair.first.runs[0].scores.splits["test"], pair.first.runs[0].row.dataset
    who = of_patients(test.n_patients, unknown=dataset.patients_unknown)
    for side, title in found.titles.items():
        say(f"{side}  {one_line(title)}")
    say(f"On {count(test.n_images)} test images{who}, protocol {found.protocol.id}\n")
    for name, of_side in found.notes.items():
        for note in of_side:
            say(f"Note on {name}: {note}")
    click.echo(_line("", "A", "B", "A - B", "95 % interval", "p"))
    for metric, c in found.by_metric.items():
        shown = METRICS[metric]
        means = [side.measurements[f"test_{metric}"].mean for side in (pair.first, pair.second)]
        click.echo(_line(shown, *map(_number, means), *_difference(c.difference, c.interval, c.p)))
        if c.note:
            say(f"  no test for {shown}: {one_line(c.note)}")
    for name, c in found.of_finding.items():
        click.echo(_line("AUC", "", "", *_difference(c.difference, c.interval, c.p)))
        say(f"  of {one_line(name)} alone{f': no test, {c.note}' if c.note else ''}")
    say("\n" + (_WITH_SEEDS if pair.with_seeds else _WITHOUT_SEEDS), hang=0)


_WITH_SEEDS = (
    "Intervals and p hold both chances: which patients are in the test set (DeLong's variance, by "
    "patient, the same for A and B) and which seeds were run (t-test, Satterthwaite). F1 at "
    "thresholds as they are. One comparison, so p is not corrected for others. An interval ends "
    "where no difference of two scores from 0 to 1 can lie."
)
_WITHOUT_SEEDS = (
    "Two trained networks: intervals and p hold the choice of test patients (DeLong's variance, by "
    "patient, the same for A and B), not chance in training. Compare configurations to hold that "
    "too."
)


def _difference(value: float | None, limits: Sequence[float] | None, p: float | None) -> list[str]:
    ends = f"[{', '.join(map(_signed, limits))}]" if limits else UNDEFINED
    shown = UNDEFINED if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"
    return [_signed(value), ends, shown]


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:+.4f}"


def _line(name: str, a: str, b: str, difference: str, limits: str, p: str) -> str:
    return f"{name:<12}{a:>8}{b:>8}{difference:>10}  {limits:<20}{p:>9}".rstrip()

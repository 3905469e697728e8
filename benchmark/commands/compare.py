"""`cxr-bench compare`: how far two rows are apart, and whether that is chance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmark.report.configuration import Configuration
from benchmark.report.lookup import Found
from benchmark.report.text import UNDEFINED, count, one_line


def compare_rows(
    first: str, second: str, finding: str, results: Path, *, as_json: bool = False
) -> None:
    """Print the differences in AUC and F1, and in the AUC of one finding."""
    from benchmark.records.store import Results
    from benchmark.report.found_json import pair_json
    from benchmark.report.lookup import find
    from benchmark.report.mismatches import mismatches
    from benchmark.report.paired import METRICS, Pair

    store = Results(results)
    found = [find(store, text) for text in (first, second)]
    pair = Pair.of(store, *found)
    test, protocol = pair.first.runs[0].scores.splits["test"], found[0].row.protocol
    sides = (pair.first, pair.second)
    apart = mismatches(protocol, sides)
    notes = {
        name: [*filter(None, [*_notes(one, side), apart.get(side.key)])]
        for name, one, side in zip("AB", found, sides, strict=True)
    }
    compared = {metric: pair.compare(store, metric) for metric in METRICS}
    of_finding = {finding: pair.compare_finding(store, finding)} if finding else {}
    if as_json:
        click.echo(json.dumps(pair_json(pair, compared, of_finding, notes), indent=1))
        return
    click.echo(f"A  {one_line(found[0].title)}")
    click.echo(f"B  {one_line(found[1].title)}")
    click.echo(
        f"On {count(test.n_images)} test images of {count(test.n_patients)} patients, protocol "
        f"{protocol.id}\n"
    )
    for name, of_side in notes.items():
        for note in of_side:
            click.echo(f"Note on {name}: {note}")
    click.echo(_line("", "A", "B", "A - B", "95 % interval", "p"))
    for metric, shown in METRICS.items():
        means = [c.measurements[f"test_{metric}"].mean for c in (pair.first, pair.second)]
        c = compared[metric]
        click.echo(_line(shown, *map(_number, means), *_difference(c.difference, c.interval, c.p)))
        if c.note:
            click.echo(f"  no test for {shown}: {one_line(c.note)}")
    for name, c in of_finding.items():
        click.echo(_line("AUC", "", "", *_difference(c.difference, c.interval, c.p)))
        click.echo(f"  of {one_line(name)} alone{f': no test, {c.note}' if c.note else ''}")
    click.echo("\n" + (_WITH_SEEDS if pair.with_seeds else _WITHOUT_SEEDS))


_WITH_SEEDS = (
    "Intervals and p hold both chances: which patients are in the test set (DeLong's variance, by "
    "patient, the\nsame for A and B) and which seeds were run (t-test, Satterthwaite). F1 at "
    "thresholds as they are. One\ncomparison, so p is not corrected for others."
)
_WITHOUT_SEEDS = (
    "Two trained networks: intervals and p hold the choice of test patients (DeLong's variance, by "
    "patient, the\nsame for A and B), not chance in training. Compare configurations to hold that "
    "too."
)


def _notes(found: Found, compared: Configuration) -> Iterator[str]:
    """What of it is not as the run left it, or as the code is now."""
    if compared.edited_seeds:
        seeds = ", ".join(map(str, compared.edited_seeds))
        yield f"predictions were changed after the run, seed {seeds}; scored as they are"
    if compared.stale:
        yield f"made by another version of the code: {one_line(compared.stale)}"
    if compared.remade:
        yield f"made from rows that have been made anew since, seed {', '.join(compared.remade)}"
    left_out = [str(row.spec.seed) for row in found.done if row.code != compared.code]
    if left_out:
        yield f"seed {', '.join(left_out)} made by another version of the code, left out"


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

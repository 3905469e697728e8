"""`cxr-bench audit`: what is wrong with a prepared set."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.commands.terminal import quiet_builders, say
from benchmark.machine.accelerators import hidden_gpus

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.report.file_shape import ShapeAlone

_COLOURS = {"leak": "red", "suspected": "yellow", "clean": "green"}
_SHOWN = 10
CHANCE = 0.5
"""The AUC of what tells nothing."""


@hidden_gpus()
def audit_dataset(name: str, data_dir: Path, cache_dir: Path, out: Path, *, images: bool) -> int:
    """Audit a set, show what was found and write it as JSON; returns the exit code.

    Args:
        name: ``builder/config``.
        data_dir: TFDS data folder; an embedded set that is not there is made.
        cache_dir: folder of the views.
        out: folder the JSON file goes to.
        images: whether the pixels are looked at, too.
    """
    from benchmark.data.audit.copies import find_copies
    from benchmark.data.audit.findings import examine, gate
    from benchmark.data.prepare import keep_leakage
    from benchmark.records.files import readable_json, write_atomic
    from benchmark.report.file_shape import shape_alone

    prepared = prepared_or_made(name, data_dir, cache_dir)
    copies = find_copies(prepared, cache_dir, show_progress) if images else None
    told = shape_alone(prepared)
    found = {**examine(prepared, copies), "shape_alone": asdict(told)}
    if images:
        keep_leakage(prepared, gate(prepared.manifest(), prepared.facts, copies))
    path = out / f"{prepared.name.replace('/', '-')}.json"
    write_atomic(path, readable_json(found))
    _show(found, told, "a simulated set" if images else "--no-images")
    say(f"All of it: {path}")
    return 1 if found["verdict"] == "leak" else 0


def prepared_or_made(name: str, data_dir: Path, cache_dir: Path) -> Prepared:
    """Facts of a prepared set; an embedded one is made where it is not there."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.data.prepared import NotPrepared, load_prepared

    dataset = find_dataset(name, data_dir)
    try:
        return load_prepared(dataset.name, data_dir)
    except NotPrepared:
        if not dataset.embedded:
            raise
        quiet_builders()
        return prepare(dataset, data_dir, None, cache_dir, show_progress)


def show_progress(what: str, done: int, total: int) -> None:
    """One moving line on a terminal, nothing elsewhere."""
    if sys.stderr.isatty():
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[KAudit: {what} {done:,} of {total:,} images{end}", nl=False, err=True)


def _show(found: dict[str, Any], told: ShapeAlone, why_no_pixels: str) -> None:
    say(f"{found['dataset']} {found['dataset_version']}: {found['images']:,} images")
    for question, answer, details in (*_rows(found), _shape(told)):
        say(f"  {question:<34} {answer}", hang=35)
        for detail in details[:_SHOWN]:
            say(f"    {_plain(detail)}")
        if len(details) > _SHOWN:
            say(f"    ... and {len(details) - _SHOWN} more")
    if found["near"] is None:
        say(f"  The pixels were not looked at ({why_no_pixels}): no copies can be found.")
    click.echo(
        "Leakage status: " + click.style(found["verdict"], fg=_COLOURS[found["verdict"]], bold=True)
    )
    for reason in found["reasons"]:
        say(f"  {_plain(reason)}")


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Question, answer and details of every check."""
    yield "patients in test and elsewhere", _patients(found["shared_patients"][-1]), []
    yield "identical files", *_groups(found["exact"])
    if found["near"] is not None:
        yield "identical pixels, other files", *_groups(found["pixels"])
        yield "copies, or films of one patient", *_groups(found["near"])
        yield "of these, mirrored or turned", *_turned(found["near"]["pairs"])
        yield "alike, to be looked at by eye", *_doubtful(found["doubtful"])
        yield "blank images", f"{len(found['blank']):,}", found["blank"]
    conflicts = found["conflicting_labels"]
    lines = [f"{', '.join(c['findings'])}: {', '.join(c['images'])}" for c in conflicts]
    yield "conflicting labels among these", f"{len(conflicts):,} groups", lines
    moved = [entry for entry in found["prevalence"] if entry["shifted"]]
    tested = sum(entry["p"] is not None for entry in found["prevalence"])
    yield (
        "prevalence shift between splits",
        f"{len(moved):,} of {tested:,} comparisons",
        [_shift(entry) for entry in sorted(moved, key=lambda e: -abs(e["cohen_h"]))],
    )
    refused = [f"{entry['file']}: {entry['reason']}" for entry in found["unreadable"]]
    yield "unreadable files", f"{len(refused):,}", refused
    wrong = found["implausible"]
    lines = [f"{e['problem']}: {e['count']:,}, e.g. {', '.join(e['examples'][:3])}" for e in wrong]
    yield "impossible metadata", f"{len(wrong):,} kinds", lines


def _patients(shared: dict[str, Any]) -> str:
    by = [f"{n:,} {_plain(f)}" for f, n in shared["by_finding"].items() if n]
    by += [f"{shared['no_finding']:,} with no finding"] if shared["no_finding"] else []
    return f"{shared['patients']:,} ({', '.join(by)})" if shared["patients"] else "none"


def _groups(entry: dict[str, Any]) -> tuple[str, list[str]]:
    if not entry["groups"]:
        return "none", []
    answer = (
        f"{entry['groups']:,} groups of {entry['files']:,} files; {entry['across_splits']:,} "
        f"across splits, {entry['several_patients']:,} under several patients"
    )
    torn = [m for m in entry["members"] if len(set(m["splits"])) + len(set(m["patients"])) > 2]
    return answer, [" = ".join(m["images"]) for m in torn]


def _doubtful(pairs: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Of no weight in the status: mostly different patients, now and then an altered copy."""
    if not pairs:
        return "none", []
    across = sum(len(set(pair["splits"])) > 1 for pair in pairs)
    lines = [f"{' ~ '.join(pair['images'])} ({pair['correlation']:.2f})" for pair in pairs]
    return f"{len(pairs):,} pairs of different patients, {across:,} across splits", lines


def _turned(pairs: list[dict[str, Any]]) -> tuple[str, list[str]]:
    found = [pair for pair in pairs if pair["turned"]]
    lines = [f"{' = '.join(pair['images'])} ({pair['turned']})" for pair in found]
    return (f"{len(found):,} pairs" if found else "none"), lines


def _shift(entry: dict[str, Any]) -> str:
    (a, b), (p, q), (low, high) = entry["splits"], entry["prevalence"], entry["interval"]
    return (
        f"{entry['finding']}: {a} {p:.1%}, {b} {q:.1%}; difference {entry['difference']:+.1%} "
        f"[{low:+.1%}, {high:+.1%}], h = {entry['cohen_h']:+.2f}, Holm p = {entry['p_holm']:.2g}"
    )


def _shape(told: ShapeAlone) -> tuple[str, str, list[str]]:
    """Of no weight in the status either: what a network could take for a finding."""
    lines = [
        f"{each.finding}: {each.auc:.3f} [{each.low:.3f}, {each.high:.3f}], {each.images:,} images"
        for each in sorted(told.findings, key=lambda each: -each.auc)
    ]
    lines += [f"too few patients: {', '.join(told.too_few)}"] if told.too_few else []
    above = sum(each.low > CHANCE for each in told.findings)
    answer = f"better than chance for {above} of {len(told.findings)} findings"
    answer += f", on {told.basis}" if told.basis else ""
    return "AUC of the file's shape alone", _plain(told.nothing) or answer, lines


def _plain(text: str) -> str:
    """Text from data without what could move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

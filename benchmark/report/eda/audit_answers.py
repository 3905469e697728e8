"""What an audit found, as questions with answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmark.report.blocks.text import counted, printable


def answers(found: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Question, answer and details of every check."""
    yield "patients in test and elsewhere", _patients(found["shared_patients"][-1]), []
    yield "identical files", *_groups(found["exact"])
    if found["near"] is not None:
        yield "identical pixels, other files", *_groups(found["pixels"])
        yield "copies, or films of one patient", *_groups(found["near"])
        yield "of them mirrored, turned, negative", *_turned(found["near"]["pairs"])
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
    yield "impossible metadata", counted(len(wrong), "kind"), lines


def _patients(shared: dict[str, Any]) -> str:
    by = [f"{n:,} {printable(f)}" for f, n in shared["by_finding"].items() if n]
    by += [f"{shared['no_finding']:,} with no finding"] if shared["no_finding"] else []
    return f"{shared['patients']:,} ({', '.join(by)})" if shared["patients"] else "none"


def _groups(entry: dict[str, Any]) -> tuple[str, list[str]]:
    if not entry["groups"]:
        return "none", []
    answer = (
        f"{counted(entry['groups'], 'group')} of {entry['files']:,} files; "
        f"{entry['across_splits']:,} across splits, "
        f"{entry['several_patients']:,} under several patients"
    )
    torn = [m for m in entry["members"] if len(set(m["splits"])) + len(set(m["patients"])) > 2]
    return answer, [" = ".join(m["images"]) for m in torn]


def _doubtful(pairs: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Of no weight in the status: mostly different patients, now and then an altered copy."""
    if not pairs:
        return "none", []
    across = sum(len(set(pair["splits"])) > 1 for pair in pairs)
    lines = [f"{' ~ '.join(pair['images'])} ({pair['correlation']:.2f})" for pair in pairs]
    return f"{counted(len(pairs), 'pair')} of different patients, {across:,} across splits", lines


def _turned(pairs: list[dict[str, Any]]) -> tuple[str, list[str]]:
    found = [pair for pair in pairs if pair["turned"]]
    lines = [f"{' = '.join(pair['images'])} ({pair['turned']})" for pair in found]
    return (counted(len(found), "pair") if found else "none"), lines


def _shift(entry: dict[str, Any]) -> str:
    (a, b), (p, q), (low, high) = entry["splits"], entry["prevalence"], entry["interval"]
    return (
        f"{entry['finding']}: {a} {p:.1%}, {b} {q:.1%}; difference {entry['difference']:+.1%} "
        f"[{low:+.1%}, {high:+.1%}], h = {entry['cohen_h']:+.2f}, Holm p = {entry['p_holm']:.2g}"
    )

"""Lung segmentation: tables of its own, never beside those of classifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.legacy import claims_about
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.report.text import UNDEFINED, count, duration, interval, number, plain, table
from benchmark.scoring.overlap import ALL, OVERLAPS
from benchmark.scoring.stored import stored_scores

HEADERS = {"dice": "Dice", "iou": "IoU", "pixel_accuracy": "Pixel accuracy"}


@dataclass(frozen=True)
class MaskTable:
    """Segmentation rows that share protocol and watermarks.

    Attributes:
        runs: finished rows with their scores, by falling test Dice.
        stopped: rows that failed or could not run.
    """

    protocol: dict
    watermarks: tuple[str, ...]
    runs: tuple[tuple[Row, dict], ...]
    stopped: tuple[Row, ...]


def gather_masks(results: Results) -> list[MaskTable]:
    """All segmentation tables of a results folder, full ones first.

    Raises:
        UserError: a row or mask file is missing or damaged; it is named.
    """
    together: dict[tuple, list[Row]] = defaultdict(list)
    for row in filter(is_segmentation, results.rows()):
        together[tuple(row["watermarks"]), row["protocol"]["id"]].append(row)
    return [_table(results, marks, rows) for (marks, _), rows in sorted(together.items())]


def _table(results: Results, watermarks: tuple[str, ...], rows: list[Row]) -> MaskTable:
    runs = [(row, stored_scores(results, row)) for row in rows if row["status"] == "done"]
    runs.sort(key=lambda run: (-_test(run)[ALL]["dice"], run[0]["cell_id"]))
    stopped = tuple(row for row in rows if row["status"] != "done")
    return MaskTable(rows[0]["protocol"], watermarks, tuple(runs), stopped)


def _test(run: tuple[Row, dict]) -> dict[str, dict]:
    return run[1]["splits"]["test"]


def mask_sections(tables: Sequence[MaskTable], *, cost: bool) -> list[str]:
    """Markdown lines; none without tables."""
    if not tables:
        return []
    lines = [
        "## Lung segmentation",
        "",
        "Networks that predict a mask of the lungs, against the mean training mask. Every number "
        "is a mean over test images, with a 95 % interval from drawing the patients anew; chosen "
        "by Dice on validation. Not a ranking: one line is one run.",
        "",
    ]
    for each in tables:
        lines += _section(each, cost=cost)
    return lines


def _section(each: MaskTable, *, cost: bool) -> list[str]:
    protocol = each.protocol
    title = f"{plain(protocol['dataset'])} {plain(protocol['dataset_version'])}"
    title += f", {protocol['mask_size']} px"
    lines = [f"### {': '.join([title, *(f'**{plain(mark)}**' for mark in each.watermarks)])}", ""]
    lines += [
        f"- **Lung is**: {plain(protocol['mask_definition'])}",
        f"- **Split**: {plain(protocol['split'])}",
        f"- **Rendition**: {plain(protocol['rendition'])}",
        f"- **Protocol**: `{protocol['id']}`",
        "",
    ]
    for group in _test(each.runs[0]) if each.runs else ():
        lines += _group(each, group, cost=cost)
    lines += _claims(each)
    lines += [
        f"- Not finished: {plain(row['cell']['model'])}, {plain(row['error']['reason'])}"
        for row in each.stopped
    ]
    return [*lines, ""] if each.stopped else lines


def _claims(each: MaskTable) -> list[str]:
    """What sources say of these networks, on images of their own."""
    models = sorted({row["cell"]["model"] for row, _ in each.runs})
    said = [
        f"- {source} says of {plain(model)}: {plain(claim.text)}."
        for model in models
        for source, claim in claims_about(model)
    ]
    return [*said, ""] if said else []


def _group(each: MaskTable, group: str, *, cost: bool) -> list[str]:
    first = _test(each.runs[0])[group]
    which = "All test images" if group == ALL else f"Test images of pairing *{plain(group)}*"
    people = f"{count(first['n_images'])} images of {count(first['n_patients'])} patients"
    header = ["Model", "Seed", *HEADERS.values(), "Dice on validation", "Parameters", "Best epoch"]
    rows = [_line(run, group) for run in each.runs]
    if cost:
        header.append("Training")
        rows = [
            [*line, duration(row["phases"]["train"])]
            for line, (row, _) in zip(rows, each.runs, strict=True)
        ]
    return [f"{which}: {people}.", "", *table(header, rows, "lr" + "r" * (len(header) - 2))]


def _line(run: tuple[Row, dict], group: str) -> list[str]:
    row, scores = run
    measured = _test(run)[group]
    cells = [
        f"{number(measured[name])}<br>{interval(*measured['intervals'][name])}" for name in HEADERS
    ]
    history = row["history"]
    best = f"{history['best_epoch'] + 1} of {len(history['loss'])}" if history else UNDEFINED
    validation = scores["splits"]["validation"].get(group, {}).get("dice")
    return [
        plain(row["cell"]["model"]),
        str(row["cell"]["seed"]),
        *cells,
        number(validation),
        count(row["model"]["parameters"]),
        best,
    ]


def mask_entries(tables: list[MaskTable], *, cost: bool) -> list[dict[str, Any]]:
    """Every finished run as plain values, numbers unrounded."""
    return [_entry(each, run, cost=cost) for each in tables for run in each.runs]


def _entry(each: MaskTable, run: tuple[Row, dict], *, cost: bool) -> dict[str, Any]:
    row, scores = run
    spent = {"train_seconds": row["phases"]["train"]} if cost else {}
    return {
        "protocol": each.protocol,
        "watermarks": list(each.watermarks),
        "cell_id": row["cell_id"],
        "model": row["cell"]["model"],
        "resolution": row["cell"]["resolution"],
        "seed": row["cell"]["seed"],
        "parameters": row["model"]["parameters"],
        "splits": scores["splits"],
        **spent,
    }


def mask_lines(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Flat lines for a CSV file: one for each run, split and group of images."""
    return [
        {
            "protocol_id": entry["protocol"]["id"],
            "dataset": entry["protocol"]["dataset"],
            "watermarks": "|".join(entry["watermarks"]),
            **{key: entry[key] for key in ("cell_id", "model", "resolution", "seed")},
            "split": split,
            "images_of": group,
            **{key: value for key, value in measured.items() if key != "intervals"},
            **_limits(measured.get("intervals", {})),
        }
        for entry in entries
        for split, groups in entry["splits"].items()
        for group, measured in groups.items()
    ]


def _limits(intervals: dict[str, list[float]]) -> dict[str, float]:
    ends = {name: intervals.get(name, ("", "")) for name in OVERLAPS}
    return {
        f"{name}_{end}": value
        for name, pair in ends.items()
        for end, value in zip(("low", "high"), pair, strict=True)
    }

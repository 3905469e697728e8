"""Lung segmentation: tables of its own, never beside those of classifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.legacy import claims_about
from benchmark.records.row import ProtocolFacts, Row
from benchmark.records.scores import MaskGroup, MaskScores
from benchmark.records.store import Results
from benchmark.report.environments import differences
from benchmark.report.notes import CHANGED, STALE, mixed, stale, why_stopped
from benchmark.report.text import UNDEFINED, count, duration, interval, number, plain, table
from benchmark.report.versions import Versions
from benchmark.scoring.overlap import ALL
from benchmark.scoring.stored import stored_mask_scores

HEADERS = {"dice": "Dice", "iou": "IoU", "pixel_accuracy": "Pixel accuracy"}


@dataclass(frozen=True)
class MaskRun:
    """One finished row and its scores, from the prediction file as it is now.

    Attributes:
        stale: in which components the code has other versions now; empty for the current one.
    """

    row: Row
    scores: MaskScores
    stale: str

    @property
    def test(self) -> dict[str, MaskGroup]:
        """The groups of the test split."""
        return self.scores.splits["test"]

    @property
    def edited(self) -> bool:
        """True where the prediction file is not the one that the run wrote."""
        return self.scores.predictions_sha256 != self.row.predictions_sha256

    @property
    def train_seconds(self) -> float | None:
        """Training time."""
        return self.row.phases.get("train")


@dataclass(frozen=True)
class MaskTable:
    """Segmentation rows that share protocol and watermarks.

    Attributes:
        runs: finished rows with their scores, by falling test Dice.
        stopped: rows that failed or could not run.
    """

    protocol: ProtocolFacts
    watermarks: tuple[str, ...]
    runs: tuple[MaskRun, ...]
    stopped: tuple[Row, ...]


def gather_masks(results: Results, rows: Sequence[Row] | None = None) -> list[MaskTable]:
    """All segmentation tables of a results folder, full ones first.

    Args:
        results: the folder.
        rows: all that are in it, where they have been read already.

    Raises:
        UserError: a row or mask file is missing or damaged; it is named.
    """
    versions = Versions()
    together: dict[tuple, list[Row]] = defaultdict(list)
    for row in results.rows() if rows is None else rows:
        if row.holds_masks:
            together[tuple(row.watermarks), row.protocol.id].append(row)
    return [_table(results, versions, marks, of) for (marks, _), of in sorted(together.items())]


def _table(
    results: Results, versions: Versions, watermarks: tuple[str, ...], rows: list[Row]
) -> MaskTable:
    runs = [
        MaskRun(row, stored_mask_scores(results, row), versions.stale(row))
        for row in rows
        if row.done
    ]
    runs.sort(key=lambda run: (-run.test[ALL].overlaps["dice"], run.row.spec_id))
    stopped = tuple(row for row in rows if not row.done)
    return MaskTable(rows[0].protocol, watermarks, tuple(runs), stopped)


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
    title = f"{plain(protocol.dataset)} {plain(protocol.dataset_version)}"
    title += f", {protocol.mask_size} px"
    lines = [f"### {': '.join([title, *(f'**{plain(mark)}**' for mark in each.watermarks)])}", ""]
    lines += [
        f"- **Lung is**: {plain(protocol.mask_definition)}",
        f"- **Split**: {plain(protocol.split)}",
        f"- **Rendition**: {plain(protocol.rendition)}",
        f"- **Protocol**: `{protocol.id}`",
        "",
    ]
    for group in sorted(each.runs[0].test, key=_all_first) if each.runs else ():
        lines += _group(each, group, cost=cost)
    lines += _claims(each)
    notes = _notes(each)
    return [*lines, *notes, *([""] if notes else [])]


def _all_first(group: str) -> tuple[bool, str]:
    return group != ALL, group


def _notes(each: MaskTable) -> list[str]:
    notes = [f"- {stale(run.stale)}: {_named(run)}." for run in each.runs if run.stale]
    notes += [f"- {CHANGED}: {_named(run)}." for run in each.runs if run.edited]
    differ = differences(run.row for run in each.runs)
    notes += [f"- Trained in more than one environment: {mixed(differ)}."] if differ else []
    return notes + [
        f"- Not finished: {plain(row.spec.model)}, {plain(why_stopped(row))}"
        for row in each.stopped
    ]


def _named(run: MaskRun) -> str:
    return f"{plain(run.row.spec.model)}, seed {run.row.spec.seed}"


def _claims(each: MaskTable) -> list[str]:
    """What sources say of these networks, on images of their own."""
    models = sorted({run.row.spec.model for run in each.runs})
    said = [
        f"- {source} says of {plain(model)}: {plain(claim.text)}."
        for model in models
        for source, claim in claims_about(model)
    ]
    return [*said, ""] if said else []


def _group(each: MaskTable, group: str, *, cost: bool) -> list[str]:
    first = each.runs[0].test[group]
    which = "All test images" if group == ALL else f"Test images of pairing *{plain(group)}*"
    people = f"{count(first.n_images)} images of {count(first.n_patients)} patients"
    header = ["Model", "Seed", *HEADERS.values(), "Dice on validation", "Parameters", "Best epoch"]
    rows = [_line(run, group) for run in each.runs]
    if cost:
        header.append("Training")
        rows = [
            [*line, duration(run.train_seconds)] for line, run in zip(rows, each.runs, strict=True)
        ]
    return [f"{which}: {people}.", "", *table(header, rows, "lr" + "r" * (len(header) - 2))]


def _line(run: MaskRun, group: str) -> list[str]:
    row, measured = run.row, run.test[group]
    cells = [
        f"{number(measured.overlaps[name])}<br>{interval(*measured.intervals[name])}"
        for name in HEADERS
    ]
    history = row.history
    best = f"{history.best_epoch + 1} of {len(history.loss)}" if history else UNDEFINED
    validation = run.scores.splits["validation"].get(group)
    signs = (" †" if run.edited else "") + (f" {STALE}" if run.stale else "")
    return [
        plain(row.spec.model) + signs,
        str(row.spec.seed),
        *cells,
        number(validation and validation.overlaps["dice"]),
        count(row.model.parameters),
        best,
    ]

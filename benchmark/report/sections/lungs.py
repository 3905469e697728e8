"""Lung segmentation: tables of its own, never beside those of classifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark.errors import UserError
from benchmark.protocols.legacy import claims_about
from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row
from benchmark.records.scores import MaskGroup, MaskScores
from benchmark.records.store import Results
from benchmark.records.timing import training_seconds
from benchmark.report.blocks.content import Code, Content, Emphasis, Strong, joined
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Facts,
    Heading,
    Paragraph,
    notes,
    text_column,
)
from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import Cell, Measurement, Value, seconds
from benchmark.report.columns import STALE
from benchmark.report.gathering.environments import differences
from benchmark.report.gathering.places import watermarks
from benchmark.report.gathering.stopped import why_stopped
from benchmark.report.gathering.versions import Versions
from benchmark.report.sections.notes import CHANGED, mixed, stale
from benchmark.scoring.overlap import ALL
from benchmark.scoring.stored import scored, stored_mask_scores

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
        return training_seconds(self.row)

    @property
    def signs(self) -> str:
        """What its name bears in tables."""
        return (" †" if self.edited else "") + (f" {STALE}" if self.stale else "")

    @property
    def best_epoch(self) -> Value:
        """The epoch that was kept, of how many; None of what is not trained by epochs."""
        history = self.row.history
        if history is None:
            return None
        return Cell(f"{history.best_epoch + 1} of {len(history.loss)}", history.best_epoch + 1)

    def measured(self, group: str, name: str) -> Measurement:
        """An overlap on a group of test images."""
        found = self.test[group]
        limits = (found.intervals or {}).get(name, (None, None))
        return Measurement(found.overlaps[name], None, *limits)


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


def gather_masks(
    results: Results, rows: Sequence[Row] | None = None, left_out: list[UserError] | None = None
) -> list[MaskTable]:
    """All segmentation tables of a results folder, full ones first.

    Args:
        results: the folder.
        rows: all that are in it, where they have been read already.
        left_out: takes what is wrong with rows that cannot be used, or mask files.
    """
    versions = Versions()
    together: dict[tuple, list[Row]] = defaultdict(list)
    for row in results.rows() if rows is None else rows:
        if row.holds_masks:
            together[watermarks(row), row.protocol.id].append(row)
    tables = []
    for (marks, _), of_one in sorted(together.items()):
        found = scored(results, of_one, stored_mask_scores, left_out)
        runs = [MaskRun(row, scores, versions.stale(row)) for row, scores in found]
        runs.sort(key=lambda run: (-run.test[ALL].overlaps["dice"], run.row.spec_id))
        stopped = tuple(row for row in of_one if not row.done)
        if runs or stopped:
            tables.append(MaskTable(of_one[0].protocol, marks, tuple(runs), stopped))
    return tables


def mask_sections(tables: Sequence[MaskTable], *, cost: bool) -> list[Block]:
    """All tables of masks with what belongs to them; nothing without tables."""
    if not tables:
        return []
    said = (
        "Networks that predict a mask of the lungs, against the mean training mask. Every number "
        "is a mean over test images, with a 95 % interval from the bootstrap over patients; chosen "
        "by Dice on validation. Not a ranking: one line is one run."
    )
    sections = (block for each in tables for block in _section(each, cost=cost))
    return [Heading(2, "Lung segmentation"), Paragraph(said), *sections]


def _section(each: MaskTable, *, cost: bool) -> list[Block]:
    protocol = each.protocol
    facts: dict[str, Content] = {
        "Lung is": protocol.mask_definition or "",
        "Split": protocol.split,
        "Image source": protocol.image_source,
        "Protocol": Code(protocol.id),
    }
    blocks: list[Block] = [
        Heading(3, mask_title(each)),
        Facts(tuple(facts.items())),
    ]
    for group in sorted(each.runs[0].test, key=_all_first) if each.runs else ():
        blocks += _group(each, group, cost=cost)
    return [*blocks, *notes(_claims(each)), *notes(_remarks(each))]


def mask_title(each: MaskTable) -> Content:
    """What a table is called, with its watermarks."""
    protocol = each.protocol
    name = f"{protocol.dataset} {protocol.dataset_version}, {protocol.mask_size} px"
    return joined(": ", [name, *map(Strong, each.watermarks)])


def _all_first(group: str) -> tuple[bool, str]:
    return group != ALL, group


def _remarks(each: MaskTable) -> Iterator[Content]:
    yield from ((stale(run.stale), f": {_named(run)}.") for run in each.runs if run.stale)
    yield from (f"{CHANGED}: {_named(run)}." for run in each.runs if run.edited)
    if differ := differences(run.row for run in each.runs):
        yield f"Trained in more than one environment: {mixed(differ)}."
    yield from (f"Not finished: {row.spec.model}, {why_stopped(row)}" for row in each.stopped)


def _named(run: MaskRun) -> str:
    return f"{run.row.spec.model}, seed {run.row.spec.seed}"


def _claims(each: MaskTable) -> list[Content]:
    """What sources say of these networks, on images of their own."""
    models = sorted({run.row.spec.model for run in each.runs})
    return [
        f"{source} says of {model}: {claim.text}."
        for model in models
        for source, claim in claims_about(model)
    ]


def _group(each: MaskTable, group: str, *, cost: bool) -> list[Block]:
    shown = [column for column in mask_columns(group) if cost or not column.cost]
    return [
        Paragraph(measured_on(each, group)),
        DataTable.of(shown, each.runs),
    ]


def measured_on(each: MaskTable, group: str) -> Content:
    """The test images of a group."""
    first = each.runs[0].test[group]
    unknown = each.runs[0].row.dataset.patients_unknown
    people = f"{count(first.n_images)} images{of_patients(first.n_patients, unknown=unknown)}"
    if group == ALL:
        return f"All test images: {people}."
    return "Test images of pairing ", Emphasis(group), f": {people}."


def mask_columns(group: str) -> list[Column[MaskRun]]:
    """The columns of a table of runs on a group of test images."""

    def overlap(name: str) -> Column[MaskRun]:
        return Column(f"test_{name}", HEADERS[name], lambda run: run.measured(group, name))

    def validation(run: MaskRun) -> Value:
        found = run.scores.splits["validation"].get(group)
        return found.overlaps["dice"] if found else None

    return [
        text_column("Model", lambda run: run.row.spec.model + run.signs, "model"),
        Column("seed", "Seed", lambda run: Cell(str(run.row.spec.seed), run.row.spec.seed)),
        *map(overlap, HEADERS),
        Column("validation_dice", "Dice on validation", validation),
        Column("parameters", "Parameters", lambda run: run.row.model.parameters),
        Column("best_epoch", "Best epoch", lambda run: run.best_epoch),
        Column("train_seconds", "Training", lambda run: seconds(run.train_seconds), cost=True),
    ]

"""The page of the exploratory analysis, as blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.facts import SetFacts
from benchmark.records.predictions import SPLITS
from benchmark.report.blocks.content import Link
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Facts,
    Heading,
    Page,
    Paragraph,
    Picture,
    text_column,
)
from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import Cell
from benchmark.report.eda.file_shape import ShapeAlone
from benchmark.report.eda.statistics import Statistic, values_of
from benchmark.report.render.html import slug

if TYPE_CHECKING:
    import pandas as pd


def page(
    name: str,
    facts: SetFacts,
    manifest: pd.DataFrame,
    body: Iterable[Block],
    *,
    verdict: Iterable[Block] = (),
    numbers: str = "",
    trail: Iterable[Link] = (),
) -> Page:
    """The document.

    Args:
        name: of the set.
        facts: what the builder says of it.
        manifest: one line an image.
        body: made with the other functions of this module.
        verdict: what an audit found, in a line.
        numbers: the file beside the page that holds all numbers.
        trail: links to the pages above.
    """
    body = list(body)
    who = of_patients(manifest["patient_id"].nunique(), unknown=facts.patients_unknown)
    files = Paragraph((f"{count(len(manifest))} images{who}. All numbers: ",
                       Link(numbers, numbers), "."))  # fmt: skip
    head = [Heading(1, f"{name}: what is in it"), *verdict, *_notices(facts), files]
    contents = [
        Link(f"#{slug(text)}", text)
        for block in body
        if isinstance(block, Heading) and isinstance(text := block.content, str)
    ]
    blocks = [*head, *_overview(facts, manifest), *body]
    return Page(f"{name}: data set", blocks, list(trail), contents)


def section(title: str, explanation: str, *blocks: Block) -> list[Block]:
    """A heading, what is to be seen, and figures or tables."""
    return [Heading(2, title), Paragraph(explanation), *blocks]


def picture(file: str, alt: str, *, broad: bool = True) -> Picture:
    """A figure beside the page; one that is not broad shrinks with the screen."""
    return Picture(file, alt, alt, broad)


def counts_table(rows: list[Statistic], findings: list[str]) -> DataTable:
    """Positive images, patients and prevalence of every finding and split."""
    value = values_of(rows)

    def of(split: str) -> Iterator[Column[str]]:
        images, share = f"{split}: images", f"{split}: %"
        yield Column(images, images, lambda f: int(value[f, split, "positive images"]))
        yield Column(share, share, lambda f: _number(100 * value[f, split, "prevalence"]))

    name: Column[str] = text_column("Finding", lambda f: f)
    return DataTable.of([name, *chain.from_iterable(map(of, SPLITS))], findings)


def effects_table(rows: list[Statistic]) -> DataTable:
    """Effect sizes with their intervals."""
    columns: list[Column[Statistic]] = [
        text_column("Finding", lambda r: r.finding),
        text_column("Against", lambda r: r.of),
        text_column("Measure", lambda r: r.measure),
        Column("value", "Value", lambda r: _number(r.value)),
        Column("interval", "95 % interval", _limits),
        Column("images", "Images", lambda r: r.images),
    ]
    return DataTable.of(columns, rows)


def shape_section(told: ShapeAlone, rows: list[Statistic]) -> list[Block]:
    """What can be told of the findings without opening a file."""
    title = "AUC of the file's shape alone"
    if told.nothing:
        return section(title, f"It tells nothing: {told.nothing}")
    said = (
        "Width, height, aspect ratio, pixel spacing, bit depth and bytes a pixel of the original "
        "files, by logistic regression (the model geometry_only), each image scored by one that "
        "was fitted to other patients. What is clearly above 0.5 is a shortcut: resizing to a "
        "square leaves the aspect ratio in the anatomy, and the size in the sharpness."
    )
    few = f"Too few patients for {', '.join(told.too_few)}. " if told.too_few else ""
    basis = f"Measured on {told.basis}. " if told.basis else ""
    return section(title, f"{basis}{said} {few}".strip(), *([effects_table(rows)] if rows else []))


def _notices(facts: SetFacts) -> Iterator[Block]:
    if not facts.redistributable:
        yield _notice(
            "This data set may not be passed on. Keep this page on your machine: it must stay "
            "local, and so must everything in its folder."
        )
    if facts.fraction < 1:
        yield _notice(
            f"A part of the set: {facts.fraction:.1%} of the {count(facts.listed)} images "
            "that its tables list. Shares here are those of this part."
        )
    if facts.simulated:
        yield _notice("Simulated images: nothing here is about real patients.")


def _notice(text: str) -> Paragraph:
    return Paragraph(text, notice=True)


def _overview(facts: SetFacts, manifest: pd.DataFrame) -> list[Block]:
    by_split = manifest.groupby("split")["patient_id"]
    images, patients = by_split.size(), by_split.nunique()
    columns: list[Column[str]] = [
        text_column("Split", lambda split: split),
        Column("images", "Images", lambda split: int(images.get(split, 0))),
    ]
    if not facts.patients_unknown:
        columns.append(Column("patients", "Patients", lambda split: int(patients.get(split, 0))))
    said = {
        "Labels": facts.label_version,
        "Split": facts.split_source,
        "Licence": facts.licence,
        "Citation": facts.citation,
    }
    entries = tuple((name, text) for name, text in said.items() if text)
    return [Facts(entries, as_table=True), DataTable.of(columns, SPLITS, sortable=False)]


def _number(value: float) -> Cell | None:
    return None if np.isnan(value) else Cell(_decimals(value), value)


def _limits(row: Statistic) -> Cell | None:
    if np.isnan(row.low):
        return None
    return Cell(f"{_decimals(row.low)} to {_decimals(row.high)}", row.low)


def _decimals(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")

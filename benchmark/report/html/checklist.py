"""What a reviewer asks for, answered from the records as far as they go, a sheet per suite.

The items are those of CLAIM (Mongan, Moy and Kahn 2020, doi:10.1148/ryai.2020200029) and of
TRIPOD+AI (Collins et al. 2024, doi:10.1136/bmj-2023-078378) that a study of this kind has to
answer, in our own words; the numbers are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmark.records.store import Results
from benchmark.report.blocks.content import BREAK, Content, Emphasis, Link, Open, joined
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Heading,
    Page,
    Paragraph,
    text_column,
)
from benchmark.report.html import checklist_data as data
from benchmark.report.html import checklist_runs as runs
from benchmark.report.html.names import file_name
from benchmark.report.html.suite_page import SuiteRows

AUTHOR = "for the author to fill in"
MISSING = "not recorded"
Answer = Callable[[SuiteRows, Results], Iterable[Content]]


@dataclass(frozen=True)
class Item:
    """One question.

    Attributes:
        asked: what is to be reported.
        claim, tripod: numbers of the items it covers; empty where there is none.
        answer: lines from the records; None where the records can never tell.
        author: what is left for the author beyond them, empty for nothing.
    """

    asked: str
    claim: str
    tripod: str
    answer: Answer | None
    author: str = ""


SHEET: dict[str, tuple[Item, ...]] = {
    "Introduction": (
        Item("Clinical background, intended use and users", "3", "3", None, "all"),
        Item("Objectives and hypotheses", "4, 6", "4", data.objectives, "hypotheses"),
    ),
    "Data": (
        Item("Prospective or retrospective", "5", "5", data.existing_images),
        Item("Data source", "7", "5", data.source),
        Item("Dates and places of collection", "8", "5, 6", None),
        Item("Inclusion and exclusion", "8, 10", "6", data.inclusion,
             "criteria of the source itself"),
        Item("Preparation of the images", "9", "7", data.preparation),
        Item("De-identification", "12", "", None, "as the source describes it"),
        Item("Missing data", "13", "11", data.missing),
        Item("Reference standard: definition and source", "14-17", "8", data.reference,
             "who labelled, how, with what training"),
        Item("Variability of the reference standard", "18", "8", None),
        Item("Predictors", "11", "9", data.predictors),
        Item("Sample size", "19", "10", data.sizes, "why this size"),
        Item("Characteristics of the patients", "34", "20", data.patients),
        Item("Splits, and at which level they are disjoint", "20, 21", "16", data.splits),
        Item("Class imbalance", "", "13", data.imbalance),
    ),
    "Models and training": (
        Item("Models", "22", "22", runs.models),
        Item("Ensembles", "27", "22", runs.ensembles),
        Item("Software", "23", "12", runs.software),
        Item("Initial weights", "24", "", runs.weights),
        Item("Training", "25", "12", runs.training),
        Item("Hyperparameters and choice of the final model", "25, 26", "12", runs.selection,
             "how a recipe without a name was chosen"),
        Item("Seeds and reproducibility", "30", "", runs.seeds),
        Item("Hardware and cost", "", "", runs.hardware),
    ),
    "Evaluation": (
        Item("Metrics and thresholds", "28", "12, 15", runs.metrics),
        Item("Uncertainty and comparisons", "29, 36", "12, 23", runs.uncertainty),
        Item("Performance on every split", "35", "23", runs.performance),
        Item("Overfitting", "", "12", runs.overfitting),
        Item("Calibration", "28", "12", runs.calibration),
        Item("Subgroups and fairness", "30, 34", "3, 14, 23", runs.subgroups_known),
        Item("External validation", "32", "16", runs.external),
        Item("Explanations of the output", "31", "", runs.explanations),
        Item("Failures", "37", "", runs.failures, "what the wrong decisions have in common"),
    ),
    "Discussion and statements": (
        Item("Limitations and bias", "38", "26", runs.limitations, "of the study itself"),
        Item("Implications for practice", "39", "25, 27", None, "all"),
        Item("Ethics approval and consent", "8", "17", None, "all"),
        Item("Registration and protocol", "40, 41", "18", None, "all"),
        Item("Funding and conflicts of interest", "42", "18", None, "all"),
        Item("Patient and public involvement", "", "19", None, "all"),
        Item("Availability of the data", "41", "18", runs.data_available),
        Item("Availability of code and models", "23, 41", "18", runs.code_available),
    ),
}  # fmt: skip


def checklist_page(suite: SuiteRows, results: Results) -> Page:
    """The sheet of a suite as a page."""
    columns: list[Column[Item]] = [
        text_column("Item", lambda item: item.asked),
        text_column("CLAIM", lambda item: item.claim),
        text_column("TRIPOD+AI", lambda item: item.tripod),
        text_column("Answer", lambda item: _answer(item, suite, results)),
    ]
    said = (
        "What CLAIM and TRIPOD+AI ask for, filled in from the records of this suite. ",
        Emphasis("Not recorded"),
        ": the records do not hold it. ",
        Emphasis("For the author"),
        ": no record can. A filled line is a fact of the runs, not a judgement that it suffices.",
    )
    blocks: list[Block] = [
        Heading(1, f"Reporting checklist: {suite.title or suite.name}"),
        Paragraph(said),
    ]
    for title, items in SHEET.items():
        blocks += [Heading(2, title), DataTable.of(columns, items, sortable=False)]
    home = f"{file_name(suite.name)}.html"
    trail = [Link("../index.html", "cxr-bench"), Link(home, f"suite {suite.name}")]
    return Page(f"Reporting checklist of suite {suite.name}", blocks, trail, root="../")


def _answer(item: Item, suite: SuiteRows, results: Results) -> Content:
    said: list[Content] = list(item.answer(suite, results)) if item.answer else []
    if item.author:
        said.append(Open(AUTHOR if item.author == "all" else f"{AUTHOR}: {item.author}"))
    return joined(BREAK, said or [Open(MISSING)])

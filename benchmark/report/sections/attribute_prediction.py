"""The findings beside what else can be read from the same images: a table a data set.

Where a field goes together with a finding and a model can read it, it may use it; the AUC of
the finding alone does not show which. Nothing here is ranked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import methodcaller

from msgspec.structs import replace

from benchmark.records.scores import SplitScores
from benchmark.report.blocks.content import BREAK, Content, Emphasis, Link
from benchmark.report.blocks.tables import Block, Column, DataTable, Heading, Paragraph, text_column
from benchmark.report.blocks.text import count
from benchmark.report.blocks.values import Cell, Value, marked
from benchmark.report.columns import tested_auc
from benchmark.report.gathering.configuration import MIN_SEEDS, Configuration
from benchmark.report.gathering.labels import labels, likeness
from benchmark.report.gathering.table import Table
from benchmark.spec import LUNGS, PUBLISHED, Spec

TITLE = "Attribute prediction: what else can be read from the same images"
INPUTS = {
    "raw": "Whole image",
    "lung_masked": "Lungs alone",
    "lung_cropped": "Box of the lungs",
    "lungs_removed": "Without lungs",
}
"""Preprocessing variant -> the column that says what of the image the model saw."""
METADATA = "Metadata alone"
FINDINGS = "findings"
_DATA = ("manifest_sha256", "protocol", "seed", "preprocessing")


@dataclass(frozen=True)
class Asked:
    """One question to the images of a data set, and one model's answers.

    Attributes:
        question: ``findings``, or the attribute that is predicted.
        table: where the answers stand in the leaderboard.
        model: name of the model, with what tells it from others.
        answers: column -> configuration; see :data:`INPUTS` and :data:`METADATA`.
    """

    question: str
    table: Table
    model: str
    answers: dict[str, Configuration]

    @property
    def answer(self) -> Configuration:
        """Some answer: all are about the same test images."""
        return next(iter(self.answers.values()))

    @property
    def tested(self) -> SplitScores:
        """Scores of the test images."""
        return self.answer.runs[0].scores.splits["test"]

    @property
    def patients(self) -> int | None:
        """Patients of the test images; None where nobody knows which images are of one."""
        return None if self.table.dataset.patients_unknown else self.tested.n_patients


@dataclass(frozen=True)
class PredictedAttributes:
    """A data set from whose images attributes were predicted.

    Attributes:
        dataset: its name and version.
        asked: the findings first, then the attributes, a line a model.
    """

    dataset: str
    asked: tuple[Asked, ...]


def predicted_attributes(tables: Sequence[Table]) -> list[PredictedAttributes]:
    """Every such data set of full tables, in their order."""
    together: dict[tuple, list[Table]] = defaultdict(list)
    for each in tables:
        protocol = each.split_protocol
        if not each.watermarks and (protocol.asks_findings or protocol.attribute):
            together[_images(each)].append(each)
    found = [
        PredictedAttributes(" ".join(key[:2]), tuple(_asked(of_one)))
        for key, of_one in together.items()
        if any(each.split_protocol.attribute for each in of_one)
    ]
    return [each for each in found if each.asked]


def _images(each: Table) -> tuple[str, str, str]:
    """What the tables of one section share."""
    return each.protocol.dataset, each.protocol.dataset_version, each.protocol.image_source


def _asked(tables: list[Table]) -> Iterator[Asked]:
    asked = [t for t in tables if t.split_protocol.attribute]
    specs = {_model(c.spec): c.spec for t in asked for c in t.configurations}
    same = {"preprocessing": "", "protocol": PUBLISHED}  # columns and lines have these
    names = labels({key.hex(): replace(spec, **same) for key, spec in specs.items()})
    for each in sorted(tables, key=_order):
        answers: dict[bytes, dict[str, Configuration]] = defaultdict(dict)
        for c in each.configurations:
            if not c.differs:
                answers[_model(c.spec)][_column(c.spec)] = c
        metadata = next(({METADATA: a[METADATA]} for a in answers.values() if METADATA in a), {})
        for model in sorted(answers.keys() & specs.keys(), key=lambda m: names[m.hex()]):
            of_model = answers[model]
            shown = {name: of_model[name] for name in INPUTS.values() if name in of_model}
            if shown:
                question = each.split_protocol.attribute or FINDINGS
                yield Asked(question, each, names[model.hex()], shown | metadata)


def _order(each: Table) -> tuple[bool, int, str]:
    protocol = each.split_protocol
    return bool(protocol.attribute), protocol.place, each.protocol.id


def _column(spec: Spec) -> str:
    if spec.model == "metadata_only":
        return METADATA
    return INPUTS.get(spec.preprocessing, "") if spec.resolution else ""


def _model(spec: Spec) -> bytes:
    """What the answers of one line share."""
    shared = replace(spec, requires={r: v for r, v in spec.requires.items() if r != LUNGS})
    return likeness(shared, *_DATA)


def attribute_section(found: Sequence[PredictedAttributes]) -> list[Block]:
    """A table a data set; nothing without any."""
    if not found:
        return []
    blocks: list[Block] = [
        Heading(2, TITLE, "attribute-prediction"),
        Paragraph(
            (
                "Test AUC of the findings, and of a metadata field that the same model was trained "
                "to read from the same images (",
                Emphasis("attribute prediction"),
                "), each from what of the image it saw and, for ",
                Emphasis("metadata alone"),
                ", from age, sex and view, without the field that is asked for. An AUC of 0.5 is "
                "guessing. A field that is read well and goes together with a finding is a way to "
                "score without looking at the disease; so is a finding that is read without lungs. "
                "Attribute prediction shows what can be read, not what a model uses. Nothing is "
                "ranked; single findings of a mean stand without an interval.",
            )
        ),
    ]
    for each in found:
        blocks += [Heading(3, f"Attribute prediction on {each.dataset}"), _table(each)]
    return blocks


@dataclass(frozen=True)
class _Line:
    """A question, or one of the findings that a question is the mean of."""

    asked: Asked
    finding: str = ""

    @property
    def name(self) -> Content:
        return f"… {self.finding}" if self.finding else _asked_for(self.asked)

    def auc(self, column: str) -> Value:
        c = self.asked.answers.get(column)
        if c is None:
            return None
        return c.finding_auc[self.finding] if self.finding else _auc(c)

    @property
    def counted(self) -> list[str]:
        return [self.finding] if self.finding else _counted(self.asked)

    @property
    def positive(self) -> Value:
        """Positive images of the target, or of the rarest and the most frequent."""
        counts = [self.asked.tested.per_finding[each].n_positive for each in self.counted]
        ends = dict.fromkeys((min(counts), max(counts)))
        return Cell(" to ".join(map(count, ends)), min(counts))


def _table(each: PredictedAttributes) -> DataTable:
    used = {name for asked in each.asked for name in asked.answers}
    shown = [name for name in (*INPUTS.values(), METADATA) if name in used]
    columns: list[Column[_Line]] = [
        text_column("Asked for", lambda line: line.name, "asked_for"),
        text_column("Model", lambda line: line.asked.model, "model"),
        *(Column(name, name, methodcaller("auc", name)) for name in shown),
        Column("images", "Test images", lambda line: line.asked.tested.n_images),
        Column("patients", "Patients", lambda line: line.asked.patients),
        Column("positive", "Positive", lambda line: line.positive),
    ]
    return DataTable.of(columns, (line for asked in each.asked for line in _lines(asked)))


def _lines(asked: Asked) -> Iterator[_Line]:
    """The question, and each finding that it is the mean of where there are several."""
    yield _Line(asked)
    findings = _counted(asked)
    if asked.question == FINDINGS and len(findings) > 1:
        yield from (_Line(asked, finding) for finding in findings)


def _counted(asked: Asked) -> list[str]:
    """The targets that the AUC is the mean of; all where it has none."""
    return asked.answer.runs[0].scores.macro_findings or asked.table.protocol.findings


def mean_of(findings: Sequence[str]) -> str:
    """What an AUC is of, in words."""
    return findings[0] if len(findings) == 1 else f"mean of {len(findings)} findings"


def _asked_for(asked: Asked) -> Content:
    findings = _counted(asked)
    if asked.question == FINDINGS:
        name = mean_of(findings)
    else:
        probe = asked.table.dataset.probe
        name = f"{asked.question}: {', '.join(probe.values if probe else ())}"
    return Link(f"#{asked.table.anchor}", name)


def _auc(c: Configuration) -> Value:
    auc = tested_auc(c)
    seeds = (BREAK, f"{len(c.runs)} of {MIN_SEEDS} seeds")
    return auc if c.complete else marked(auc, seeds)

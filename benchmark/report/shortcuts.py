"""The findings beside what else can be read from the same images: a table a data set.

Where a field goes together with a finding and a model can read it, it may use it; the AUC of
the finding alone does not show which. Nothing here is ranked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from benchmark.probes import FIELDS
from benchmark.report.configuration import Configuration
from benchmark.report.gather import Table
from benchmark.report.labels import labels, likeness
from benchmark.report.plain_files import json_line
from benchmark.report.section import measured
from benchmark.report.text import UNDEFINED, count, number, plain, table
from benchmark.report.titles import asks_for_findings
from benchmark.spec import LUNGS, Spec

INPUTS = {
    "raw": "Whole image",
    "lung_masked": "Lungs alone",
    "lung_cropped": "Box of the lungs",
    "lungs_removed": "Without lungs",
}
"""Preprocessing variant -> the column that says what of the image the model saw."""
METADATA = "Metadata alone"
_DATA = ("manifest_sha256", "protocol", "seed", "preprocessing")


@dataclass(frozen=True)
class Asked:
    """One question to the images of a data set, and one model's answers.

    Attributes:
        question: ``findings``, or the field of a probe.
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


@dataclass(frozen=True)
class Shortcuts:
    """A data set that was probed.

    Attributes:
        dataset: its name and version.
        asked: the findings first, then the fields, a line a model.
    """

    dataset: str
    asked: tuple[Asked, ...]


def shortcuts(tables: Sequence[Table]) -> list[Shortcuts]:
    """Every probed data set of full tables, in their order."""
    together: dict[tuple, list[Table]] = defaultdict(list)
    for each in tables:
        if not each.watermarks and (asks_for_findings(each.protocol) or is_probe(each)):
            together[_images(each)].append(each)
    found = [
        Shortcuts(" ".join(key[:2]), tuple(_asked(of_one)))
        for key, of_one in together.items()
        if any(map(is_probe, of_one))
    ]
    return [each for each in found if each.asked]


def is_probe(each: Table) -> bool:
    """Whether a table is of a shortcut probe."""
    return bool(each.protocol.probe)


def _images(each: Table) -> tuple[str, str, str]:
    """What the tables of one section share."""
    return each.protocol.dataset, each.protocol.dataset_version, each.protocol.rendition


def _asked(tables: list[Table]) -> Iterator[Asked]:
    probed = {_model(c.spec) for t in tables if is_probe(t) for c in t.configurations}
    specs = {_model(c.spec).hex(): c.spec for t in tables for c in t.configurations}
    names = labels({key: replace(spec, preprocessing="") for key, spec in specs.items()})
    for each in sorted(tables, key=_order):
        answers: dict[bytes, dict[str, Configuration]] = defaultdict(dict)
        for c in each.configurations:
            if not c.differs:
                answers[_model(c.spec)][_column(c.spec)] = c
        metadata = next(({METADATA: a[METADATA]} for a in answers.values() if METADATA in a), {})
        for model, of_model in sorted(answers.items(), key=lambda pair: names[pair[0].hex()]):
            shown = {name: of_model[name] for name in INPUTS.values() if name in of_model}
            if shown and model in probed:
                yield Asked(_question(each), each, names[model.hex()], shown | metadata)


def _order(each: Table) -> tuple[int, str]:
    fields = list(FIELDS)
    place = fields.index(each.protocol.probe) if is_probe(each) else -1
    return place, each.protocol.id


def _question(each: Table) -> str:
    return each.protocol.probe or "findings"


def _column(spec: Spec) -> str:
    if spec.model == "metadata_only":
        return METADATA
    return INPUTS.get(spec.preprocessing, "") if spec.resolution else ""


def _model(spec: Spec) -> bytes:
    """What the answers of one line share."""
    shared = replace(spec, requires={r: v for r, v in spec.requires.items() if r != LUNGS})
    return likeness(shared, *_DATA)


def shortcut_section(found: Sequence[Shortcuts]) -> list[str]:
    """Markdown lines; none where nothing was probed."""
    if not found:
        return []
    lines = [
        '<a id="shortcuts"></a>',
        "",
        "## Shortcuts: what else can be read from the same images",
        "",
        "Test AUC of the findings, and of a metadata field that the same model was trained to "
        "read from the same images (*shortcut probe*), each from what of the image it saw and, for "
        "*metadata alone*, from age, sex and view, without the field that is asked for. An AUC of "
        "0.5 is guessing. A field that is read well and goes together with a finding is a way to "
        "score without looking at the disease; so is a finding that is read without lungs. A "
        "probe shows what can be read, not what a model uses. Nothing is ranked; single findings "
        "of a mean stand without an interval.",
        "",
    ]
    for each in found:
        lines += [f"### Shortcuts in {plain(each.dataset)}", "", *_table(each)]
    return lines


def _table(each: Shortcuts) -> list[str]:
    used = {name for asked in each.asked for name in asked.answers}
    columns = [name for name in (*INPUTS.values(), METADATA) if name in used]
    rows = []
    for asked in each.asked:
        aucs = [_auc(asked.answers.get(name)) for name in columns]
        rows.append([_asked_for(asked), asked.model, *aucs, *_support(asked)])
        rows += _per_finding(asked, columns)
    header = ["Asked for", "Model", *columns, "Test images", "Patients", "Positive"]
    return table(header, rows, "ll" + "r" * (len(columns) + 3))


def _per_finding(asked: Asked, columns: list[str]) -> Iterator[list[str]]:
    """Each finding that the mean is of; none where there is but one, and for a probe."""
    findings = _counted(asked)
    if asked.question != "findings" or len(findings) == 1:
        return
    for finding in findings:
        answers = [asked.answers.get(name) for name in columns]
        aucs = [number(c.finding_auc[finding]) if c else UNDEFINED for c in answers]
        yield [f"… {plain(finding)}", asked.model, *aucs, *_support(asked, finding)]


def _counted(asked: Asked) -> list[str]:
    """The targets that the AUC is the mean of; all where it has none."""
    return asked.answer.runs[0].scores.macro_findings or asked.table.protocol.findings


def _asked_for(asked: Asked) -> str:
    findings = _counted(asked)
    if asked.question == "findings":
        name = plain(findings[0]) if len(findings) == 1 else f"mean of {len(findings)} findings"
    else:
        values = asked.table.dataset.probe.values
        name = f"{asked.question}: {', '.join(map(plain, values))}"
    return f"[{name}](#{asked.table.anchor})"


def _auc(c: Configuration | None) -> str:
    if c is None:
        return UNDEFINED
    seeds = "" if c.complete else f"<br>{len(c.runs)} of 3 seeds"
    return measured(c.measurements["test_auc"]) + (" §" if c.short_interval else "") + seeds


def _support(asked: Asked, finding: str = "") -> list[str]:
    """Test images, patients, and the positive images of one target, or of the rarest and most."""
    test = asked.answer.runs[0].scores.splits["test"]
    counted = [finding] if finding else _counted(asked)
    positive = [test.per_finding[each].n_positive for each in counted]
    ends = dict.fromkeys(map(count, (min(positive), max(positive))))
    return [count(test.n_images), count(test.n_patients), " to ".join(ends)]


def shortcut_entries(found: Sequence[Shortcuts]) -> list[bytes]:
    """The same as entries of a JSON file, one a question and model."""
    return [_entry(each, asked) for each in found for asked in each.asked]


def _entry(each: Shortcuts, asked: Asked) -> bytes:
    return json_line(
        dataset=each.dataset,
        asked_for=asked.question,
        protocol_id=asked.table.protocol.id,
        model=asked.model,
        test=msgspec.to_builtins(asked.table.counts.get("test")),
        answers={
            name: {"config_id": c.config_id} | vars(c.measurements["test_auc"])
            for name, c in asked.answers.items()
        },
    )

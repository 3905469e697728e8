"""One protocol's section: what was measured on what, the ranked table, and how it came about."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmark.records.facts import DatasetFacts, ProbeFacts
from benchmark.records.predictions import SPLITS
from benchmark.report.blocks.content import Code, Content, Strong, joined
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Details,
    Facts,
    Heading,
    Paragraph,
    text_column,
)
from benchmark.report.blocks.text import averaged, count, number
from benchmark.report.blocks.values import Value
from benchmark.report.columns import (
    DETAILS,
    RANKING,
    UNTESTED,
    Entry,
    Naming,
    columns,
    entries,
    unlinked,
)
from benchmark.report.gathering.table import Table
from benchmark.report.gathering.thresholds import decided
from benchmark.report.sections.notes import footnotes, stopped
from benchmark.report.sections.told_apart import differences
from benchmark.scoring.protocol import MINIMUM_PATIENTS


def section(each: Table, *, cost: bool, named: Naming = unlinked) -> list[Block]:
    """One table with everything that belongs to it.

    Args:
        each: the table.
        cost: whether training time and hardware are shown.
        named: makes a link to its page of a configuration and its name.
    """
    level = 3 if each.watermarks or each.split_protocol.attribute else 2
    origin = Details("Data, split, labels and licence", (_facts(each), *_support(each)))
    blocks: list[Block] = [
        Heading(level, title(each), each.anchor),
        Paragraph(measured_on(each)),
        origin,
    ]
    if each.configurations:
        shown = entries(each, named)
        blocks.append(ranking(each, shown, cost=cost, place=RANKING if each.tested else UNTESTED))
    if each.configurations and each.tested:
        blocks.append(_further(each))
        told = tuple(differences(each))
        blocks += [Details("Which differences are told apart", told)] if told else []
        blocks += _per_finding(each) if len(each.protocol.findings) > 1 else []
    remarks = tuple(footnotes(each))
    blocks += [Details("How each was trained, and notes", remarks)] if remarks else []
    return [*blocks, *stopped(each)]


def ranking(each: Table, shown: list[Entry], *, cost: bool, place: str = RANKING) -> DataTable:
    """The ranked table."""
    machines = (f"{letter} = {name}" for name, letter in each.machines.items())
    hardware = (f"Hardware: {'; '.join(machines)}.",) if cost else ()
    return DataTable.of(columns(place, cost=cost), shown, title=title(each), notes=hardware)


def title(each: Table) -> Content:
    """What a table is called, with its watermarks."""
    protocol = each.protocol
    name = each.split_protocol.title(f"{protocol.dataset} {protocol.dataset_version}")
    return joined(": ", [name, *map(Strong, each.watermarks)])


def measured_on(each: Table) -> Content:
    """The test images of a table in a line."""
    test, findings = each.counts.get("test"), each.protocol.findings
    said = ["Simulated images" if each.dataset.simulated else "Real images"]
    if each.dataset.fraction is not None:
        said.append(f"{100 * each.dataset.fraction:.1f} % of the set")
    if test and each.tested:
        patients = of_patients(test.patients, unknown=each.dataset.patients_unknown)
        said.append(f"test: {count(test.images)} images{patients}")
    if test and each.tested and len(findings) == 1:
        said.append(f"{count(test.positives.get(findings[0]))} images with {findings[0]}")
    if mean := mean_of_findings(each):
        said.append(mean)
    return f"{', '.join(said)}; leakage status ", Strong(each.leakage_status), f".{_implied(each)}"


def mean_of_findings(each: Table) -> str:
    """Which findings the numbers of a table are the mean of."""
    findings = each.protocol.findings
    return averaged([f for f in findings if f not in each.excluded], findings)


def _implied(each: Table) -> str:
    """That the mean over findings is mostly of one."""
    if each.implied is None:
        return ""
    finding, auc = each.implied.finding, number(each.implied.auc)
    return (
        f" Every image with one of these findings has {finding}, too, so that the mean says little "
        f"of the others: the mere label {finding}, taken as the score of each, has AUC {auc}."
    )


def _facts(each: Table) -> Facts:
    protocol, dataset = each.protocol, each.dataset
    left_out = dataset.quarantined
    reasons = f": {each.reasons_told}." if each.reasons else ""
    facts: dict[str, Content] = {
        "Data": ("simulated" if dataset.simulated else "real")
        + " images"
        + (f", {count(left_out)} unreadable ones left out" if left_out else "")
        + _part(dataset),
        "Task": f"{dataset.task.kind}: {', '.join(protocol.findings)}",
        **({"Attribute prediction": _attribute(dataset.probe)} if dataset.probe else {}),
        "Labels": protocol.label_version,
        "Split": protocol.split,
        "Projections": ", ".join(protocol.projections) or "not recorded",
        "Image source": protocol.image_source,
        "Leakage status": (Strong(each.leakage_status), reasons),
        "Licence": f"{dataset.licence}. {dataset.citation}",
        "Protocol": Code(protocol.id),
    }
    return Facts(tuple(facts.items()))


def _part(dataset: DatasetFacts) -> str:
    """How much of the set the copy holds, where it is not all of it."""
    if dataset.fraction is None:
        return ""
    share, listed = 100 * dataset.fraction, count(dataset.listed)
    return f", a part of the set: {share:.1f} % of the {listed} that its tables list"


def _attribute(told: ProbeFacts) -> str:
    """What is to be read from the images, and which images do not count."""
    values = ", ".join(told.values)
    said = f"can {told.field} ({values}) be read from the images? No finding is asked for"
    left_out = "; ".join(
        f"{value} {' + '.join(count(counts[split]) for split in SPLITS)}"
        for value, counts in told.left_out.items()
    )
    if not left_out:
        return said
    return (
        f"{said}. Left out, images of values that are unknown, or that fewer than "
        f"{MINIMUM_PATIENTS} patients have in some split (train + validation + test): {left_out}"
    )


def _support(each: Table) -> Iterator[DataTable]:
    counts = {split: each.counts.get(split) for split in SPLITS}
    if not any(counts.values()):
        return
    lines: list[tuple[Value, ...]] = [
        (name.capitalize(), *(getattr(of_split, name, None) for of_split in counts.values()))
        for name in ("images", *([] if each.dataset.patients_unknown else ["patients"]))
    ]
    for finding in each.protocol.findings:
        positives = (c.positives.get(finding) if c else None for c in counts.values())
        lines.append((f"{finding}, positive images", *positives))
    columns: list[Column[tuple[Value, ...]]] = [
        text_column("", partial(_at, 0)),
        *(Column(split, split, partial(_at, k)) for k, split in enumerate(SPLITS, 1)),
    ]
    yield DataTable.of(columns, lines, sortable=False)


def _at(position: int, line: tuple[Value, ...]) -> Value:
    return line[position]


def _further(each: Table) -> Details:
    hows = {decided(c.runs[0].scores, c.runs[0].row) for c in each.configurations}
    how = hows.pop() if len(hows) == 1 else "as each decides"
    said = f"On the test split {how}; the AUC gap in its two parts; the F1 gap:"
    table = DataTable.of(columns(DETAILS), entries(each))
    return Details("Sensitivity, specificity, parts of the gap", (Paragraph(said), table))


def _per_finding(each: Table) -> list[Block]:
    label: Column[Entry] = text_column("Configuration", lambda entry: entry.label, "label")
    columns = [label, *finding_columns(each)]
    return [Details("AUC per finding", (DataTable.of(columns, entries(each)),))]


def finding_columns(each: Table) -> list[Column[Entry]]:
    """A column of test AUC for each finding."""
    return [
        Column(
            f"test_auc:{finding}",
            finding + (" ‡" if finding in each.excluded else ""),
            partial(_auc, finding),
        )
        for finding in each.protocol.findings
    ]


def _auc(finding: str, entry: Entry) -> Value:
    return entry.configuration.finding_auc.get(finding)

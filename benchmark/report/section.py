"""One protocol's section: what was measured on what, the ranked table, and how it came about."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_uppercase

from benchmark.records.row import DatasetFacts, ProbeFacts
from benchmark.report import labels
from benchmark.report.configuration import MIN_SEEDS, SPLITS, Configuration, Measurement
from benchmark.report.differences import differences
from benchmark.report.ensembles import is_ensemble
from benchmark.report.environments import Machine
from benchmark.report.gather import Table
from benchmark.report.notes import STALE, footnotes, stopped
from benchmark.report.text import (
    UNDEFINED,
    count,
    duration,
    interval,
    number,
    plain,
    table,
)
from benchmark.report.titles import protocol_title
from benchmark.scoring.protocol import MINIMUM_PATIENTS

Link = Callable[[Configuration, str], str]


def unlinked(configuration: Configuration, text: str) -> str:
    """The name of a configuration in a document that has no page for it."""
    return text


def section(each: Table, *, cost: bool, link: Link = unlinked) -> list[str]:
    """Markdown lines of one table with everything that belongs to it.

    Args:
        each: the table.
        cost: whether training time and hardware are shown.
        link: makes a link to its page of a configuration and its name, both Markdown.
    """
    level = "###" if each.watermarks or each.protocol.probe else "##"
    lines = [f'<a id="{each.anchor}"></a>', "", f"{level} {_title(each)}", ""]
    lines += _facts(each) + _support(each)
    if each.configurations:
        lines += _ranking(each, cost=cost, link=link) + _details(each)
        lines += differences(each)
        lines += _per_finding(each) if len(each.protocol.findings) > 1 else []
    return lines + footnotes(each) + stopped(each)


def _title(each: Table) -> str:
    name = plain(protocol_title(each.protocol, version=True))
    return ": ".join([name, *(f"**{plain(mark)}**" for mark in each.watermarks)])


def _facts(each: Table) -> list[str]:
    protocol, dataset = each.protocol, each.dataset
    reasons = "; ".join(plain(reason) for reason in each.reasons)
    left_out = dataset.quarantined
    facts = {
        "Data": ("simulated" if dataset.simulated else "real")
        + " images"
        + (f", {count(left_out)} unreadable ones left out" if left_out else "")
        + _part(dataset),
        "Task": f"{dataset.task.kind}: {', '.join(plain(f) for f in protocol.findings)}",
        **({"Shortcut probe": _probe(dataset.probe)} if dataset.probe else {}),
        "Labels": plain(protocol.label_version),
        "Split": plain(protocol.split),
        "Projections": ", ".join(plain(p) for p in protocol.projections) or "not recorded",
        "Rendition": plain(protocol.rendition),
        "Leakage verdict": f"**{each.verdict}**" + (f": {reasons}" if reasons else ""),
        "Licence": f"{plain(dataset.licence)}. {plain(dataset.citation)}",
        "Protocol": f"`{protocol.id}`",
    }
    return [f"- **{name}**: {text}" for name, text in facts.items()] + [""]


def _part(dataset: DatasetFacts) -> str:
    """How much of the set the copy holds, where it is not all of it."""
    if dataset.fraction is None:
        return ""
    share, listed = 100 * dataset.fraction, count(dataset.listed)
    return f", a part of the set: {share:.1f} % of the {listed} that its tables list"


def _probe(told: ProbeFacts) -> str:
    """What is to be read from the images, and which images do not count."""
    values = ", ".join(plain(value) for value in told.values)
    said = f"can {plain(told.field)} ({values}) be read from the images? No finding is asked for"
    left_out = "; ".join(
        f"{plain(value)} {' + '.join(count(counts[split]) for split in SPLITS)}"
        for value, counts in told.left_out.items()
    )
    if not left_out:
        return said
    return (
        f"{said}. Left out, images of values that are unknown, or that fewer than "
        f"{MINIMUM_PATIENTS} patients have in some split (train + validation + test): {left_out}"
    )


def _support(each: Table) -> list[str]:
    counts = [each.counts.get(split) for split in SPLITS]
    if not any(counts):
        return []
    lines = [
        [name.capitalize(), *(count(getattr(of_split, name, None)) for of_split in counts)]
        for name in ("images", "patients")
    ]
    for finding in each.protocol.findings:
        positives = [of_split and of_split.positives.get(finding) for of_split in counts]
        lines.append([f"{plain(finding)}, positive images", *(count(n) for n in positives)])
    return table(["", *SPLITS], lines, "lrrr")


def _ranking(each: Table, *, cost: bool, link: Link) -> list[str]:
    header = ["Group", "Model", "Size (px)", "Preparation", "Weights", "AUC", "F1", "Gap (AUC)",
              "Seeds", "Parameters"]  # fmt: skip
    align = "rlrllrrrrr"
    if cost:
        header, align = [*header, "Training", "Hardware"], align + "rl"
    machines = _machines(each)
    settings = labels.settings({c.key: c.spec for c in each.configurations})
    rows = []
    for c in each.configurations:
        preparation = [labels.preparation(c.spec), settings[c.key], plain(c.differs)]
        row = [
            str(each.group_numbers.get(c.key, UNDEFINED)),
            link(c, _model(c)),
            labels.size(c.spec),
            ", ".join(filter(None, preparation)),
            labels.weights(c.spec),
            measured(c.measurements["test_auc"]) + (" §" if c.short_interval else ""),
            *(measured(c.measurements[name]) for name in ("test_f1", "gap_auc")),
            _seeds(c),
            count(c.model.parameters),
        ]
        if cost:
            letters = ", ".join(machines[machine(m)] for m in c.machines)
            row += [duration(c.train_seconds), letters]
        rows.append(row)
    lines = table(header, rows, align)
    if cost:
        lines += [
            "Hardware: "
            + "; ".join(f"{letter} = {name}" for name, letter in machines.items())
            + ".",
            "",
        ]
    return lines


def _details(each: Table) -> list[str]:
    header = ["Configuration", "Accuracy", "Sensitivity", "Specificity", "Train − validation",
              "Validation − test", "F1 gap", "F1 gap of constant"]  # fmt: skip
    names = ("test_accuracy", "test_sensitivity", "test_specificity",
             "gap_auc_train_minus_validation", "gap_auc_validation_minus_test")  # fmt: skip
    rows = [
        [
            each.labels[c.key],
            *(number(c.measurements[name].mean) for name in names),
            measured(c.measurements["gap_f1"]),
            number(c.measurements["gap_f1_constant"].mean),
        ]
        for c in each.configurations
    ]
    return [
        "On the test split at the validation threshold; the AUC gap in its two parts; the F1 gap:",
        "",
        *table(header, rows, "lrrrrrrr"),
    ]


def _per_finding(each: Table) -> list[str]:
    findings = each.protocol.findings
    excluded = each.excluded
    header = [plain(f) + (" ‡" if f in excluded else "") for f in findings]
    rows = [
        [each.labels[c.key], *(number(c.finding_auc.get(f)) for f in findings)]
        for c in each.configurations
    ]
    return [
        "AUC per finding:",
        "",
        *table(["Configuration", *header], rows, "l" + "r" * len(findings)),
    ]


def measured(value: Measurement) -> str:
    """Mean, spread of the seeds and interval as one cell."""
    spread = (
        ""
        if value.seed_sd is None
        else f"\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{number(value.seed_sd)}"
    )
    limits = interval(value.low, value.high)
    return number(value.mean) + spread + (f"<br>{limits}" if limits else "")


def _model(c: Configuration) -> str:
    mark = " (ensemble)" if is_ensemble(c.spec) else ""
    signs = "".join(
        sign
        for sign, of in ((" ◊", c.external), (" †", c.edited_seeds), (f" {STALE}", c.outdated))
        if of
    )
    return plain(c.spec.model) + mark + signs


def _seeds(c: Configuration) -> str:
    if c.model.deterministic:
        return f"{len(c.runs)} fixed"
    return str(len(c.runs)) if c.complete else f"{len(c.runs)} of {MIN_SEEDS}"


def _machines(each: Table) -> dict[str, str]:
    """Machine in words -> the letter that stands for it in the table."""
    names = sorted({machine(m) for c in each.configurations for m in c.machines})
    width = len(ascii_uppercase)
    return {
        name: (ascii_uppercase[i // width - 1] if i >= width else "") + ascii_uppercase[i % width]
        for i, name in enumerate(names)
    }


def machine(of: Machine) -> str:
    """A machine in words, Markdown."""
    return ", ".join(map(plain, of.words)) or "not known"

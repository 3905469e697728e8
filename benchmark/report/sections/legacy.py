"""A legacy protocol's claims beside what is measured, under it and by its disjoint twin."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.protocols.legacy import LegacyProtocol
from benchmark.report.blocks.tables import Block, Column, DataTable, Paragraph, notes, text_column
from benchmark.report.blocks.text import UNDEFINED, number
from benchmark.report.blocks.values import Cell, Value
from benchmark.report.gathering.configuration import Configuration, mean
from benchmark.report.gathering.labels import likeness
from benchmark.report.gathering.table import Table

RULED = ("train", "test")
"""Splits on which the source's own rule is shown: what it says of overfitting is about both."""
_DATA = ("dataset", "dataset_version", "manifest_sha256", "seed", "protocol")


@dataclass(frozen=True)
class Comparison:
    """A configuration under a legacy protocol, and its patient-disjoint twin where it was run.

    Attributes:
        label: the configuration's name within its table.
        claim: what the source says of the model; empty where it says nothing.
        rule: mean over seeds of ``accuracy`` and ``f1`` by split, decided as the source does.
    """

    label: str
    claim: str
    legacy: Configuration
    disjoint: Configuration | None

    @property
    def rule(self) -> dict[str, dict[str, float | None]]:
        """Accuracy and F1 on the source's own training and test images, by its own rule."""
        by_rule = [run.scores.by_rule or {} for run in self.legacy.runs]
        found = {split: [rules.get(split) for rules in by_rule] for split in RULED}
        return {
            split: {
                name: mean([getattr(each, name, None) for each in runs])
                for name in ("accuracy", "f1")
            }
            for split, runs in found.items()
        }

    def disjoint_value(self, name: str) -> float | None:
        """A quantity of the patient-disjoint twin."""
        return None if self.disjoint is None else self.disjoint.measurements[name].mean


def is_legacy(each: Table) -> bool:
    """Whether a table was measured under a legacy protocol."""
    return isinstance(each.split_protocol, LegacyProtocol)


def _protocol(each: Table) -> LegacyProtocol:
    assert isinstance(each.split_protocol, LegacyProtocol)
    return each.split_protocol


def comparisons(each: Table, tables: list[Table]) -> list[Comparison]:
    """Every configuration of a legacy table beside its claim and its patient-disjoint twin."""
    protocol = _protocol(each)
    marks = tuple(mark for mark in each.watermarks if mark != protocol.watermark)
    twins = {
        _key(c): c
        for other in tables
        if other.protocol.dataset == protocol.twin and other.watermarks == marks
        if other.split_protocol.asks_findings
        for c in other.configurations
        if not c.differs
    }
    return [
        Comparison(each.labels[c.key], _claim(protocol, c), c, twins.get(_key(c)))
        for c in each.configurations
    ]


def legacy_section(each: Table, tables: list[Table]) -> list[Block]:
    """What stands below a legacy table."""
    protocol = _protocol(each)
    source, everyone = protocol.source, protocol.claim("*")
    claims = [Paragraph(f"{source} says of all its models: {everyone.text}.")] if everyone else []
    columns: list[Column[Comparison]] = [
        text_column("Configuration", lambda c: c.label, "label"),
        text_column(f"{source} says", lambda c: c.claim or None, "claim"),
        Column("accuracy", "Accuracy, its rule (train / test)", lambda c: _ruled(c, "accuracy")),
        Column("f1", "F1, its rule (train / test)", lambda c: _ruled(c, "f1")),
        Column("f1_disjoint", "F1, patient-disjoint", lambda c: c.disjoint_value("test_f1")),
        *_both("test_auc", "AUC"),
        *_both("gap_auc", "Gap (AUC)"),
    ]
    return [
        Paragraph(f"What is wrong with {protocol.name}:"),
        *notes(protocol.faults),
        *claims,
        Paragraph(
            f"Its rule is {_rule(protocol)}, on its own images. Patient-disjoint: the same "
            f"configuration on {protocol.twin}, {UNDEFINED} where it was not run. Other images, of "
            "which other shares are positive, so no ranking and no test; F1 rises with that share."
        ),
        DataTable.of(columns, comparisons(each, tables)),
    ]


def _both(name: str, said: str) -> list[Column[Comparison]]:
    return [
        Column(name, f"{said}, legacy", lambda c: c.legacy.measurements[name].mean),
        Column(f"{name}_disjoint", f"{said}, patient-disjoint", lambda c: c.disjoint_value(name)),
    ]


def _ruled(c: Comparison, name: str) -> Value:
    values = [c.rule[split][name] for split in RULED]
    return Cell(" / ".join(map(number, values)), values[-1])


def _rule(protocol: LegacyProtocol) -> str:
    if protocol.decision == "argmax":
        return "the class of the largest probability"
    return f"a probability of at least {protocol.decision:g}"


def _claim(protocol: LegacyProtocol, c: Configuration) -> str:
    claim = protocol.claim(c.spec.model)
    return claim.text if claim else ""


def _key(c: Configuration) -> bytes:
    """Equal for twins. What sees no image has a policy only where copies are made to be tested."""
    return likeness(c.spec, *_DATA, *(() if c.spec.resolution else ("imbalance",)))

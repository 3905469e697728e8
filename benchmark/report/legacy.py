"""A legacy protocol's claims beside what is measured, under it and under its honest twin."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.legacy import LegacyProtocol, find_protocol
from benchmark.report.configuration import Configuration
from benchmark.report.gather import LEGACY, Table
from benchmark.report.labels import likeness
from benchmark.report.text import UNDEFINED, number, plain, table
from benchmark.report.titles import asks_for_findings

RULED = ("train", "test")
"""Splits on which the source's own rule is shown: what it says of overfitting is about both."""
_DATA = ("dataset", "dataset_version", "manifest_sha256", "seed", "protocol")


@dataclass(frozen=True)
class Comparison:
    """A configuration under a legacy protocol, and the same under the honest one where it was run.

    Attributes:
        label: the configuration's name within its table.
        claim: what the source says of the model; empty where it says nothing.
        rule: mean over seeds of ``accuracy`` and ``f1`` by split, decided as the source does.
    """

    label: str
    claim: str
    legacy: Configuration
    honest: Configuration | None

    @property
    def rule(self) -> dict[str, dict[str, float | None]]:
        """Accuracy and F1 on the source's own training and test images, by its own rule."""
        found = {s: [run.scores.by_rule[s] for run in self.legacy.runs] for s in RULED}
        return {
            split: {
                name: _mean([getattr(each, name) for each in runs]) for name in ("accuracy", "f1")
            }
            for split, runs in found.items()
        }

    def honestly(self, name: str) -> float | None:
        """A quantity of the honest twin."""
        return None if self.honest is None else self.honest.measurements[name].mean


def is_legacy(each: Table) -> bool:
    """Whether a table was measured under a legacy protocol."""
    return each.protocol.legacy


def comparisons(each: Table, tables: list[Table]) -> list[Comparison]:
    """Every configuration of a legacy table beside its claim and its honest twin."""
    protocol = find_protocol(each.protocol.legacy_name)
    marks = tuple(mark for mark in each.watermarks if mark != LEGACY)
    twins = {
        _key(c): c
        for other in tables
        if other.protocol.dataset == protocol.twin and other.watermarks == marks
        if asks_for_findings(other.protocol)
        for c in other.configurations
        if not c.differs
    }
    return [
        Comparison(each.labels[c.key], _claim(protocol, c), c, twins.get(_key(c)))
        for c in each.configurations
    ]


def legacy_section(each: Table, tables: list[Table]) -> list[str]:
    """Markdown lines that stand below a legacy table."""
    protocol = find_protocol(each.protocol.legacy_name)
    lines = [f"What is wrong with {protocol.name}:", ""]
    lines += [*(f"- {plain(fault)}" for fault in protocol.faults), ""]
    everyone = protocol.claim("*")
    if everyone:
        lines += [f"{protocol.source} says of all its models: {plain(everyone.text)}.", ""]
    header = ["Configuration", f"{protocol.source} says", "Accuracy, its rule (train / test)",
              "F1, its rule (train / test)", "F1, honest", "AUC, legacy", "AUC, honest",
              "Gap (AUC), legacy", "Gap (AUC), honest"]  # fmt: skip
    rows = [_line(c) for c in comparisons(each, tables)]
    return [
        *lines,
        f"Its rule is {_rule(protocol)}, on its own images. Honest: the same configuration on "
        f"{plain(protocol.twin)}, {UNDEFINED} where it was not run. Other images, so no ranking "
        "and no test.",
        "",
        *table(header, rows, "llrrrrrrr"),
    ]


def _line(c: Comparison) -> list[str]:
    ruled = [" / ".join(number(c.rule[s][name]) for s in RULED) for name in ("accuracy", "f1")]
    measured = [c.honestly("test_f1")]
    for name in ("test_auc", "gap_auc"):
        measured += [c.legacy.measurements[name].mean, c.honestly(name)]
    numbers = [number(value) for value in measured]
    return [c.label, plain(c.claim) or UNDEFINED, *ruled, *numbers]


def _rule(protocol: LegacyProtocol) -> str:
    if protocol.decision == "argmax":
        return "the class of the largest probability"
    return f"a probability of at least {protocol.decision:g}"


def _claim(protocol: LegacyProtocol, c: Configuration) -> str:
    claim = protocol.claim(c.spec.model)
    return claim.text if claim else ""


def _key(c: Configuration) -> bytes:
    return likeness(c.spec, *_DATA)


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else sum(values) / len(values)

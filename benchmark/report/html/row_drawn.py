"""What was drawn of a configuration: the record beside its figures."""

from __future__ import annotations

from benchmark.records.row import Record
from benchmark.scoring.subgroups import Subgroup


class Drawn(Record, frozen=True):
    """The figures of a configuration.

    Attributes:
        made_from: hash of all that the figures show and of how they are drawn.
        figures: their names.
        findings: those with curves.
        subgroups: the numbers behind their chart.
    """

    made_from: str
    figures: list[str]
    findings: list[str]
    subgroups: list[Subgroup]

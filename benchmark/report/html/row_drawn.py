"""What was drawn: the record beside the figures."""

from __future__ import annotations

from benchmark.records.facts import Record
from benchmark.scoring.subgroups import Subgroup


class Drawn(Record, frozen=True):
    """Figures of one folder.

    Attributes:
        made_from: hash of all that the figures show and of how they are drawn.
        figures: their names.
        findings: of a configuration, those with curves.
        subgroups: the numbers behind their chart.
    """

    made_from: str
    figures: list[str]
    findings: list[str]
    subgroups: list[Subgroup]

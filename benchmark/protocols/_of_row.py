"""The protocol that a row was made under, from what the row says."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.errors import UnknownName
from benchmark.protocols._discovery import find
from benchmark.protocols.base import SplitProtocol
from benchmark.protocols.legacy import WATERMARK
from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row


def of_row(row: Row) -> SplitProtocol:
    """The protocol of a row; one that is not known here is what its facts say of it."""
    try:
        return find(row.spec.protocol)
    except UnknownName:
        return _FromElsewhere(row.spec.protocol, row.protocol)


@dataclass(frozen=True)
class _FromElsewhere(SplitProtocol):
    """A protocol of another release."""

    told: ProtocolFacts

    @property
    def watermark(self) -> str:  # type: ignore[override]  # a fact of the row, not the family
        return WATERMARK if self.told.legacy else ""

    @property
    def may_choose_on_test(self) -> bool:  # type: ignore[override]
        return self.told.legacy

    @property
    def asks_findings(self) -> bool:  # type: ignore[override]
        return not (self.withheld or self.attribute)

    @property
    def withheld(self) -> str | None:
        return self.told.withheld or None

    @property
    def attribute(self) -> str | None:
        return self.told.probe or None

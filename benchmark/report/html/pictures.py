"""Figures of the results as pictures on pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.report.figures import Figure
from benchmark.report.gather import Table
from benchmark.report.tables import Picture


def about(figures: Sequence[Figure], tables: Iterable[Table]) -> list[Figure]:
    """The figures about these tables."""
    ids = {table.protocol.id for table in tables}
    return [each for each in figures if each.draft.protocol_id in ids]


def picture(each: Figure, folder: str) -> Picture:
    """A figure that lies in ``folder``, seen from the page."""
    draft = each.draft
    return Picture(
        f"{folder}/{each.file}", f"{draft.title}. {draft.alt}", draft.caption, broad=True
    )

"""Figures of the results as pictures on pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmark.report.blocks.tables import Block, Details, Picture
from benchmark.report.figures import Figure
from benchmark.report.gathering.table import Table

SINGLE = ("curves",)
"""Figures of few panels, which shrink with the screen."""


def about(figures: Sequence[Figure], tables: Iterable[Table]) -> list[Figure]:
    """The figures about these tables."""
    ids = {table.protocol.id for table in tables}
    return [each for each in figures if each.draft.protocol_id in ids]


def pictures(figures: Sequence[Figure], folder: str) -> Iterator[Block]:
    """Figures that lie in ``folder``, seen from the page; all but the first are folded."""
    shown = [_picture(each, folder) for each in figures]
    yield from shown[:1]
    if more := shown[1:]:
        yield Details(f"{len(more)} more figure{'s' * (len(more) > 1)}", tuple(more))


def _picture(each: Figure, folder: str) -> Picture:
    draft, broad = each.draft, each.name not in SINGLE
    return Picture(f"{folder}/{each.file}", f"{draft.title}. {draft.alt}", draft.caption, broad)

"""Figures of a results folder: one file a figure, found by name; each answers one question.

A file (see :mod:`benchmark.plugins`) has

- ``CARD``: ``question``, which the figure answers; what it ``shows``; ``order``, its place among
  the others; ``"cost": True`` where it tells of time or hardware;
- ``drafts(of) -> Iterator[Draft]``: what there is to draw of a results folder, a figure a table or
  data set; none where it would say nothing. The files import Matplotlib, this one does not.

What is drawn comes from the columns of the tables. A model has one colour and one marker in all of
them (:mod:`benchmark.report.drawing.marks`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UnknownName
from benchmark.plugins import Axis, Plugin
from benchmark.records.store import Results
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.first_screen import Line, first_tables, lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

AXIS: Axis[Plugin] = Axis(
    "figure",
    __name__,
    entry="drafts",
    keys={"question": str, "shows": str, "order": int},
    optional={"cost": False},
)
FORMS = ("svg", "png")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """What figures are drawn from.

    Attributes:
        board: everything that a results folder says.
        results: the folder, for what only predictions hold.
    """

    board: Leaderboard
    results: Results

    @cached_property
    def tables(self) -> list[tuple[Table, list[Line]]]:
        """The tables of the first screen with their models; watermarked ones are left out."""
        tables = first_tables(self.board.tables)
        return [(each, lines(each)) for each in tables if not each.watermarks]


@dataclass(frozen=True)
class Draft:
    """A figure that can be drawn.

    Attributes:
        about: the table or data set that it is about.
        title: what it shows, with n.
        alt: what is to be seen, for those who do not see it.
        caption: how to read it.
        draw: draws it, on the present ground.
        protocol_id: of the table; empty where it is about several.
        part: tells several of one file and table apart.
    """

    about: str
    title: str
    alt: str
    caption: str
    draw: Callable[[], Drawn]
    protocol_id: str = ""
    part: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure of a results folder.

    Attributes:
        name: of the file in this folder that draws it.
        file: name of the drawn files, without a suffix: ``.svg``, ``.png`` and ``-dark.svg``.
        draft: what it shows.
    """

    name: str
    file: str
    draft: Draft

    def write(self, folder: Path, forms: Collection[str] = FORMS) -> None:
        """Draw it, on a light ground and, as SVG, on a dark one; equal results, equal bytes."""
        from benchmark.report.drawing.grounds import save_both

        save_both(self.draft.draw, folder / self.file, forms)


def figures_of(
    source: Source, *, names: Collection[str] = (), dataset: str = "", cost: bool = True
) -> list[Figure]:
    """The figures that there are, none of them drawn yet.

    Args:
        source: what they are drawn from.
        names: of figures; all where none are given.
        dataset: only what is about it.
        cost: whether figures of time and hardware are among them.

    Raises:
        UnknownName: there is no figure of such a name, or none about such a data set.
    """
    plugins = [AXIS.find(name) for name in names or AXIS.names()]
    plugins = [p for p in plugins if cost or not p.card["cost"]]
    found: dict[str, Figure] = {}
    for plugin in sorted(plugins, key=lambda p: p.card["order"]):
        for draft in plugin.load()(source):
            file = _file(plugin.name, draft)
            if file in found:
                file = f"{file}-{draft.protocol_id}"
            found[file] = Figure(plugin.name, file, draft)
    every = list(found.values())
    fitting = [each for each in every if not dataset or each.draft.about.startswith(dataset)]
    if every and not fitting:
        raise UnknownName("data set with a figure", dataset, {each.draft.about for each in every})
    return fitting


def draw_all(
    results: Results,
    out: Path,
    *,
    names: Sequence[str] = (),
    dataset: str = "",
    cost: bool = True,
    forms: Collection[str] = FORMS,
    progress: Progress = lambda done, total: None,
) -> list[Figure]:
    """Draw the figures of a results folder; equal results give equal bytes.

    Args:
        results: the folder.
        out: where they go; made if missing.
        names: of figures, see :func:`figures_of`; so are ``dataset`` and ``cost``.
        forms: ``svg``, ``png`` or both.
        progress: called as ``progress(drawn, in all)``.

    Raises:
        UserError: as :func:`figures_of`; or a row or prediction file is missing or damaged.
    """
    source = Source(Leaderboard.of(results), results)
    found = figures_of(source, names=names, dataset=dataset, cost=cost)
    for done, each in enumerate(found):
        progress(done, len(found))
        each.write(out, forms)
    progress(len(found), len(found))
    return found


def _file(name: str, draft: Draft) -> str:
    words = re.findall(r"[A-Za-z0-9_]+", draft.about)
    return "-".join([name, *filter(None, [draft.part]), *words])[:120]

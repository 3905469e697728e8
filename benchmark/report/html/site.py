"""Write the site of a results folder.

index.html                     the leaderboard, written last; beside it leaderboard.csv and .json
rows/<config id>.html          a page a configuration; with its table where several have that id
suites/<suite>.html            a page a suite, and <suite>-checklist.html
figures/                       every figure as .svg, .png and -dark.svg
gradcam/                       heat maps, where that step was run
style.css, script.js, icon.svg
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from benchmark.errors import UserError, check_names
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import find
from benchmark.report.export.csv_and_json import exports
from benchmark.report.figures import Figure, Source, figures_of
from benchmark.report.files import write_asked
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.html import static_files
from benchmark.report.html.checklist import checklist_page
from benchmark.report.html.drawing import draw_figures, draw_rows
from benchmark.report.html.gradcam_section import gradcam_section
from benchmark.report.html.index import index_page
from benchmark.report.html.names import file_name
from benchmark.report.html.row_drawn import Drawn
from benchmark.report.html.row_page import row_page
from benchmark.report.html.suite_page import SuiteRows, suite_figures, suite_page, suite_rows
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.render import html

Progress = Callable[[int, int], None]


def write_site(
    results: Results,
    out: Path,
    *,
    cost: bool = True,
    rows: Collection[str] = (),
    suites: Collection[str] = (),
    private: bool = True,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Write the site; equal results give equal bytes.

    The leaderboard, the suites' pages and the checklists are always written whole. Pages of rows
    take longer, so they may be limited; the leaderboard then links to those and to earlier ones.

    Args:
        results: the results folder.
        out: the site's folder; made if missing.
        cost: whether training time and hardware are shown in the tables.
        rows: whose pages to write, as :func:`~benchmark.report.comparing.lookup.find` takes them;
            with ``suites`` empty, too: all.
        suites: suites whose rows' pages to write.
        private: whether pages about data sets beside the site are linked, which name images.
        progress: called as ``progress(pages done, pages in all)``.

    Returns:
        The index page.

    Raises:
        UserError: a row or suite that is not here, or the folder cannot be written to.
    """
    leaderboard = Leaderboard.of(results)
    source = Source(leaderboard, results)
    chosen = chosen_rows(results, leaderboard.tables, rows, suites)
    linked = {c.key for _, c in chosen} | _existing(leaderboard.tables, out)
    files = {name: b"".join(of) for name, of in exports(leaderboard, cost=cost).items()}
    pages = _Pages(source, linked, cost)
    _write_files(out, static_files())
    progress(0, len(chosen))
    drawing = draw_rows(
        results,
        [c for _, c in chosen],
        out / "figures" / "rows",
        meanwhile=lambda: draw_figures(pages.drawn, files["leaderboard.json"], out / "figures"),
    )
    with closing(drawing):
        for done, (of_table, drawn) in enumerate(zip(chosen, drawing, strict=True), 1):
            _write_row(*of_table, drawn, out)
            progress(done, len(chosen))
    _write_files(out, {**files, **pages.of_suites()})
    _write_files(out, pages.index([*files], data_sets(results, out, private=private)))
    return out / "index.html"


def chosen_rows(
    results: Results,
    tables: list[Table],
    rows: Collection[str] = (),
    suites: Collection[str] = (),
) -> list[tuple[Table, Configuration]]:
    """The configurations meant by rows and by names of suites; all without either.

    Raises:
        UserError: a row or a suite that no configuration of the tables is or is of.
    """
    every = [(table, c) for table in tables for c in table.configurations]
    if not (rows or suites):
        return every
    known = {run.row.suite for _, c in every for run in c.runs}
    check_names("suite with a finished row", suites, known)
    meant = set[str]()
    for text in rows:
        found = find(results, text)
        ids = {row.spec_id for row in found.rows}
        keys = {c.key for _, c in every if any(run.row.spec_id in ids for run in c.runs)}
        if not keys:
            raise UserError(f"{found.title} has no page: only finished rows of findings have one")
        meant |= keys
    return [(table, c) for table, c in every if c.key in meant or _is_of(c, suites)]


def _is_of(configuration: Configuration, suites: Collection[str]) -> bool:
    return any(run.row.suite in suites for run in configuration.runs)


def _existing(tables: list[Table], out: Path) -> set[str]:
    keys = (c.key for table in tables for c in table.configurations)
    return {key for key in keys if _page(out, key).is_file()}


def data_sets(results: Results, out: Path, *, private: bool) -> dict[str, str]:
    """The pages of ``cxr-bench eda``: name -> path from the index.

    Those in the site's folder ``eda``; with ``private`` also those in ``local/eda`` of the results
    folder, where the command writes, if the site lies in that folder, too.
    """
    places = [out / "eda"]
    if private and out.resolve().is_relative_to(results.folder.resolve()):
        places.append(results.folder / "local" / "eda")
    found = {page.parent.name: page for place in places for page in place.glob("*/index.html")}
    return {name: Path(os.path.relpath(found[name], out)).as_posix() for name in sorted(found)}


@dataclass(frozen=True)
class _Pages:
    """What is written of several configurations."""

    source: Source
    linked: set[str]
    cost: bool

    @cached_property
    def suites(self) -> list[SuiteRows]:
        return suite_rows(self.source.board.tables)

    @cached_property
    def figures(self) -> list[Figure]:
        return figures_of(self.source, cost=self.cost)

    @cached_property
    def of_each(self) -> list[list[Figure]]:
        """The figures of each suite."""
        return [suite_figures(suite, self.source, cost=self.cost) for suite in self.suites]

    @property
    def drawn(self) -> list[Figure]:
        """All figures about several configurations."""
        return [*self.figures, *chain.from_iterable(self.of_each)]

    def of_suites(self) -> dict[str, bytes]:
        pages = {}
        for suite, figures in zip(self.suites, self.of_each, strict=True):
            name = f"suites/{file_name(suite.name)}"
            page = suite_page(suite, figures, self.linked, cost=self.cost)
            pages[f"{name}.html"] = page
            pages[f"{name}-checklist.html"] = checklist_page(suite, self.source.results)
        return {name: html.page(each).encode() for name, each in pages.items()}

    def index(self, files: list[str], about_data: dict[str, str]) -> dict[str, bytes]:
        page = index_page(
            self.source.board, self.suites, self.figures, self.linked, files, about_data,
            cost=self.cost,
        )  # fmt: skip
        return {"index.html": html.page(page).encode()}


def _write_files(out: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        write_asked(out / name, content)


def _write_row(table: Table, configuration: Configuration, drawn: Drawn, out: Path) -> None:
    name = file_name(configuration.key)
    gradcam = gradcam_section(configuration, out / "gradcam" / name, f"../gradcam/{name}")
    page = row_page(configuration, table, drawn, gradcam)
    write_asked(_page(out, configuration.key), html.page(page).encode())


def _page(out: Path, key: str) -> Path:
    return out / "rows" / f"{file_name(key)}.html"

"""Write the site of a results folder.

index.html                     the leaderboard; beside it leaderboard.csv, leaderboard.json
rows/<config id>.html          a page a configuration
suites/<suite>.html            a page a suite, and <suite>-checklist.html
figures/                       every figure as .svg, .png and -dark.svg
gradcam/                       heat maps, where that step was run
style.css, script.js
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from benchmark.errors import UserError
from benchmark.records.store import Results
from benchmark.report.board import Leaderboard
from benchmark.report.configuration import Configuration
from benchmark.report.export import exports
from benchmark.report.files import write_asked
from benchmark.report.gather import Table
from benchmark.report.html import static_files
from benchmark.report.html.checklist import checklist_page
from benchmark.report.html.gradcam_section import gradcam_section
from benchmark.report.html.index import index_page
from benchmark.report.html.names import file_name
from benchmark.report.html.row_page import row_page
from benchmark.report.html.suite_page import draw_suite, suite_page, suite_rows
from benchmark.report.render import html

Progress = Callable[[int, int], None]


def write_site(
    results: Results,
    out: Path,
    *,
    cost: bool = True,
    rows: Collection[str] = (),
    suites: Collection[str] = (),
    progress: Progress = lambda done, total: None,
) -> Path:
    """Write the site; equal results give equal bytes.

    The leaderboard, the suites' pages and the checklists are always written whole. Pages of rows
    take longer, so they may be limited; the leaderboard then links to those and to earlier ones.

    Args:
        results: the results folder.
        out: the site's folder; made if missing.
        cost: whether training time and hardware are shown in the tables.
        rows: config or spec ids whose pages to write; with ``suites`` empty, too: all.
        suites: suites whose rows' pages to write.
        progress: called as ``progress(pages done, pages in all)``.

    Returns:
        The index page.

    Raises:
        UserError: nothing matches, or the folder cannot be written to.
    """
    leaderboard = Leaderboard.of(results)
    chosen = chosen_rows(leaderboard.tables, rows, suites)
    linked = {c.key for _, c in chosen} | _existing(leaderboard.tables, out)
    _write_tables(results, leaderboard, out, linked, cost=cost)
    for done, (table, configuration) in enumerate(chosen):
        progress(done, len(chosen))
        _write_row(results, table, configuration, out)
    progress(len(chosen), len(chosen))
    return out / "index.html"


def chosen_rows(
    tables: list[Table], rows: Collection[str] = (), suites: Collection[str] = ()
) -> list[tuple[Table, Configuration]]:
    """The configurations meant by config or spec ids and by names of suites; all without either.

    Raises:
        UserError: no finished row is meant by what was given.
    """
    every = [(table, c) for table in tables for c in table.configurations]
    if not (rows or suites):
        return every
    chosen = [(table, c) for table, c in every if _is_meant(c, set(rows), set(suites))]
    if not chosen:
        raise UserError(
            f"No finished row has the id or suite {', '.join([*rows, *suites])}. The suites are: "
            f"{', '.join(sorted({run.row.suite for _, c in every for run in c.runs}))}."
        )
    return chosen


def _is_meant(configuration: Configuration, rows: set[str], suites: set[str]) -> bool:
    ids = {configuration.config_id, *(run.row.spec_id for run in configuration.runs)}
    return bool(ids & rows or {run.row.suite for run in configuration.runs} & suites)


def _existing(tables: list[Table], out: Path) -> set[str]:
    keys = (c.key for table in tables for c in table.configurations)
    return {key for key in keys if _page(out, key).is_file()}


def _write_tables(
    results: Results, leaderboard: Leaderboard, out: Path, linked: set[str], *, cost: bool
) -> None:
    suites = suite_rows(leaderboard.tables)
    files = exports(leaderboard, cost=cost)
    pages = {"index.html": index_page(leaderboard, suites, linked, [*files], cost=cost)}
    for suite in suites:
        name = file_name(suite.name)
        draw_suite(suite, out / "figures" / "suites" / name)
        pages[f"suites/{name}.html"] = suite_page(suite, linked, cost=cost)
        pages[f"suites/{name}-checklist.html"] = checklist_page(suite, results)
    files |= static_files() | {name: html.page(each).encode() for name, each in pages.items()}
    for name, content in files.items():
        write_asked(out / name, content)


def _write_row(results: Results, table: Table, configuration: Configuration, out: Path) -> None:
    from benchmark.report.html.row_figures import draw_row  # imports Matplotlib

    name = file_name(configuration.key)
    drawn = draw_row(results, configuration, out / "figures" / "rows" / name)
    gradcam = gradcam_section(configuration, out / "gradcam" / name, f"../gradcam/{name}")
    page = row_page(configuration, table, drawn, gradcam)
    write_asked(_page(out, configuration.key), html.page(page).encode())


def _page(out: Path, key: str) -> Path:
    return out / "rows" / f"{file_name(key)}.html"

"""The first page: the leaderboard, which can be sorted and filtered."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.report.configuration import Configuration
from benchmark.report.html.elements import link, page
from benchmark.report.html.names import file_name
from benchmark.report.html.render import render
from benchmark.report.html.suite_page import SuiteRows
from benchmark.report.leaderboard import Leaderboard
from benchmark.report.text import count

_FILTER = """<form class="filter" role="search" hidden>
<label for="filter">Show only rows with</label>
<input id="filter" type="search" autocomplete="off" placeholder="e.g. cnn 64">
<output for="filter" aria-live="polite"></output>
</form>"""


def index_page(
    leaderboard: Leaderboard,
    suites: list[SuiteRows],
    linked: set[str],
    exports: Iterable[str],
    *,
    cost: bool,
) -> str:
    """The page.

    Args:
        leaderboard: whose Markdown this is, in HTML.
        suites: those with a page.
        linked: keys of the configurations that have a page.
        exports: names of the files beside the page that hold the same numbers.
        cost: whether training time and hardware are shown.
    """

    def named(configuration: Configuration, name: str) -> str:
        if configuration.key not in linked:
            return name
        return f"[{name}](rows/{file_name(configuration.key)}.html)"

    lines = [
        "<h1>Leaderboard</h1>",
        f"<p>{_summary(leaderboard, exports)}</p>",
        *_suites(suites),
        _FILTER,
        *_foldable(render(leaderboard.body(cost=cost, link=named)), "how-to-read-it"),
    ]
    return page("cxr-bench leaderboard", lines)


def _foldable(lines: list[str], name: str) -> list[str]:
    """The lines with the table below the heading of that id in a box that can be closed."""
    start = next(k for k, line in enumerate(lines) if f'id="{name}"' in line) + 1
    end = lines.index("</div>", start) + 1
    box = ['<details class="legend" open>', "<summary>What every sign means</summary>"]
    return [*lines[:start], *box, *lines[start:end], "</details>", *lines[end:]]


def _summary(leaderboard: Leaderboard, exports: Iterable[str]) -> str:
    configurations = [c for table in leaderboard.tables for c in table.configurations]
    runs = sum(len(c.runs) for c in configurations)
    files = ", ".join(link(name, name) for name in exports)
    return (
        f"{count(len(configurations))} configurations in {count(runs)} finished runs. A model's "
        "name leads to its page. A column's heading sorts its table; sorting does not rank: the "
        f"groups do. The same numbers unrounded: {files}."
    )


def _suites(suites: list[SuiteRows]) -> list[str]:
    items = [
        f"<li>{link(f'suites/{name}.html', suite.title or f'Suite {suite.name}')} "
        f"({link(f'suites/{name}-checklist.html', 'reporting checklist')})</li>"
        for suite, name in ((suite, file_name(suite.name)) for suite in suites)
    ]
    return ["<h2>Suites</h2>", "<ul>", *items, "</ul>"] if items else []

"""Markdown of the leaderboard as HTML, and the pieces of the pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.report.html.elements import sort_key
from benchmark.report.html.names import file_name
from benchmark.report.html.render import as_text, inline, render
from benchmark.report.text import one_line, plain, table


@given(st.text())
def test_a_name_comes_out_as_it_went_in(name):
    assert as_text(plain(name)) == one_line(name)


@given(st.text(alphabet="<>&\"'`*[]()\\|#: abc/", max_size=30))
def test_no_line_can_open_a_tag_of_its_own(line):
    html = inline(line)
    for tag in ("<code>", "</code>", "<strong>", "</strong>", "<em>", "</em>", "<br>", "</a>"):
        html = html.replace(tag, "")
    for piece in html.split("<")[1:]:
        assert piece.startswith('a href="')
        target = piece.removeprefix('a href="').partition('"')[0]
        assert ":" not in target


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**bold** and *slanted*", "<strong>bold</strong> and <em>slanted</em>"),
        ("`a*b*<c>`", "<code>a*b*&lt;c&gt;</code>"),
        ("[cnn](rows/1.html)", '<a href="rows/1.html">cnn</a>'),
        ("[x](https://example.org)", "[x](https://example.org)"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("0.9<br>[0.8, 1.0]", "0.9<br>[0.8, 1.0]"),
        (r"\*not\* \[a\](b)", "*not* [a](b)"),
        ("AT&amp;T & <b>", "AT&amp;T &amp; &lt;b&gt;"),
    ],
)
def test_inline(markdown, html):
    assert inline(markdown) == html


def test_blocks():
    lines = ['<a id="here"></a>', "", "## A *title*", "", "Words", "of text.", "", "- one", "- two"]
    assert render(lines) == [
        '<h2 id="here">A <em>title</em></h2>',
        "<p>Words of text.</p>",
        "<ul>",
        "<li>one</li>",
        "<li>two</li>",
        "</ul>",
    ]


def test_a_table_keeps_its_cells_and_can_be_sorted():
    lines = table(["Model", "AUC"], [["a\\|b", "0.9 ± 0.1"], ["", "–"]], "lr")
    html = "".join(render(lines))
    assert "<table class=sortable>" in html
    assert "<tr><td>a|b</td><td class=n data-sort=0.9>0.9 ± 0.1</td></tr>" in html
    assert "<tr><td></td><td class=n>–</td></tr>" in html


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("0.927 ± 0.004<br>[0.9, 0.95]", 0.927),
        ("−0.003", -0.003),
        ("+0.012", 0.012),
        ("23,589,761", 23589761),
        ("8.2 s", 8.2),
        ("3 min 12 s", 192),
        ("2 h 05 min", 7500),
        ("1 fixed", 1),
        ('<a href="x1.html">7</a>', 7),
        ("–", None),
        ("", None),
    ],
)
def test_columns_are_sorted_by_what_a_cell_says(cell, key):
    assert sort_key(cell) == key


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a.b", "ä", "x" * 65, "<b>"])
def test_odd_names_become_file_names(name):
    assert file_name(name).isalnum()
    assert file_name("pneumonia-64_px") == "pneumonia-64_px"

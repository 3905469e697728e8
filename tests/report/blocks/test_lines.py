"""Lines fitted to a window."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.report.blocks.lines import aligned, window, wrapped
from tests.terminal import Terminal

WORDS = st.text("abc .,", max_size=60)


def test_what_goes_to_a_file_is_as_wide_as_it_is(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert window(io.StringIO()) is None
    assert window(Terminal()) == 49
    monkeypatch.setenv("COLUMNS", "5")
    assert window(Terminal()) == 40
    long = "word " * 40
    assert wrapped(long, None) == long
    rows = [("name", long)] * 2
    assert list(aligned(rows, [True, True])) == [f"  name  {long}".rstrip()] * 2


def test_lines_are_continued_further_in_and_long_paths_left_whole():
    path = "/a/" + "folder/" * 12
    lines = wrapped(f"  Page: {path} is where\nit is", 40, hang=4).split("\n")
    assert lines == ["  Page:", f"      {path}", "      is where", "it is"]


def test_words_are_wrapped_in_their_column():
    lines = list(aligned([("ab", "one two three four five six"), ("c", "seven")], [True, True], 22))
    assert lines == ["  ab  one two three", "      four five six", "  c   seven"]


def test_columns_that_do_not_fit_go_on_below_behind_the_first():
    rows = [["name", *(f"column{k}" for k in range(6))], ["cnn", *"123456"]]
    lines = list(aligned(rows, [True] + [False] * 6, 40))
    assert [line.split()[0] for line in lines] == ["name", "cnn"] * 2
    assert " ".join(lines).split().count("column5") == 1


@example([("", "", "a" * 23), ("a" * 14, "", "")], 40)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5), st.integers(40, 90))
def test_no_table_is_wider_than_the_window_and_nothing_is_lost(rows, width):
    lines = list(aligned(rows, [True, True, False], width))
    assert max(map(len, lines)) <= width
    shown = "".join("".join(lines).split())
    for cell in (cell for row in rows for cell in row):
        assert all(shown.count(sign) >= cell.count(sign) for sign in "abc")


@pytest.mark.parametrize("text", ["", "\n", "  "])
def test_empty_lines_stay(text):
    assert wrapped(text, 40) == text

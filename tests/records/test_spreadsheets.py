"""No cell of a CSV file is a formula, and what is read back is what was written."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.records.spreadsheets import csv_text, escaped, read_back, unescaped

SIGNS = "=+-@＝＋－＠\t\r"
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "＝1", "\t=1", "-", "=", "'=1"]
AS_THEY_ARE = ["", "-12", "+0.5", "-1e-05", "a=b", "1-0", "Lung Opacity", "'quoted'", "–"]


def cells(text: str) -> list[str]:
    return [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_as_a_formula_gets_an_apostrophe(text):
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize("value", [*AS_THEY_ARE, -1, -0.5, None, True])
def test_numbers_and_other_texts_are_as_they_are(value):
    assert escaped(value) is value
    assert unescaped(value) is value


@given(st.text(st.sampled_from(f"'{SIGNS}1a.e"), max_size=6))
def test_no_two_texts_become_one(text):
    assert unescaped(escaped(text)) == text


def test_a_table_is_read_back_as_it_was():
    texts = [*FORMULAS, *AS_THEY_ARE]
    frame = pd.DataFrame({"name": texts, "number": [-0.5] * len(texts)})
    written = csv_text(frame)
    assert not [cell for cell in cells(written) if cell.startswith(("=", "@", "+c", "-2", "-\n"))]
    read = pd.read_csv(io.StringIO(written), dtype={"name": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(read_back(read), frame, check_dtype=False)

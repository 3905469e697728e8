"""What spreadsheets make of tables: encodings, headers, ids and names in other spellings."""

from __future__ import annotations

import pytest
from own_sets import NAMES, ONE, by_image, looked, rows, tabled, touched

from tfds_builders.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    return touched(tmp_path, NAMES)


def test_patients_that_a_spreadsheet_spelled_in_several_ways_are_one(folder):
    text = rows("file,Effusion,who", "0.png,1,7", "1.png,1,7.0", "2.png,0,007", "3.png,0,70")
    found = tabled(folder, text, patient_column="who", **ONE)
    assert [e.patient for e in found.entries] == ["7", "7", "7", "70"]
    assert (
        "column 'who': ids that are spelled in several ways count as one patient each, 1 in all: 7"
        in found.notes[0]
    )
    alone = tabled(folder, rows("file,Effusion,who", "0.png,1,007"), patient_column="who", **ONE)
    assert alone.entries[0].patient == "007"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (("8.39861E+23", "1"), r"column 'who' has 8.39861E\+23: a spreadsheet rounded"),
        (('"8,39861E+23"', "1"), "a spreadsheet rounded"),
        (("839861000000000000000000", "12"), "has 839861000000000000000000: a spreadsheet rounded"),
        (("01-Feb", "2"), "column 'who' has 01-Feb: a spreadsheet took an id for a date"),
    ],
)
def test_ids_that_a_spreadsheet_made_others_of_stop(folder, ids, said):
    text = rows("file,Effusion,who", *(f"{n}.png,{n},{each}" for n, each in enumerate(ids)))
    with pytest.raises(DatasetError, match=said):
        tabled(folder, text, patient_column="who", **ONE)


@pytest.mark.parametrize("ids", [("12E4", "8e12"), ("1234567890123456", "9876543210987650")])
def test_ids_that_only_look_so_are_taken(folder, ids):
    text = rows("file,Effusion,who", *(f"{n}.png,{n},{each}" for n, each in enumerate(ids)))
    found = tabled(folder, text, patient_column="who", **ONE)
    assert [e.patient for e in found.entries] == list(ids)


@pytest.mark.parametrize(
    "ids",
    [
        ("P7", "p7", "P07"), ("7", "'007", '"7,0"'), ("1234", '"1,234"', "01234"),
        ("x\u00fc", "xu\u0308", "X\u00fc"), ("1", "\uff11", "1.00"),
    ],
)  # fmt: skip
def test_spellings_of_an_id_are_one_patient(folder, ids):
    text = rows("file,Effusion,who", *(f"{n}.png,{n % 2},{each}" for n, each in enumerate(ids)))
    found = tabled(folder, text, patient_column="who", **ONE)
    assert len({e.patient for e in found.entries}) == 1
    assert len(found.entries) == 3


def test_a_column_that_names_no_patient_of_a_class_stops(folder):
    text = rows("file,Effusion,who", "0.png,1,a", "1.png,1,b", "2.png,0,#REF!", "3.png,0,NaT")
    said = r"column 'who' names no patient, .*of no finding.*Effusion: 2 of 2; no finding: 0 of 2"
    with pytest.raises(DatasetError, match=said):
        tabled(folder, text, patient_column="who", **ONE)


@pytest.mark.parametrize(
    "nobody", ["nan", "NA", "", "unknown", "None", "NaT", "#N/A", "n.a.", "missing"]
)
def test_nobody_is_no_patient(folder, nobody):
    text = rows("file,Effusion,who", f"0.png,1,{nobody}", "1.png,1,1", "2.png,0,2")
    found = tabled(folder, text, patient_column="who", **ONE)
    assert [e.patient for e in found.entries] == ["1", "2"]
    assert "no patient is given" in found.refused[0]["reason"]


def test_tables_as_spreadsheets_save_them(folder):
    """Public reports: "Unicode text" is UTF-16 with tabs, and a workbook is given for a table.

    https://github.com/ebranlard/pyDatView/issues/196,
    https://github.com/wzh9969/contrastive-htc/issues/16
    """
    said = {"csv": "u.txt", "image_column": "file", "patients": "unknown", **ONE}
    (folder / "u.txt").write_bytes("file\tEffusion\r\n0.png\t1\r\n".encode("utf-16"))
    assert [e.findings for e in looked(folder, **said).entries] == [(1,)]
    (folder / "u.txt").write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(DatasetError, match=r"is a workbook.*save it as CSV UTF-8"):
        looked(folder, **said)
    (folder / "u.txt").write_bytes("file,Effusion,M\xfcller\n".encode("cp1252"))
    with pytest.raises(DatasetError, match="is no text in UTF-8; save it as such"):
        looked(folder, **said)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file,Effusion\n0.png,1\n1.png,0\n", "utf-8-sig"),
        ("file\tEffusion\n0.png\t1\n1.png\t0\n", "utf-16-le"),
        ("file;Effusion\n0.png;1,0\n1.png;0,00\n", "utf-32"),
        ("sep=;\nfile;Effusion;a, b, c, d\n0.png;1;x\n1.png;0;y\n", "utf-8"),
        ("Table 1,,\n\nfile,Effusion\n0.png,1\n1.png,0\n", "utf-8"),
        ("file|Effusion\r0.png|1\r1.png|0\r", "utf-8"),
        ('file, Effusion\n"0.png", "1.000"\n"1.png", " 0 "\n', "utf-8"),
        ("\u200bfile\u00a0,Effusion\ufeff\n0.png\u200b,TRUE\n1.png,False\n", "utf-8"),
        ('file,report,Effusion\n0.png,"two\nlines, ""so""",pos\n1.png,,NEG\n', "utf-8"),
    ],
)
def test_tables_in_any_dress(folder, text, encoding):
    (folder / "t.csv").write_bytes(text.encode(encoding))
    found = looked(folder, csv="t.csv", image_column="file", patients="unknown", **ONE)
    assert [e.findings for e in found.entries] == [(1,), (0,)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,Effusion\n0.png,1,x\n1.png,0\n", "line 2: there are 3 cells, and the header has 2"),
        ('file,note,Effusion\n0.png,"large,1\n1.png,b,0\n', r"behind line 1.*never closed\?"),
        ("File,effusion\n0.png,1\n", "Its columns are 'File', 'effusion'"),
    ],
)
def test_tables_whose_cells_would_be_taken_for_others_stop(folder, text, said):
    with pytest.raises(DatasetError, match=said):
        tabled(folder, text, **ONE)


def test_numbers_and_names_are_met_as_spreadsheets_and_other_systems_write_them(tmp_path):
    folder = touched(tmp_path, ["img/00001.png", "img/00012.png", "img/Abc.png"])
    text = rows("file,Effusion", "1,1", "12.0,0", "abc.PNG,1")
    found = tabled(folder, text, **ONE)
    assert sorted(by_image(found)) == ["img/00001.png", "img/00012.png", "img/Abc.png"]

"""Tables as people save them: headers, names of classes, several labels, splits, ages, boxes."""

from __future__ import annotations

import gzip
import math
import unicodedata

import pytest
from own_sets import NAMES, ONE, by_image, in_pools, looked, rows, tabled, touched, write

from tfds_builders.archives import Folder
from tfds_builders.errors import DatasetError
from tfds_builders.image_folder import cells
from tfds_builders.image_folder.looking import look
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.reading import read
from tfds_builders.image_folder.surveying import survey
from tfds_builders.ingest_report import IngestReport


@pytest.fixture
def folder(tmp_path):
    return touched(tmp_path, NAMES)


def test_blanks_around_a_header_are_no_part_of_it(folder):
    text = rows(" file , Effusion ", "0.png,1", "1.png,0", "", "2.png,1")
    assert [e.findings for e in tabled(folder, text, **ONE).entries] == [(1,), (0,), (1,)]


def test_a_wanted_column_twice_stops_and_another_does_not(folder):
    text = rows("file,Effusion,Effusion", "0.png,1,0")
    with pytest.raises(DatasetError, match="has the column 'Effusion' twice"):
        tabled(folder, text, **ONE)
    assert tabled(folder, rows("file,Effusion,x,x", "0.png,1,2,3"), **ONE).entries


def test_a_class_column_is_exclusive_classes(folder):
    text = rows("file,dx", "0.png,Normal", "1.png,TB", "2.png,tb ", "3.png,")
    found = tabled(folder, text, class_column="dx")
    assert (found.findings, found.kind) == (("TB",), "binary")
    assert [e.findings for e in found.entries] == [(0,), (1,), (1,)]
    assert "no finding of img/3.png is labelled" in found.refused[0]["reason"]
    more = tabled(folder, rows("file,dx", "0.png,a", "1.png,b", "2.png,Normal"), class_column="dx")
    assert (more.kind, len(more.findings)) == ("multiclass", 3)
    with pytest.raises(DatasetError, match="two are needed"):
        tabled(folder, rows("file,dx", "0.png,a"), class_column="dx")


@pytest.mark.parametrize(
    ("separator", "several", "none"),
    [
        ("|", "Effusion|Mass", "No Finding"), (";", "Effusion; Mass", "normal"),
        ("", "['Effusion', 'Mass']", "[]"), ("|", " Mass|Effusion|", "No Finding"),
    ],
)  # fmt: skip
def test_several_labels_in_a_cell(folder, separator, several, none):
    text = rows("file\tdx", f"0.png\t{several}", "1.png\tMass", f"2.png\t{none}")
    found = tabled(folder, text, class_column="dx", label_separator=separator)
    assert (found.findings, found.kind) == (("Effusion", "Mass"), "multilabel")
    labels = {name: entry.findings for name, entry in by_image(found).items()}
    assert labels["img/0.png"] == (1, 1)
    assert labels["img/1.png"] == (0, 1)
    assert labels.get("img/2.png", (0, 0)) == (0, 0)
    assert ("img/2.png" in labels) == (none != "[]")  # an empty list may be nobody's answer


@pytest.mark.parametrize("cells_", [("A|B", "C"), ("A;B", "A"), ("A/B", "B")])
def test_cells_that_may_hold_several_labels_are_asked_about(folder, cells_):
    text = rows("file,dx", *(f"{n}.png,{said}" for n, said in enumerate(cells_)))
    with pytest.raises(DatasetError, match=r"are these several labels.*--label-separator"):
        tabled(folder, text, class_column="dx")


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ({}, [(1, 1), (0, 0), (0, 0), (0, 1)]),
        ({"uncertain": "positive"}, [(1, 1), (1, 1), (0, 0), (0, 1)]),
        ({"uncertain": "negative"}, [(1, 1), (0, 1), (0, 0), (0, 1)]),
        ({"missing": "negative"}, [(1, 1), (0, 0), (0, 1), (0, 1)]),
    ],
)
def test_uncertain_and_missing_labels(said, labels):
    options = Options(**said)
    found = [cells.label(cell, "Edema", options) for cell in ("1.0", "-1.0", "", "0.0")]
    assert found == labels


def test_what_else_a_table_knows(folder):
    text = rows(
        "file,Effusion,fold,Sex,Age,View",
        "0.png,1,train,Female,058Y,AP",
        "1.png,0,Valid,M,44.0,Lateral",
        "2.png,1,TEST,o,6 months,oblique",
        "3.png,1,,F,411,",
    )
    said = {"sex_column": "Sex", "age_column": "Age", "view_column": "View"}
    found = tabled(folder, text, split_column="fold", **said, **ONE)
    assert in_pools(found) == {"train": 1, "validation": 1, "test": 1}
    assert [e.sex for e in found.entries] == ["F", "M", ""]
    assert [e.age for e in found.entries] == [58, 44, 0]
    assert [e.view for e in found.entries] == ["AP", "L", "oblique"]
    assert found.refused[0]["reason"] == "no split is given for img/3.png"
    assert tabled(folder, text, **said, **ONE).entries[-1].age == -1  # nobody is 411


def test_words_that_are_no_split_or_sex_stop(folder):
    text = rows("file,Effusion,x", "0.png,1,A", "1.png,0,B")
    with pytest.raises(DatasetError, match=r"which split is 'A', 'B' \(column 'x'\)"):
        tabled(folder, text, split_column="x", **ONE)
    with pytest.raises(DatasetError, match="names 'c', and no cell of column 'x' is called so"):
        tabled(folder, text, split_column="x", splits="train=A,test=B,validation=C", **ONE)
    told = tabled(folder, text, split_column="x", splits="train=A,test=B", **ONE)
    assert in_pools(told) == {"train": 1, "test": 1}
    with pytest.raises(DatasetError, match=r"column 'x' \(--sex-column\) holds A, B"):
        tabled(folder, text, sex_column="x", **ONE)


def test_rows_of_boxes_are_one_image(folder):
    text = rows(
        "file,dx,x_min,y_min,x_max,y_max",
        "0.png,Mass,1,2,11,22",
        "0.png,Nodule,3,3,5,6",
        "1.png,No finding,,,,",
        "2.png,Mass,9,9,9,9",
    )
    columns = ("x_min", "y_min", "x_max", "y_max")
    found = tabled(folder, text, class_column="dx", box_columns=columns)
    assert found.findings == ("Mass", "Nodule")
    first = by_image(found)["img/0.png"]
    assert first.findings == (1, 1)
    assert first.boxes == (("Mass", 1, 2, 10, 20), ("Nodule", 3, 3, 2, 3))
    assert by_image(found)["img/1.png"].boxes == ()
    assert "has no area" in found.refused[0]["reason"]


def test_names_are_met_in_every_unicode_form(tmp_path):
    composed, apart = (unicodedata.normalize(form, "M\u00fcller.png") for form in ("NFC", "NFD"))
    found = tabled(touched(tmp_path, [apart]), rows("file,Effusion", f"{composed},1"), **ONE)
    assert [e.image for e in found.entries] == [apart]


@pytest.mark.parametrize(
    "said",
    ["set/img/0.png", "/home/me/set/img/0.png", "img\\0.png", "0", "img/0.dcm", "./img/0.png"],
)
def test_a_path_is_met_by_its_longest_end(folder, said):
    found = tabled(folder, rows("file,Effusion", f"{said},1"), **ONE)
    assert [e.image for e in found.entries] == ["img/0.png"]


def test_an_end_that_several_files_have_is_refused(tmp_path):
    folder = touched(tmp_path, ["a/1.png", "b/1.png", "c/2.png"])
    text = rows("file,Effusion", "x/1.png,1", "x/b/1.png,0", "x/2.png,1", "x/c/2.png,0")
    found = tabled(folder, text, **ONE)
    assert [e.image for e in found.entries] == ["b/1.png"]
    said = " ".join(entry["reason"] for entry in found.refused)
    assert "'x/1.png' may be a/1.png or b/1.png" in said
    assert "no row" not in said  # of those files: a row does name them
    assert "name it in different ways and disagree" in said


@pytest.mark.parametrize(
    ("files", "named", "met"),
    [
        # Of a copy in part, rows about what is missing: no other patient's image is theirs.
        (["p1/1.png", "p2/1.png", "p2/2.png"], ["p1/1.png", "p2/1.png", "p3/2.png"], {0: 0, 1: 1}),
        (["p1/1.png", "p2/2.png"], ["p1/1.png", "p2/2.png", "p3/2.png"], {0: 0, 1: 1}),
        (["T/p5/s7/v.png", "T/p6/s1/v.png"], ["C/T/p40/s7/v.png", "C/T/p6/s1/v.png"], {1: 1}),
        (["007.png", "8.png"], ["007.png", "7.png", "08.png"], {0: 0, 1: 2}),
        # Folders that begin elsewhere, are left out, or lie above everything.
        (["p1/1.png", "p2/1.png"], ["C/p1/1.png", "C/p2/1.png"], {0: 0, 1: 1}),
        (["S/p1/1.png", "S/p2/1.png"], ["C/p1/1.png", "C/p2/1.png"], {0: 0, 1: 1}),
        (["a/x/1.png", "b/x/2.png"], ["set/1.png", "set/2.png"], {0: 0, 1: 1}),
        (["1.png", "2.png"], ["p1/1.png", "p2/2.png"], {0: 0, 1: 1}),
        (["all/1.png", "all/2.png"], ["p1/1.png", "p2/2.png"], {0: 0, 1: 1}),
        (["p1/007.png", "p2/007.png"], ["p1/7.png", "p2/7.png"], {0: 0, 1: 1}),
    ],
)  # fmt: skip
def test_a_row_never_meets_the_file_of_another_folder(tmp_path, files, named, met):
    text = rows("file,Effusion,who", *(f"{name},{n % 2},{n}" for n, name in enumerate(named)))
    found = tabled(touched(tmp_path, files), text, patient_column="who", **ONE)
    assert {e.image: e.patient for e in found.entries} == {
        files[file]: str(row) for file, row in met.items()
    }
    rows_left_out = [each for each in found.refused if each["file"].startswith("t.csv")]
    assert len(rows_left_out) == len(named) - len(met)
    assert all("there is no file" in each["reason"] for each in rows_left_out)


def test_patients_may_be_folders_of_a_table(tmp_path):
    names = [f"train/patient{n}/study1/view1.png" for n in range(3)]
    text = rows("file,Effusion", *(f"CheXpert/{name},1" for name in names))
    found = tabled(touched(tmp_path, names), text, patient_pattern="patient([0-9]+)", **ONE)
    assert [e.patient for e in found.entries] == ["0", "1", "2"]


@pytest.mark.parametrize("labels", [("S\u00ed", "No", "No"), ("0.8", "0.1", "0.3"), ("x", "", "x")])
def test_labels_that_are_not_understood_stop(folder, labels):
    """Else, of a column of yes and no in another language, one side would be left."""
    lines = [f"{n}.png,{label}" for n, label in enumerate(labels)]
    with pytest.raises(DatasetError, match=r"Effusion is .*neither 1 nor 0 nor empty.*in . row"):
        tabled(folder, rows("file,Effusion", *lines), **ONE)


def test_a_label_here_and_there_that_is_not_understood_costs_its_row(tmp_path):
    names = [f"{n}.png" for n in range(40)]
    lines = [f"{name},{n % 2},0" for n, name in enumerate(names)]
    text = rows("file,Mass,Hernia", *lines[:-1], "39.png,maybe,0")
    found = tabled(touched(tmp_path, names), text, finding_columns=("Mass", "Hernia"))
    assert len(found.entries) == 39


def test_words_for_sex_and_age_that_are_not_known_are_said(folder):
    text = rows("file,Effusion,Sex,Age", "0.png,1,F,3", "1.png,0,H,58,0", "2.png,1,H,old")
    text = text.replace("58,0", '"58,0"')
    found = tabled(folder, text, sex_column="Sex", age_column="Age", **ONE)
    assert [(e.sex, e.age) for e in found.entries] == [("F", 3), ("", 58), ("", -1)]
    assert "column 'Sex': in 2 rows sex is H" in found.notes[0]
    assert "column 'Age': in 1 row age is old" in found.notes[1]
    with pytest.raises(DatasetError, match=r"column 'Sex' \(--age-column\) holds H, F"):
        tabled(folder, text, age_column="Sex", **ONE)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("['A' 'B']", ["A", "B"]), ('["A", "B"]', ["A", "B"]), ("('A',)", ["A"]),
        ("['Opacity, lung', \"Crohn's\"]", ["Opacity, lung", "Crohn's"]), ("[A; B]", ["A", "B"]),
        ("['']", []),
    ],
)  # fmt: skip
def test_lists_in_brackets(cell, names):
    assert cells.classes(cell, "") == names


@pytest.mark.parametrize(
    "one",
    [
        "Lung  Opacity",
        "Lung\u00a0Opacity",
        "lung_opacity",
        "Lung\u2011Opacity",
        "Lung\u2013Opacity",
    ],
)
def test_spellings_of_a_finding_are_one(folder, one):
    text = rows("file,dx", f"0.png,{one}", "1.png,Lung Opacity", "2.png,Lung Opacity", "3.png,wnl")
    found = tabled(folder, text, class_column="dx")
    assert found.findings == ("Lung Opacity",)
    assert "are taken for one class, 'Lung Opacity'" in found.notes[0]


def test_a_column_of_reports_is_no_column_of_classes(tmp_path):
    names = [f"{n}.png" for n in range(40)]
    text = rows("file,dx", *(f"{name},seen on day {name}" for name in names))
    with pytest.raises(DatasetError, match="holds 40 different values in 40 rows"):
        tabled(touched(tmp_path, names), text, class_column="dx")


@pytest.mark.parametrize(
    ("cells_", "separator"), [(("A B", "A", "B"), ""), (("A|B", "A", "normal"), ";")]
)
def test_a_separator_that_was_not_said_is_asked_about(folder, cells_, separator):
    text = rows("file,dx", *(f"{n}.png,{said}" for n, said in enumerate(cells_)))
    with pytest.raises(DatasetError, match="are these several labels"):
        tabled(folder, text, class_column="dx", label_separator=separator)


def test_without_a_name_for_normal_a_note_says_so(folder):
    text = rows("file,dx", "0.png,A|B", "1.png,B", "2.png,clear")
    said = {"class_column": "dx", "label_separator": "|"}
    assert "no name in column 'dx' means normal" in tabled(folder, text, **said).notes[0]
    assert not tabled(folder, text, normal_class="clear", **said).notes
    with pytest.raises(DatasetError, match="there is no class 'cleer'"):
        tabled(folder, text, normal_class="cleer", **said)


def test_empty_cells_of_names_may_mean_that_nothing_was_found(folder):
    text = rows("file,dx", "0.png,A|B", "1.png,", "2.png,A", "3.png,No finding")
    said = {"class_column": "dx", "label_separator": "|"}
    assert len(tabled(folder, text, **said).entries) == 3
    found = tabled(folder, text, missing="negative", **said)
    assert by_image(found)["img/1.png"].findings == (0, 0)


def test_names_that_differ_in_case_alone_are_told_apart(tmp_path):
    folder = touched(tmp_path, ["img/aB.png", "img/Ab.png", "img/AB.png"])
    found = tabled(folder, rows("file,Effusion", "aB,1", "Ab.png,0", "ab,1"), **ONE)
    labels = {name: entry.findings for name, entry in by_image(found).items()}
    assert labels == {"img/aB.png": (1,), "img/Ab.png": (0,)}
    assert "'ab' may be img/AB.png or img/Ab.png or img/aB.png" in found.refused[0]["reason"]


def test_a_row_may_be_about_a_study(tmp_path):
    """A public report: MIMIC-CXR's labels, a gzip file, are of folders.

    https://github.com/LalehSeyyed/CheXclusion/issues/6
    """
    names = [f"p1{n % 2}/p1000{n}/s5000{n}/{k}.jpg" for n in range(3) for k in ("a", "b")]
    folder = touched(tmp_path, [*names, *(f"all/{n}.jpg" for n in range(30))])
    text = rows("subject_id,study_id,Edema", "10000,50000,1", "10001,50001,0", "10002,s50002,1",
                "1,all,1")  # fmt: skip
    (folder / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    said = {"csv": "t.csv.gz", "image_column": "study_id", "patient_column": "subject_id"}
    found = looked(folder, finding_columns=("Edema",), **said)
    assert sorted(by_image(found)) == sorted(names)
    assert {e.patient for e in found.entries} == {"10000", "10001", "10002"}
    assert "3 rows name a folder and count for every image in it" in found.notes
    assert found.refused[0]["reason"] == "'all' is a folder of 30 images"


def test_a_table_that_lies_deeper_is_pointed_to(folder):
    (folder / "img" / "labels.csv").write_text("file,Effusion\n0.png,1\n")
    with pytest.raises(DatasetError, match=r"no table labels.csv.*Is it img/labels.csv"):
        looked(folder, csv="labels.csv", image_column="file", patients="unknown", **ONE)


def test_a_large_table_of_a_small_copy_is_told_in_a_line(folder):
    """How many rows they are stands in it: an archive may be half unpacked."""
    text = rows("file,Effusion", *(f"{n}.png,1" for n in range(500)))
    found = tabled(folder, text, **ONE)
    assert len(found.entries) == 4
    assert found.refused == []
    told = "496 rows of t.csv name no file here, e.g. there is no file '4.png'"
    assert told in found.notes


def test_a_row_for_each_finding_of_an_image_is_united(folder):
    text = rows("file,dx,id", "0.png,Effusion,a", "0.png,Mass,a", "1.png,Mass,b",
                "2.png,No Finding,c", "3.png,Mass,d")  # fmt: skip
    said = {"class_column": "dx", "label_separator": "|", "patient_column": "id"}
    found = tabled(folder, text, **said)
    assert found.findings == ("Effusion", "Mass")
    labels = {name: entry.findings for name, entry in by_image(found).items()}
    assert [labels[f"img/{n}.png"] for n in range(4)] == [(1, 1), (0, 1), (0, 0), (0, 1)]
    apart = text.replace("0.png,Mass,a", "0.png,Mass,z")
    with pytest.raises(DatasetError, match="1 of 4 images have rows of different classes"):
        tabled(folder, apart, **said)
    wrong = text + "3.png,No Finding,d\n"
    with pytest.raises(DatasetError, match=r"1 of 4 images .* e.g. img/3.png in lines 6, 7"):
        tabled(folder, wrong, **said)


def test_a_row_for_each_finding_is_asked_about_where_classes_exclude_each_other(folder):
    text = rows("file,dx", "0.png,Effusion", "0.png,Mass", "1.png,Mass", "2.png,Normal")
    with pytest.raises(DatasetError, match=r"1 of 3 images have rows .*--label-separator"):
        tabled(folder, text, class_column="dx")


def test_columns_that_contradict_each_other_are_asked_about_as_classes_are(tmp_path):
    """A slip of the pen costs its image, whatever the column; more than that is no slip."""
    folder = touched(tmp_path, [f"{n}.png" for n in range(60)])
    lines = [f"{n}.png,{n % 2}" for n in range(60)]
    slip = tabled(folder, rows("file,Effusion", *lines, "0.png,1"), **ONE)
    (refused,) = slip.refused
    assert refused == {"file": "0.png", "reason": "lines 2, 62 of t.csv disagree about it"}
    many = rows("file,Effusion", *lines, *(f"{n}.png,{1 - n % 2}" for n in range(20)))
    said = r"20 of 60 images have rows of different labels in t.csv, e.g. 0.png in lines 2, 62"
    with pytest.raises(DatasetError, match=said):
        tabled(folder, many, **ONE)


@pytest.mark.parametrize(
    "box", ["inf,inf,1,1", "1,1,inf,inf", "nan,1,1,1", "1,1,1,nan", "1e309,1,1,1", "a,1,1,1"]
)
def test_a_box_that_is_no_four_numbers_costs_its_row(folder, box):
    text = rows(
        "file,dx,x,y,w,h", f"0.png,Mass,{box}", "1.png,No finding,,,,", "2.png,Mass,1,1,2,3"
    )
    found = tabled(folder, text, class_column="dx", box_columns=("x", "y", "w", "h"))
    (refused,) = [entry for entry in found.refused if entry["file"] == "t.csv, line 2"]
    assert "numbers" in refused["reason"]
    assert all(math.isfinite(n) for e in found.entries for box in e.boxes for n in box[1:])


def test_boxes_that_are_none_and_leave_a_class_empty_stop(folder):
    text = rows(
        "file,dx,x,y,w,h", "0.png,No finding,,,,", *(f"{n}.png,Mass,1,1,inf,2" for n in (1, 2))
    )
    with pytest.raises(DatasetError, match=r"t.csv, line 3: the box .* No image of Mass is left"):
        tabled(folder, text, class_column="dx", box_columns=("x", "y", "w", "h"))


def test_boxes_that_lie_outside_are_said_before_and_after(tmp_path):
    folder = write(tmp_path, [f"{n}.png" for n in range(40)], side=48)
    boxes = {1: "48,0,5,6", 2: ",,,"}
    lines = [f"{n}.png,{n % 2},{boxes.get(n, '47,47,5,6')}" for n in range(40)]
    (folder / "t.csv").write_text(rows("file,Mass,x,y,w,h", *lines))
    columns = {"finding_columns": ("Mass",), "box_columns": ("x", "y", "w", "h")}
    options = Options(csv="t.csv", image_column="file", patients="unknown", **columns)
    said = "in 1 of 20 images with boxes one lies wholly outside, e.g. of 1.png"
    assert said in look(folder, options).notes[0]
    found = survey(Folder(folder), read(folder, options).entries, IngestReport(), options)
    assert said in found.notes[0]


@pytest.mark.parametrize("digits", [7, 400, 5000])
def test_an_age_of_thousands_of_digits_is_none(folder, digits):
    text = rows("file,Effusion,Age", f"0.png,1,{digits * '9'}", "1.png,0,58", "2.png,1,00058Y")
    found = tabled(folder, text, age_column="Age", **ONE)
    assert [entry.age for entry in found.entries] == [-1, 58, 58]
    assert len(found.notes[0]) < 200


def test_a_column_of_file_names_is_no_column_of_classes(tmp_path):
    names = [f"{n}.png" for n in range(30)]
    with pytest.raises(DatasetError, match=r"'file' \(--class-column\) has a class of its own for"):
        tabled(touched(tmp_path, names), rows("file", *names), class_column="file")


@pytest.mark.parametrize("name", ["results", "runs", "logs"])
def test_a_file_in_a_folder_that_is_never_read_is_said_to_be_there(name, tmp_path):
    touched(tmp_path, [*NAMES, f"{name}/9.png"])
    found = tabled(tmp_path, rows("file,Effusion", "0.png,1", f"{name}/9.png,0"), **ONE)
    (entry,) = found.refused[:1]
    assert f"'{name}/9.png' lies in a folder that is never read" in entry["reason"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"finding_columns": ("a",), "class_column": "b"}, "either --finding-columns"),
        ({"finding_columns": ("a",), "label_separator": "|"}, "goes with --class-column"),
        ({"class_column": "b", "box_columns": ("x", "y")}, "needs four"),
        ({"class_column": "b", "uncertain": "maybe"}, "--uncertain is ignore, positive"),
        ({"class_column": "b", "within": "images"}, "goes with class folders"),
        ({"class_column": "b", "splits": "train=A"}, "goes with --split-column, or with folders"),
        ({"class_column": "b", "split_fractions": "80,30,10"}, "add up to 100"),
        ({"class_column": "b", "split_fractions": "0.5,0.5"}, "add up to 100"),
        ({"class_column": "b", "resplit": True, "keep_split": True}, "contradict each other"),
    ],
)
def test_options_that_contradict_each_other(folder, said, why):
    with pytest.raises(DatasetError, match=why):
        looked(folder, csv="t.csv", image_column="file", patients="unknown", **said)

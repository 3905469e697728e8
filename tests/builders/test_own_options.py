"""What is said on the command line and what a file in the folder says, and the advice on splits."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from own_sets import touched, write

from benchmark import cli
from tfds_builders.image_folder.options import Options, read_options

TABLE = {"csv": "t.csv", "image_column": "file", "finding_columns": ["Effusion"]}


def check(folder: Path, *said: str):
    words = ["prepare", "image_folder", "--name", "mine", "--check", "--manual-dir", str(folder)]
    return CliRunner().invoke(cli.main, [*words, *said])


def tabled(folder: Path, lines: list[str], **options: object) -> Path:
    (folder / "t.csv").write_text("\n".join(["file,who,Effusion,fold", *lines]) + "\n")
    values = {key: repr(value).replace("'", '"') for key, value in (TABLE | options).items()}
    text = "\n".join(f"{key} = {value}" for key, value in values.items())
    (folder / "image_folder.toml").write_text(text)
    return folder


@pytest.fixture
def leaking(tmp_path) -> Path:
    """Two images of each patient, one of them in train and one in test."""
    names = [f"{n}_{k}.png" for n in range(40) for k in (0, 1)]
    folds = ("train", "test")
    lines = [f"{name},{name.split('_')[0]},{n // 2 % 2},{folds[n % 2]}" for n, name in
             enumerate(names)]  # fmt: skip
    said = {"patient_column": "who", "split_column": "fold"}
    return tabled(write(tmp_path, names), lines, **said)


def test_what_is_said_here_is_added_to_what_the_file_says(leaking):
    alone = check(leaking)
    assert "patients stand in several splits" in alone.output, alone.output
    assert "As image_folder.toml" not in alone.output
    anew = check(leaking, "--resplit")
    assert anew.exit_code == 0, anew.output
    assert "patients stand in several splits" not in anew.output
    said = "csv, image_column, patient_column, finding_columns, split_column"
    assert f"As image_folder.toml in the folder says: {said}" in anew.output


def test_what_is_said_here_takes_the_place_of_what_it_excludes(leaking):
    options = read_options(leaking)
    unknown = options.but(patients="unknown")
    assert (unknown.patients, unknown.patient_column) == ("unknown", "")
    assert unknown.csv == options.csv
    by_name = options.but(class_column="fold")
    assert (by_name.class_column, by_name.finding_columns) == ("fold", ())
    assert Options(keep_split=True).but(resplit=True) == Options(resplit=True)
    assert options.but() == options
    assert check(leaking, "--patients", "unknown").exit_code == 0


def test_a_file_that_cannot_be_read_is_said_whatever_else_is(leaking):
    for text in ("csv = ", "split_seed = " + 5000 * "9"):
        (leaking / "image_folder.toml").write_text(text)
        for said in ([], ["--resplit"]):
            done = check(leaking, *said)
            assert (done.exit_code, "cannot be read" in done.output) == (2, True), done.output
    (leaking / "image_folder.toml").write_bytes('csv = "t.csv"\n# größe'.encode("latin-1"))
    done = check(leaking)
    assert (done.exit_code, "line 2 has the byte 0xF6" in done.output) == (2, True), done.output


def test_fractions_are_advised_where_they_change_something(leaking):
    own = check(leaking)
    assert "--split-fractions gives validation more patients" in own.output
    assert "The set's own test: --resplit deals everything anew" in own.output
    assert "would do for" not in own.output
    dealt = check(leaking, "--resplit")
    assert "--split-fractions gives validation and test more patients" in dealt.output
    assert "The set's own" not in dealt.output


def test_a_table_that_fits_no_file_says_why(tmp_path):
    folder = tabled(touched(tmp_path, ["x.png"]), ["a.png,1,0,", "b.png,2,1,"], patients="unknown")
    done = check(folder)
    assert done.exit_code == 2
    assert "3 entries were refused: t.csv, line 2 (there is no file 'a.png')" in done.output


def test_names_that_no_set_can_hold_are_counted_before(tmp_path):
    names = [f"{c}/{n}.png" for c in ("normal", "ill") for n in range(12)]
    folder = write(tmp_path, [*names, "ill/a\nb.png", "ill/c\\d.png"])
    done = check(folder, "--patients", "unknown")
    assert "2 files or rows would be left out" in done.output, done.output
    assert "control characters in the name" in done.output

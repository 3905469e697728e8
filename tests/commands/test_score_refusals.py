"""Files that `cxr-bench score` refuses: exit code 2 and why; nothing is written or changed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.commands.conftest import SIZES, Score, lines, table
from tests.data.claimed_sets import claim, some_facts, some_lines

GOOD = "good"
"""Name of an entry that is there before every refused call; its seed is 0."""


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and when it was written last."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def refuse(score, words, why, dataset=None):
    """With and without --check a call ends with 2, says why, and leaves every file as it was."""
    before = content_of(score.folder)
    for flags in ([], ["--check"]):
        told = score(*words, *flags, **({} if dataset is None else {"dataset": dataset}))
        assert told.code == 2, told.said
        assert why in told.said
        assert len(told.said) < 1500
        assert content_of(score.folder) == before


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A folder with an entry that is there already."""
    score = Score.on_a_set(tmp_path_factory.mktemp("good"))
    told = score(score.write("good.csv", lines(SIZES)), "--name", GOOD)
    assert told.code == 0, told.said
    return score.folder


@pytest.fixture
def entered(good, tmp_path):
    """A copy of it that a test may spoil."""
    return Score(shutil.copytree(good, tmp_path / "copy"))


def text(change, content=None) -> str:
    """The lines of a good file after a change in place."""
    changed = content or lines()
    change(changed)
    return "\n".join(changed) + "\n"


def cell(number: int, value: object) -> str:
    """A good file, in which the prediction of one line is another; the header is line 1."""

    def change(all_lines):
        image = all_lines[number - 1].rpartition(",")[0]
        all_lines[number - 1] = f"{image},{value}"

    return text(change)


def named(column: str, values=None) -> str:
    """A good file with another name for the column of predictions, and maybe other values."""
    frame = table().rename(columns={"Pneumonia": column})
    return (frame if values is None else frame.assign(**{column: values})).to_csv(index=False)


def renamed(old: str, new: str) -> str:
    return text(lambda all_lines: all_lines.__setitem__(0, all_lines[0].replace(old, new)))


ROWS = {
    "no image_id": (renamed("image_id", "image"), "no column image_id, only image, split"),
    "blanks": ("\n".join(lines()).replace(",", " "), "only image_id split Pneumonia"),
    "finding misspelt": (renamed("Pneumonia", "Pnuemonia"), "Is it 'Pnuemonia'?"),
    "logit and probability": (
        table().assign(**{"logit:Pneumonia": 2.0}).to_csv(index=False),
        "more than one column for the finding 'Pneumonia': logit:Pneumonia, Pneumonia",
    ),
    "column twice": (renamed("split", "Pneumonia"), "more than one column is named 'Pneumonia'"),
    "image twice": (text(lambda all_lines: all_lines.append(all_lines[4])), "line 62: this image"),
    "image missing": (text(lambda all_lines: all_lines.pop()), "(60): 1 missing ('test"),
    "image of elsewhere": (
        text(lambda all_lines: all_lines.append("x7,test,0.5")),
        "0 missing, 1 not in it ('x7')",
    ),
    "train in part": (
        text(lambda all_lines: all_lines.extend(lines(["train"])[1:10])),
        "its train images are not those of the data set (40): 31 missing",
    ),
    "no column split": (
        table(["train", "test"]).drop(columns="split").to_csv(index=False),
        "40 not in it ('train000', 'train001', 'train002', ...). All and only these images are "
        "scored, or numbers would not compare. Of the set's other splits are 40: a column split",
    ),
    "test missing": ("\n".join(lines(["train"])), "its test images are not"),
    "unknown split": (text(lambda a: a.__setitem__(1, "test000,val,0.5")), "line 2: split is not"),
    "text for a number": (cell(4, "high"), "line 4: Pneumonia is not a finite number: 'high'"),
    "decimal comma": (
        "\n".join(lines()).replace(",", ";").replace(".", ","),
        "is not a finite number (a decimal comma? write 0.5, not 0,5)",
    ),
    "text behind empty lines": (
        cell(4, "high").replace("\n", "\n\n  \n", 2),
        "line 8: Pneumonia is not a finite number: 'high'",
    ),
    "text behind empty lines of Windows": (
        cell(4, "high").replace("\n", "\r\n\r\n"),
        "line 7: Pneumonia is not a finite number: 'high'",
    ),
    "text behind cells of three lines": (
        "\n".join(
            [f"{lines()[0]},note", *(f'{x},"a "",\n\nb"' for x in cell(4, "high").split()[1:])]
        ),
        "line 8: Pneumonia is not a finite number: 'high'",
    ),
    "empty cell": (cell(5, ""), "line 5: Pneumonia is not a finite number"),
    "not a number": (cell(6, "nan"), "line 6: Pneumonia is not a finite number"),
    "infinite": (cell(7, "-inf"), "line 7: Pneumonia is not a finite number"),
    "above one": (cell(8, 1.5), "line 8: Pneumonia is not a probability in [0, 1]: '1.5'"),
    "below zero": (cell(9, -0.1), "line 9: Pneumonia is not a probability in [0, 1]"),
    "beyond float32": (
        named("logit:Pneumonia", [1e39, *range(59)]),
        "line 2: logit:Pneumonia is too large for a logit (float32): '1e+39'",
    ),
    "probabilities as logits": (named("logit:Pneumonia"), "these look like probabilities"),
    "too many cells": (cell(3, "0.5,7"), "Expected 3 fields in line 3, saw 4"),
    "too many cells in every line": (
        "\n".join([lines()[0], *(f"{line},7" for line in lines()[1:])]),
        "more cells than the header, which has 3",
    ),
    "too many lines": (
        text(lambda a: a.extend(f"{i},test,0.5" for i in range(999))),
        "has 1059 lines or more, the data set has 140 images",
    ),
    "a full file and an image again": (
        [*lines(SIZES), lines(SIZES)[7]],
        "line 142: this image has a line already: 'train",
    ),
    "a full file and another image": ([*lines(SIZES), "other,test,0.5"], "1 not in it ('other')"),
    "too many columns": (
        "image_id,Pneumonia," + ",".join(map(str, range(999))) + "\n",
        "has 1001 columns, at most 1000 are read",
    ),
    "a long name": (renamed("split", "x" * 301), "a column's name has 301 characters"),
    "a long id": (text(lambda a: a.append("x" * 301 + ",test,0.5")), "image_id: texts of more"),
    "a long first line": ("x" * 2_000_000, "not a readable CSV table (field larger than"),
    "empty": ("", "neither CSV, plain or gzipped, nor Parquet nor NPZ. CSV is text in UTF-8"),
    "a blank first line": ("\n" + "\n".join(lines()), "whose first line names the columns"),
    "a header alone": ("image_id,Pneumonia\n", "60 missing"),
}


def gzipped(change) -> bytes:
    data = bytearray(gzip.compress("\n".join(lines()).encode()))
    change(data)
    return bytes(data)


def in_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("theirs.csv"))
    return file.getvalue()


def in_zip(name: str, content: bytes, **how) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **how) as archive:
        archive.writestr(name, content)
    return file.getvalue()


PLAIN = "\n".join(lines()).encode()
NO_TABLE = "not a readable file of predictions"
NO_TEXT = "no text in UTF-8; save it as such (spreadsheets: CSV UTF-8)"
UMLAUTS = "\n".join([*lines(), "Größe"])
PACKED = {
    "text behind empty lines, gzipped": (
        gzip.compress(cell(4, "high").replace("\n", "\n\n").encode()),
        "line 7: Pneumonia is not a finite number: 'high'",
    ),
    "gzip cut short": (gzipped(lambda data: data.__delitem__(slice(-9, None))), "gzip file"),
    "gzip damaged": (gzipped(lambda data: data.__setitem__(slice(12, 14), b"\xff\xff")), NO_TABLE),
    "a bomb": (gzip.compress(bytes(80_000_000), 9), "more than 200 times its own size"),
    "gzip of gzip": (gzip.compress(gzip.compress(PLAIN)), "neither CSV, plain or gzipped"),
    "another encoding": (UMLAUTS.encode("latin-1"), NO_TEXT),
    "another encoding in the first line": (("Größe," + UMLAUTS).encode("cp1252"), NO_TEXT),
    "another encoding, gzipped": (gzip.compress(UMLAUTS.encode("latin-1")), NO_TEXT),
    "UTF-16 cut short": (PLAIN.decode().encode("utf-16")[:-1], NO_TEXT),
    "UTF-16 of something else": ("some text".encode("utf-16"), "no column image_id"),
    "a workbook": (in_zip("[Content_Types].xml", b"x"), "a workbook? Save it as CSV UTF-8"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "spreadsheets save it as CSV UTF-8"),
    "tar": (in_tar(), "neither CSV, plain or gzipped"),
    "xz": (lzma.compress(PLAIN), "neither CSV, plain or gzipped"),
    "bz2": (bz2.compress(PLAIN), NO_TABLE),
    "zstandard": (pa.compress(PLAIN, codec="zstd", asbytes=True), NO_TABLE),
    "zip of a CSV file": (in_zip("theirs.csv", PLAIN), "holds 'theirs.csv', so no NPZ file"),
    "pickle": (pickle.dumps(table()), NO_TABLE),
    "zip cut short": (in_zip("Pneumonia.npy", PLAIN)[:-5], "not a readable NPZ file"),
}


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def npz(**changes) -> bytes:
    """A good NPZ file after some arrays were changed."""
    file, frame = io.BytesIO(), table()
    good = {"image_id": frame["image_id"].to_numpy(str), "Pneumonia": frame["Pneumonia"].to_numpy()}
    np.savez(file, **good | changes)
    return file.getvalue()


def npy(header: str, data: bytes = b"") -> bytes:
    """A good NPZ file in which the header of the predictions says something else."""
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data
    file = io.BytesIO()
    np.savez(file, image_id=table()["image_id"].to_numpy(str))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("Pneumonia.npy", array)
    return file.getvalue()


def saying(shape: str, descr: str = "<f8") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"


def recompressed(data: bytes) -> bytes:
    """The same zip file, its members compressed by a method that may not end."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(file, "w", compression=zipfile.ZIP_LZMA) as other,
    ):
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    return file.getvalue()


def with_two_of_a_name() -> bytes:
    file = io.BytesIO(npz())
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("Pneumonia.npy", archive.read("Pneumonia.npy"))
    return file.getvalue()


NPZ = {
    "pickled ids": (npz(image_id=table()["image_id"].to_numpy(object)), "pickled objects, which"),
    "numbers as ids": (npz(image_id=np.arange(60)), "image_id holds numbers in place of text"),
    "two dimensions": (npz(Pneumonia=np.full((60, 1), 0.5)), "not a flat array"),
    "truth values": (npz(Pneumonia=np.ones(60, bool)), "not a flat array of text or numbers"),
    "one short": (npz(Pneumonia=np.full(59, 0.5)), "not equally long: 60 of image_id, 59 of"),
    "too long": (npz(Pneumonia=np.full(999, 0.5)), "lines or more, the data set has 140 images"),
    "a value beyond float32": (
        npz(**{"Pneumonia": np.ones(60), "logit:Pneumonia": np.full(60, 1e39)}),
        "more than one column for the finding",
    ),
    "not a number": (npz(Pneumonia=np.r_[0.5, np.nan, np.full(58, 0.5)]), "entry 2: Pneumonia is"),
    "long ids": (npz(image_id=np.array(["x" * 301] * 60)), "texts of more than 300 characters"),
    "bytes that are no text": (npz(image_id=np.array([b"\xff"] * 60)), "not a readable array"),
    "a name twice": (with_two_of_a_name(), "more than one column is named 'Pneumonia'"),
    "a header that lies": (npy(saying("(60,)")), "Pneumonia: is cut short"),
    "a huge header": (
        npy(saying("(1000000000000,)")),
        "lines or more, the data set has 140 images",
    ),
    "objects behind a header": (npy(saying("(60,)", "|O")), "holds pickled objects"),
    "no header": (npy("exit()"), "Pneumonia: not a readable array"),
    "a bomb": (in_zip("x.npy", bytes(80_000_000), compression=zipfile.ZIP_DEFLATED), "200 times"),
    "another compression": (recompressed(npz()), "compressed in a way that NumPy does not"),
}


def parquet(**changes) -> bytes:
    """A good Parquet file after some columns were changed."""
    frame, file = table(), io.BytesIO()
    good = {"image_id": pa.array(frame["image_id"].tolist()), "Pneumonia": frame["Pneumonia"]}
    pq.write_table(pa.table(good | changes), file)
    return file.getvalue()


HALF = [0.5] * 60
PARQUET = {
    "no id": (parquet(image_id=pa.array([None, *table()["image_id"][1:]])), "60): 1 missing"),
    "no number": (parquet(Pneumonia=pa.array([0.5, None, *HALF[2:]])), "entry 2: Pneumonia is"),
    "text for numbers": (parquet(Pneumonia=pa.array(["high"] * 60)), "entry 1: Pneumonia is not a"),
    "truth values": (parquet(Pneumonia=pa.array([True] * 60)), "Pneumonia: bool, neither text"),
    "lists": (parquet(Pneumonia=pa.array([[0.5]] * 60)), "neither text nor numbers"),
    "numbers as ids": (parquet(image_id=pa.array(range(60))), "image_id holds numbers in place"),
    "a long id": (parquet(image_id=pa.array(["x" * 301] * 60)), "texts of more than 300"),
    "both forms": (parquet(**{"logit:Pneumonia": pa.array(HALF)}), "more than one column for the"),
    "too long": (
        parquet(image_id=pa.array(["x"] * 999), Pneumonia=pa.array([0.5] * 999)),
        "lines or more, the data set has 140 images",
    ),
    "too many columns": (
        parquet(**{f"x{i}": pa.array(HALF) for i in range(999)}),
        "has 1001 columns",
    ),
    "cut short": (parquet()[:-20], "not a readable Parquet file"),
    "damaged": (parquet()[:20] + bytes(60) + parquet()[80:], "not a readable Parquet file"),
    "nothing but its mark": (b"PAR1", "not a readable Parquet file"),
}

FILES = {
    f"{form}: {case}": found
    for form, cases in {"csv": ROWS, "packed": PACKED, "npz": NPZ, "parquet": PARQUET}.items()
    for case, found in cases.items()
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_wrong_is_refused_and_the_good_entry_stays(case, entered):
    content, why = FILES[case]
    path = entered.write("bad.csv", content)
    refuse(entered, [path, "--name", GOOD, "--replace"], why)


GOOD_FILE, OTHER = Path("good.csv"), Path("other.csv")
CALLS = {
    "a name that is taken": ([OTHER, "--name", GOOD], "the name 'good' is taken on this data set"),
    "a model of ours": ([OTHER, "--name", "cnn"], "'cnn' is the name of a model that is trained"),
    "ours in capitals": ([OTHER, "--name", "DenseNet121"], "is the name of a model that is"),
    "an ensemble of ours": ([OTHER, "--name", "vote_s3"], "is the name of a model that is"),
    "no name": ([OTHER, "--name", "../cnn"], "cannot be a model's name"),
    "a long name": ([OTHER, "--name", "x" * 61], "at most 60 characters; for instance xxx"),
    "no name for several": ([GOOD_FILE, OTHER], "say what to call it by --name"),
    "a negative seed": ([OTHER, "--name", "x", "--seed", -1], "-1 is not in the range"),
    "a seed that is too large": ([OTHER, "--name", "x", "--seed", 2**32], "not in the range"),
    "a seed that is no number": ([OTHER, "--name", "x", "--seed", 1.5], "not a valid integer"),
    "fewer seeds than files": (
        [GOOD_FILE, OTHER, "--name", "x", "--seed", 1],
        "2 files have 1 seeds",
    ),
    "one seed twice": (
        [GOOD_FILE, OTHER, "--name", "x", "--seed", 1, "--seed", 1],
        "two files have the same seed",
    ),
    "the same file under two seeds": (
        [OTHER, OTHER, "--name", "x"],
        "'x': seeds 0 and 1 have the same predictions",
    ),
    "the predictions of an earlier seed": (
        [GOOD_FILE, "--name", GOOD, "--seed", 5],
        "'good': seeds 5 and 0 have the same predictions",
    ),
    "deterministic with several seeds": (
        [GOOD_FILE, OTHER, "--name", "x", "--deterministic"],
        "said to be deterministic, with several seeds (0, 1)",
    ),
    "deterministic beside an earlier seed": (
        [OTHER, "--name", GOOD, "--seed", 5, "--deterministic"],
        "said to be deterministic, with several seeds (5, 0)",
    ),
    "another model under the name": (
        [OTHER, "--name", GOOD, "--seed", 5, "--reference", "elsewhere"],
        "'good': seeds 5 and 0 differ in their reference ('elsewhere', '')",
    ),
    "another size under the name": (
        [OTHER, "--name", GOOD, "--seed", 5, "--parameters", 7],
        "differ in their parameters (7, None)",
    ),
    "seeds with other splits": (
        [GOOD_FILE, Path("test.csv"), "--name", "x"],
        "'x': seeds 0 and 1 differ in their splits ('train, validation, test', 'test')",
    ),
    "a reference of two lines": ([OTHER, "--reference", "a\nb"], "one line of at most 500"),
    "one of several files is wrong": ([OTHER, Path("bad.csv"), "--name", "x"], "line 2: Pneumonia"),
    "no such file": ([Path("nothing.csv")], "nothing.csv: there is no such file"),
    "a folder": ([Path()], "is a directory"),
    "a device": ([Path("/dev/null"), "--name", "x"], "not a regular file"),
    "no file": ([], "name the files of predictions"),
    "templates of several": ([OTHER, GOOD_FILE, "--template", "x/y"], "--template writes one file"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_call_that_is_wrong_is_refused(case, entered):
    words, why = CALLS[case]
    entered.write("other.csv", lines(SIZES, seed=1))
    entered.write("test.csv", lines(seed=1))
    entered.write("bad.csv", cell(2, 2))
    refuse(entered, words, why)


@pytest.mark.parametrize("name", ["predictions", "rows"])
def test_nothing_is_entered_through_a_link(name, entered, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(entered.results.folder / name)
    (entered.results.folder / name).symlink_to(elsewhere)
    told = entered(Path("good.csv"), "--name", "other")
    assert (told.code, [*elsewhere.iterdir()]) == (2, [])
    assert f"{name} leads to another folder" in " ".join(told.said.split())


def test_a_deterministic_entry_gets_no_second_seed(score):
    first, second = (score.write(f"{seed}.csv", lines(seed=seed)) for seed in (0, 1))
    assert score(first, "--name", "theirs", "--deterministic").code == 0
    refuse(
        score, [second, "--name", "theirs", "--seed", 1], "said to be deterministic, with several"
    )


def test_a_name_of_a_model_that_was_trained_into_this_folder_is_refused(score):
    from tests.records.rows import a_row, a_spec

    score.results.write_row(a_row(a_spec(model="my_own")))
    refuse(score, [score.write("f.csv", lines()), "--name", "My_Own"], "a model that is trained")


SETS = {
    "none": ("", "name the files of predictions, and their set by --dataset"),
    "unknown": ("nowhere/nothing", "unknown dataset 'nowhere/nothing'"),
    "not prepared": ("kermany_pneumonia/official", "is not prepared in"),
    "of masks": ("lung_masks/shenzhen", "holds lung masks"),
    "leaking protocol": ("kermany_pneumonia/internal@legacy_s3", "which leaks"),
    "leaking": ("kermany_pneumonia/internal_three_class", "leaks: a reason. Nothing is scored"),
}


@pytest.mark.parametrize("case", SETS)
def test_a_set_that_nothing_can_be_scored_on_is_refused(case, score):
    dataset, why = SETS[case]
    leaking = {"leakage_status": "leak", "reasons": ["a reason"]}
    folder = score.data_dir / "kermany_pneumonia" / "internal_three_class" / "1.0.0"
    claim(folder, some_lines(60, "Pneumonia"), **leaking)
    without_findings = some_lines().iloc[:, :10].assign(mask_sha256="0", pairing="x")
    claim(score.data_dir / "lung_masks" / "shenzhen" / "1.0.0", without_findings, some_facts())
    refuse(score, [score.write("theirs.csv", "image_id,Pneumonia\n")], why, dataset)


def test_nothing_in_a_file_is_executed(score):
    marker = score.folder / "executed"
    evil = np.array([Touches(marker)] * 60, object)
    for content in (pickle.dumps(Touches(marker)), npz(Pneumonia=evil)):
        assert score(score.write("evil.csv", content)).code == 2
    assert not marker.exists()

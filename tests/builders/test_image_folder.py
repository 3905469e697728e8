"""A set of one's own: what people have, what they say about it, and what they forget to say."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.data.discovery import datasets, find_dataset
from benchmark.data.prepared import NotPrepared, load_prepared
from benchmark.errors import UnknownName
from tests.builders.read_back import read_back
from tests.command_line import cxr_bench
from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.image_folder import class_folders, fake_raw, table
from tfds_builders.image_folder.image_folder_dataset_builder import Builder
from tfds_builders.image_folder.options import Options, read_options

COLUMNS = {"image_column": "file", "finding_columns": ("Effusion", "Edema")}
BY_NAME = Options(patient_pattern="^([0-9]+)_")
BY_COLUMN = Options(csv="labels.csv", patient_column="person", **COLUMNS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    root = fake_raw.write_folders(tmp_path_factory.mktemp("folders"), size=32)
    (root / "image_folder.toml").unlink()
    return root


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    return fake_raw.write_table(tmp_path_factory.mktemp("table"), size=32)


@pytest.fixture
def make(tmp_path):
    """Function (folder, options) -> prepared builder."""
    tfds.disable_progress_bar()

    def run(folder: Path, options: Options):
        config = Builder.configure(folder, "my_set", options)
        builder = Builder(config=config, data_dir=tmp_path / "data")
        download = tfds.download.DownloadConfig(manual_dir=folder)
        builder.download_and_prepare(download_config=download)
        return builder

    return run


@pytest.fixture
def own(folders, tmp_path) -> Path:
    """A copy of the class folders, to be spoiled."""
    return Path(shutil.copytree(folders, tmp_path / "own"))


@pytest.fixture
def listed(films, tmp_path) -> Path:
    """A copy of the set with a table, to be spoiled."""
    return Path(shutil.copytree(films, tmp_path / "listed"))


def reasons(builder) -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in builder.info.metadata["quarantined"]}


def rewrite(folder: Path, change) -> None:
    """Let a function change the lines of the table."""
    path = folder / "labels.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\n".join(change(lines)) + "\n")


def test_two_folders_of_which_one_is_normal_are_binary(folders, make):
    builder = make(folders, BY_NAME)
    assert builder.info.metadata["findings"] == ["EFFUSION"]
    assert builder.info.metadata["kind"] == "binary"
    assert not builder.info.metadata["quarantined"]
    found = read_back(builder)
    assert len(found) == len(list(folders.glob("*/*")))
    by_patient = {}
    for name, one in found.items():
        assert one["findings"].tolist() == [name.startswith("EFFUSION")]
        assert one["patient_id"].decode() == Path(name).name.split("_")[0]
        by_patient.setdefault(one["patient_id"], set()).add(one["split"])
        with Image.open(folders / name) as image:
            if image.format == "PNG":
                np.testing.assert_array_equal(one["image"][..., 0], np.asarray(image))
    assert all(len(splits) == 1 for splits in by_patient.values())


def test_three_folders_are_exclusive_classes():
    names = [f"{c}/{n}.png" for c in ("tuberculosis", "Healthy", "COVID-19") for n in range(3)]
    found = class_folders.read(names, None)
    assert (found.findings, found.kind) == (("COVID-19", "Healthy", "tuberculosis"), "multiclass")
    assert Counter(entry.findings for entry in found.entries) == {
        (1, 0, 0): 3, (0, 1, 0): 3, (0, 0, 1): 3,
    }  # fmt: skip


@pytest.mark.parametrize("normal", ["NORMAL", "no_finding", "No Finding", "Healthy", "negative"])
def test_words_for_normal(normal):
    assert class_folders.read([f"{normal}/a.png", "ill/b.png"], None).findings == ("ill",)


def test_a_split_of_ones_own_is_kept_and_completed(make, tmp_path):
    folder = fake_raw.write_folders(
        tmp_path / "raw", patients=60, size=32, pools=("train", "train", "test")
    )
    builder = make(folder, BY_NAME)
    for name, one in read_back(builder).items():
        assert (one["split"] == "test") == name.startswith("test/")
    assert "the set's own: test, train" in builder.info.metadata["split_source"]
    assert "validation 10%" in builder.info.metadata["split_source"]


def test_a_complete_split_is_taken_as_it_is(make, tmp_path):
    folder = fake_raw.write_folders(tmp_path / "raw", size=32, pools=("Train", "val", "test"))
    pools = {"Train": "train", "val": "validation", "test": "test"}
    for name, one in read_back(make(folder, BY_NAME)).items():
        assert one["split"] == pools[name.split("/")[0]]


def test_the_table_decides(films, make):
    builder = make(films, BY_COLUMN)
    assert builder.info.metadata["kind"] == "multilabel"
    assert builder.info.metadata["findings"] == ["Effusion", "Edema"]
    found = read_back(builder)
    assert len(found) == 36
    for name, one in found.items():
        number = int(Path(name).stem) // 100
        assert one["patient_id"].decode() == f"{number:04d}"
        known = number % 5 != 0
        assert one["labelled"].tolist() == [known, 1]
        assert one["findings"].tolist() == [known and number % 2 == 0, number % 3 == 0]


def test_nothing_is_split_by_image_unless_asked_for(folders, films):
    for folder, options in (
        (folders, Options()),
        (films, Options(csv="labels.csv", **COLUMNS)),
        (folders, None),
    ):
        with pytest.raises(DatasetError, match="--patients unknown"):
            Builder.configure(folder, "my_set", options)


def test_unknown_patients_are_said_and_every_image_is_its_own(folders, make):
    builder = make(folders, Options(patients="unknown"))
    assert builder.info.metadata["patients_unknown"] is True
    assert "by images" in builder.info.metadata["split_source"]
    for name, one in read_back(builder).items():
        assert one["patient_id"].decode() == name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(patient_pattern="([0-9]+"), "is no regular expression: missing \\)"),
        (Options(patient_pattern="[0-9]+"), "has 0 groups; it needs one"),
        (Options(patient_pattern="(a)(b)"), "has 2 groups"),
        (Options(patient_pattern="^(zebra)"), "is found in no file name or path, or in too few"),
        (Options(patients="none"), "can only be said to be 'unknown' or 'header'"),
        (Options(patients="unknown", patient_pattern="(a)"), "more than one way"),
        (Options(image_column="file", patients="unknown"), "no table: add --csv"),
        (Options(csv="labels.csv", patients="unknown", **COLUMNS), "no table labels.csv"),
    ],
)
def test_options_that_make_no_sense(folders, make, options, said):
    with pytest.raises(DatasetError, match=said):
        make(folders, options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(csv="labels.csv", patients="unknown"), "which columns"),
        (Options(csv="no.csv", patients="unknown", **COLUMNS), "no table no.csv"),
        (
            Options(csv="labels.csv", patient_column="Patient", **COLUMNS),
            "no column 'Patient'. Its columns are 'file', 'person', 'Effusion', 'Edema'",
        ),
        (
            Options("labels.csv", "file", "person", ("Edema", "edema")),
            "two findings have one name",
        ),
    ],
)
def test_tables_that_are_not_as_said(films, options, said):
    with pytest.raises(DatasetError, match=said):
        Builder.configure(films, "my_set", options)


@pytest.mark.parametrize("name", ["", "My Set", "../up", "a/b", "1st", "x" * 60, "sét"])
def test_a_name_is_a_word_and_no_path(folders, name):
    with pytest.raises(DatasetError, match="cannot be called"):
        Builder.configure(folders, name, BY_NAME)


def test_names_without_a_patient_are_left_out(own, make):
    Image.new("L", (32, 32)).save(own / "NORMAL" / "holiday.png")
    Image.new("L", (32, 32)).save(own / "cover.png")
    assert reasons(make(own, BY_NAME)) == {
        "NORMAL/holiday.png": "the patient pattern is not found in its name or path",
        "cover.png": "not in a class folder",
    }


def test_identical_images_are_one_patient(own, make):
    images = sorted((own / "NORMAL").iterdir())
    shutil.copy(images[0], own / "NORMAL" / "777_0.png")
    found = read_back(make(own, BY_NAME))
    original = found[f"NORMAL/{images[0].name}"]
    assert found["NORMAL/777_0.png"]["patient_id"] == original["patient_id"]
    assert found["NORMAL/777_0.png"]["split"] == original["split"]


def test_what_a_table_gets_wrong_is_left_out(listed, make, tmp_path):
    Image.new("L", (32, 32)).save(listed / "films" / "extra.png")
    (tmp_path / "secret.png").write_bytes(b"not theirs")
    (listed / "more").mkdir()
    shutil.copy(listed / "films" / "200.png", listed / "more" / "200.png")

    def spoil(lines):
        wrong = {
            "200.png;": lambda line: line,
            "100.png;": lambda line: line.replace(";0;0", ";maybe;0"),
            "101.png;": lambda line: line.replace(";0001;", ";;"),
            "400.png;": lambda line: line.rsplit(";", 2)[0] + ";;",
            "600.png;": lambda line: line.replace("600.png", "../../secret.png"),
        }
        changed = [
            next((f(line) for start, f in wrong.items() if line.startswith(start)), line)
            for line in lines
        ]
        again = [line for line in lines if line.startswith("800.png")]
        return [*changed, *again, "gone.png;9;1;1", "short", ""]

    rewrite(listed, spoil)
    builder = make(listed, BY_COLUMN)
    said = " ".join(reasons(builder).values())
    for part in (
        "'200.png' may be films/200.png or more/200.png",
        "Effusion is 'maybe'",
        "no patient is given for films/101.png",
        "no finding of films/400.png is labelled",
        "there is no file '../../secret.png'",
        "films/800.png has a row already",
        "there is no file 'gone.png'",
        "there is no file 'short'",
    ):
        assert part in said, part
    assert "films/extra.png" in reasons(builder)
    images = len(list(listed.rglob("*.png")))
    lost = [file for file in reasons(builder) if file.endswith(".png")]
    assert builder.info.splits.total_num_examples <= images - len(lost)
    kept = set(read_back(builder))
    assert "films/800.png" in kept
    assert not kept & {"films/200.png", "more/200.png", "films/extra.png"}


@pytest.mark.parametrize(
    "content", [b"\xff\xfef\0i\0l\0e\0", b"file;person\n\0;\0\n", b"", b"\n\n"]
)
def test_tables_that_are_none(listed, content):
    (listed / "labels.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"UTF-8|cannot be read|no column"):
        Builder.configure(listed, "my_set", BY_COLUMN)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 600))
def test_a_mutated_table_is_an_error_or_is_accounted_for(films, tmp_path_factory, noise, place):
    path = tmp_path_factory.mktemp("mutated") / "labels.csv"
    data = (films / "labels.csv").read_bytes()
    path.write_bytes(data[:place] + noise + data[place + len(noise) // 2 :])
    names = [file.relative_to(films).as_posix() for file in films.rglob("*.png")]
    try:
        found = table.read(path, names, BY_COLUMN, None)
    except DatasetError:
        return
    refused = {entry["file"] for entry in found.refused}
    kept = {entry.image for entry in found.entries}
    assert kept <= set(names)
    assert len(kept) == len(found.entries)
    assert kept.isdisjoint(refused)
    # An image is kept, named as left out, or the line that named it is.
    lines = sum(", line " in file for file in refused)
    assert len(set(names) - kept - refused) <= lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_patern = 'x'", "Did you mean 'patient_pattern'"),
        ("csv = 3", "csv has to be a text"),
        ("finding_columns = 'a,b'", "has to be a list of texts"),
        ("csv = ", "cannot be read"),
    ],
)
def test_an_options_file_says_what_is_wrong(tmp_path, text, said):
    (tmp_path / "image_folder.toml").write_text(text)
    with pytest.raises(DatasetError, match=said):
        read_options(tmp_path)


def test_the_options_file_is_as_good_as_options(films, tmp_path):
    (tmp_path / "image_folder.toml").write_text(
        'csv = "labels.csv"\nimage_column = "file"\npatient_column = "person"\n'
        'finding_columns = ["Effusion", "Edema"]\n'
    )
    assert read_options(tmp_path) == BY_COLUMN


@pytest.mark.parametrize("tree", [["one/a.png"], ["test/a/1.png", "test/b/1.png"], ["a.png"]])
def test_what_is_no_set_is_told(tmp_path, tree):
    for name in tree:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"image")
    with pytest.raises(LayoutError, match="does not hold two classes"):
        Builder.configure(tmp_path, "my_set", BY_NAME)


def test_a_table_that_fits_no_file_says_so(listed, make):
    rewrite(listed, lambda lines: [lines[0], *(f"x{line}" for line in lines[1:])])
    with pytest.raises(DatasetError, match=r"no image of .* can be used.*there is no file 'x"):
        make(listed, BY_COLUMN)


def test_too_few_patients_are_refused(make, tmp_path):
    folder = fake_raw.write_folders(tmp_path / "raw", patients=2, size=32)
    with pytest.raises(DatasetError, match="too few patients"):
        make(folder, BY_NAME)


def test_nobodys_set_says_so(tmp_path):
    builder = Builder(data_dir=tmp_path)
    with pytest.raises(DatasetError, match="which set"):
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=tmp_path)
        )


def test_prepare_on_the_command_line_then_find_it_again(films, tmp_path):
    arguments = ["prepare", "image_folder", "--manual-dir", films, "--data-dir", tmp_path]
    arguments += ["--cache-dir", tmp_path / "cache"]
    arguments += ["--csv", "labels.csv", "--image-column", "file", "--patients", "unknown"]
    done = cxr_bench(*arguments, "--finding-columns", "Effusion,Edema", "--name", "my_set")
    assert done.exit_code == 0, done.output
    assert "which images are of one patient is not known" in done.output

    prepared = load_prepared("image_folder/my_set", tmp_path)
    assert prepared.derived.leakage_status != "clean"
    assert prepared.task.findings == ("Effusion", "Edema")
    assert str(films) not in (prepared.path / "metadata.json").read_text()
    assert "image_folder/my_set" in datasets(tmp_path)
    assert "image_folder/my_set" in cxr_bench("list", "datasets", "--data-dir", tmp_path).output
    assert tfds.load("image_folder/my_set", split="test", data_dir=tmp_path).cardinality() > 0

    other = cxr_bench(*arguments, "--finding-columns", "Edema", "--name", "my_set")
    assert other.exit_code == 2
    assert "--finding-columns: was 'Effusion,Edema', now 'Edema'" in other.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image_folder"], "Give it a name: --name my_set"),
        (["image_folder", "--name", "../up"], "cannot be called '../up'"),
        (["image_folder", "--name", "my_set"], "--patients unknown"),
        (["image_folder", "--name", "my_set", "--patient-pattern", "("], "no regular expression"),
        (["thorax_phantom/small", "--patients", "unknown"], "only for sets of your own"),
    ],
)
def test_the_command_line_says_what_is_missing(folders, tmp_path, arguments, said):
    done = cxr_bench("prepare", *arguments, "--manual-dir", folders, "--data-dir", tmp_path)
    assert done.exit_code == 2
    assert said in done.output


def test_a_set_of_ones_own_has_any_name(tmp_path):
    assert find_dataset("image_folder/my_set").own
    with pytest.raises(NotPrepared, match="cxr-bench prepare image_folder/my_set"):
        load_prepared("image_folder/my_set", tmp_path)
    with pytest.raises(UnknownName):
        find_dataset("image_folder/../other")


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ("mine", r"mean 'image_folder/mine'\? All there are: cxr-bench list datasets\.$"),
        ("chestxray14/fourteeen", "Did you mean 'chestxray14/fourteen'"),
        ("image_foldr/mine", "Did you mean 'image_folder/mine'"),
        ("xyz/qqqq", "There are, among others: chestxray14, image_folder, kermany_pneumonia, "),
    ],
)
def test_an_unknown_set_is_answered_with_the_nearest_not_with_all(tmp_path, said, near):
    facts = tmp_path / "image_folder" / "mine" / "1.0.0" / "prepared.json"
    facts.parent.mkdir(parents=True)
    facts.write_text("{}")
    with pytest.raises(UnknownName, match=near) as told:
        find_dataset(said, tmp_path)
    assert "cxr-bench list datasets" in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.real
def test_real_folders(real_data, make):
    folder = real_data / "kermany_224" / "chest_xray" / "test"
    builder = make(folder, Options(patient_pattern="(IM-[0-9]+|person[0-9]+)"))
    found = read_back(builder)
    assert not builder.info.metadata["quarantined"]
    assert Counter(int(one["findings"][0]) for one in found.values()) == {0: 234, 1: 390}

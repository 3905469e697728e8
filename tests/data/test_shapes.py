"""What is known of the original files: found out, written, read back, and a user's table of it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.cli import main
from benchmark.data.discovery import find_dataset
from benchmark.data.facts import FACTS
from benchmark.data.manifest import MANIFEST
from benchmark.data.prepare import prepare
from benchmark.data.prepared import Prepared, load_prepared
from benchmark.data.shape_recording import record_shapes
from benchmark.data.shapes import NUMBERS, SHAPES, Shapes, obstacle
from benchmark.data.sizes import read_sizes
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.door import RecordError, write_record
from tests.data.claimed_sets import claim, some_lines
from tfds_builders.image_folder.options import Options
from tfds_builders.kermany_pneumonia import fake_raw as kermany_raw
from tfds_builders.shapes import Shape, shape

SET, OWN, KERMANY = "some/set", "image_folder/mine", "kermany_pneumonia/internal"


def made(*sizes, **numbers) -> Shapes:
    """Shapes of images of these sizes; None for one that is not known."""
    known = dict.fromkeys(NUMBERS, [None] * len(sizes)) | {
        "width": [size and size[0] for size in sizes],
        "height": [size and size[1] for size in sizes],
    }
    ids = [f"i{k}" for k in range(len(sizes))]
    return Shapes(**known | numbers, manifest_sha256="0" * 64, image_id=ids)


def by_image(prepared: Prepared) -> dict[str, tuple]:
    """Image -> width, height, spacing, bits and bytes a pixel."""
    columns = [getattr(prepared.shapes, name) for name in NUMBERS]
    return dict(zip(prepared.shapes.image_id, zip(*columns, strict=True), strict=True))


# The record


def test_what_is_not_known_is_no_number():
    columns = made((2, 3), None, bits=[8, None]).columns()
    np.testing.assert_array_equal(columns["width"], [2, np.nan])
    np.testing.assert_array_equal(columns["bits"], [8, np.nan])
    np.testing.assert_array_equal(made((2, 3), (4, 5)).columns([1, 1])["height"], [5, 5])


@pytest.mark.parametrize(
    ("shapes", "vary"),
    [
        (made((2, 3), (2, 3)), False),
        (made((2, 3), (2, 4)), True),
        (made((2, 3), (2, 3), spacing=[0.1, 0.2]), True),
        (made((2, 3), (2, 3), spacing=[0.1, None]), False),  # a gap in a table is no shape
        (made((2, 3), None, bits=[8, 16]), False),
    ],
)
def test_shapes_vary_in_any_number_that_is_known(shapes, vary):
    assert shapes.vary == vary
    assert ("same shape (2 x 3 px)" in obstacle(SET, shapes)) == (shapes.known.all() and not vary)


def test_an_obstacle_says_what_to_do():
    assert f"cxr-bench prepare {SET}" in obstacle(SET, None)
    said = obstacle(SET, made((2, 3), None, None))
    assert "2 of the 3 images" in said
    assert "--sizes FILE" in said
    assert not obstacle(SET, made((2, 3), (3, 2)))


@pytest.fixture
def claimed(tmp_path) -> tuple[Path, dict]:
    """A data folder with a claimed set of three images, and right shapes of it."""
    folder = tmp_path / SET / "1.0.0"
    claim(folder, some_lines(1))
    right = made((2, 3), (2, 3), (4, 3), bits=[8, 8, 8])
    ids = {"image_id": some_lines(1)["image_id"].tolist()}
    ids["manifest_sha256"] = sha256_of_file(folder / MANIFEST)
    return tmp_path, msgspec.to_builtins(right) | ids


WRONG = {
    "too short": {"width": [1]},
    "half a size": {"width": [None, 2, 2]},
    "no size": {"height": [0, 1, 1]},
    "negative": {"spacing": [-0.1, 0.1, 0.1]},
    "no whole bits": {"bits": [8.5, 8, 8]},
    "other images": {"image_id": ["a", "b", "c"]},
    "another manifest": {"manifest_sha256": "0" * 64},
    "an unknown key": {"aspect": [1, 1, 1]},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_record_that_cannot_be_is_refused(claimed, case):
    data_dir, right = claimed
    path = data_dir / SET / "1.0.0" / SHAPES
    assert load_prepared(SET, data_dir).shapes is None
    write_record(path, right)
    assert load_prepared(SET, data_dir).shapes.sizes == {(2, 3), (4, 3)}
    write_record(path, right | WRONG[case])
    with pytest.raises(RecordError, match=r"shapes\.json: .*cxr-bench prepare"):
        _ = load_prepared(SET, data_dir).shapes


def test_a_changed_byte_is_seen(claimed):
    data_dir, right = claimed
    path = data_dir / SET / "1.0.0" / SHAPES
    write_record(path, right)
    before = load_prepared(SET, data_dir).shapes_sha256
    path.write_bytes(path.read_bytes().replace(b"4", b"5", 1))
    changed = load_prepared(SET, data_dir)
    assert changed.shapes_sha256 != before
    with pytest.raises(RecordError, match=r"shapes\.json: was changed"):
        _ = changed.shapes


# Finding them out


def draw(path: Path, width: int, height: int, mode: str = "L") -> None:
    """A file of noise; mode ``"I;16"`` is 16 bits."""
    rng = np.random.default_rng(list(path.name.encode()))
    pixels = rng.integers(0, 256, (height, width), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    deep = mode == "I;16"
    image = Image.fromarray(pixels.astype(np.uint16) * 200 if deep else pixels)
    (image if deep else image.convert(mode)).save(path)


ODD = {"RGBA": (8, 4.0), "P": (8, 1.0), "1": (1, 0.125), "I;16": (16, 2.0)}
"""Modes of PNG files that enter a set with other bytes: bits, and bytes a pixel."""


@pytest.fixture(scope="module")
def own_raw(tmp_path_factory) -> Path:
    """Class folders of files of different shapes."""
    raw = tmp_path_factory.mktemp("own")
    for k in range(20):
        draw(raw / "NORMAL" / f"{k}_0.png", 40, 40 + k % 2)
        draw(raw / "ILL" / f"{k + 50}_0.png", 60, 30)
    for k, mode in enumerate(ODD):
        draw(raw / "NORMAL" / f"{k + 90}_0.png", 44, 40, mode)
    Image.open(raw / "ILL" / "50_0.png").convert("RGB").save(raw / "ILL" / "99_0.jpeg")
    return raw


def prepare_own(raw: Path, data_dir: Path, **more) -> Prepared:
    options = Options(patient_pattern="^([0-9]+)_")
    return prepare(replace(find_dataset(OWN), options=options), data_dir, raw, **more)


@pytest.fixture(scope="module")
def prepared_own(own_raw, tmp_path_factory) -> Path:
    """The data folder of it, prepared; nobody changes it."""
    data_dir = tmp_path_factory.mktemp("data")
    prepare_own(own_raw, data_dir)
    return data_dir


@pytest.fixture
def data_dir(prepared_own, tmp_path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(prepared_own, tmp_path / "data"))


def test_original_files_tell_their_shape(prepared_own):
    found = by_image(load_prepared(OWN, prepared_own))
    assert found["NORMAL/1_0.png"] == (40, 41, None, 8, 1.0)
    assert found["ILL/99_0.jpeg"] == (60, 30, None, 8, 3.0)
    for k, stored in enumerate(ODD.values()):
        assert found[f"NORMAL/{k + 90}_0.png"] == (44, 40, None, *stored), "as the raw file had it"


def test_facts_and_manifest_say_nothing_of_shapes(prepared_own):
    """Their hashes are in the ids of specs, which stay what they were."""
    folder = load_prepared(OWN, prepared_own).path
    assert "bits" not in (folder / MANIFEST).read_text()
    assert "shape" not in (folder / FACTS).read_text()


def test_a_set_that_was_prepared_earlier_gets_them_and_stays_as_it_is(own_raw, data_dir):
    folder = load_prepared(OWN, data_dir).path
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / SHAPES).unlink()
    earlier = load_prepared(OWN, data_dir)
    assert earlier.shapes is None
    assert earlier.shapes_sha256 is None
    prepare_own(own_raw, data_dir)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_how_a_file_was_stored_is_not_known_where_nobody_noted_it(data_dir):
    """As of a set that an earlier version prepared: converted files have no header there."""
    prepared = load_prepared(OWN, data_dir)
    converted = [msgspec.structs.replace(note, bits=None) for note in prepared.facts.converted]
    facts = msgspec.structs.replace(prepared.facts, converted=converted)
    record_shapes(replace(prepared, facts=facts), {})
    found = by_image(load_prepared(OWN, data_dir))
    assert found["NORMAL/90_0.png"] == (44, 40, None, None, None)
    assert found["NORMAL/1_0.png"] == (40, 41, None, 8, 1.0)


def test_a_given_size_counts_more_and_hides_how_the_copy_is_stored(own_raw, data_dir):
    table = data_dir / "sizes.csv"
    table.write_text("image,width,height,spacing\n1_0.png,400,410,0.14\nILL/50_0.png,60,30,\n")
    found = by_image(prepare_own(own_raw, data_dir, sizes=table))
    assert found["NORMAL/1_0.png"] == (400, 410, 0.14, None, None)
    assert found["ILL/50_0.png"] == (60, 30, None, 8, 1.0)


def test_what_a_copy_was_resized_from_is_never_guessed(tmp_path):
    raw = tmp_path / "raw"
    kermany_raw.write(raw, patients=40, size=32)
    for file in (raw / "chest_xray").glob("*/*/[!.]*.jpeg"):  # as a copy that somebody squashed
        Image.open(file).resize((32, 32)).save(file)
    prepared = prepare(find_dataset(KERMANY), tmp_path / "data", raw)
    assert set(by_image(prepared).values()) == {(None,) * 5}
    image = prepared.shapes.image_id[3]
    table = tmp_path / "sizes.csv"
    table.write_text(f"image,width,height\n{image},1200,900\n")
    again = prepare(find_dataset(KERMANY), tmp_path / "data", raw, sizes=table)
    assert by_image(again)[image] == (1200, 900, None, None, None)
    assert again.shapes.known.sum() == 1
    assert again.manifest_sha256 == prepared.manifest_sha256


def test_a_published_table_knows_what_a_copy_was_resized_from(tmp_path):
    claim(tmp_path / SET / "1.0.0", some_lines(1), image_source="resized to 8 px")
    record_shapes(load_prepared(SET, tmp_path), {"train000": Shape(2500, 2048, 0.168, 12)})
    assert by_image(load_prepared(SET, tmp_path)) == {
        "train000": (2500, 2048, 0.168, 12, None),
        "validation000": (None,) * 5,
        "test000": (None,) * 5,
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("2500", "2048", "0.168"), Shape(2500, 2048, 0.168)),
        (("2500.0", "2048"), Shape(2500, 2048)),
        (("2500", "2048", "nan", "12.0"), Shape(2500, 2048, None, 12)),
        (("", "2048"), None),
        (("2500", "-1"), None),
        (("2500.5", "2048"), None),
        (("inf", "2048"), None),
    ],
)
def test_cells_of_a_table(cells, expected):
    assert shape(*cells) == expected


@given(st.lists(st.text(max_size=8), min_size=4, max_size=4))
def test_any_cells_are_a_shape_or_none(cells):
    found = shape(*cells)
    assert found is None or min(found.width, found.height) > 0


# A user's table


IDS = ["train/A/x.png", "train/B/x.png", "test/A/y.jpeg"]


def sizes(tmp_path: Path, text: str | bytes) -> dict[str, Shape]:
    path = tmp_path / "sizes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sizes(path, IDS)


@pytest.mark.parametrize("name", ["test/A/y.jpeg", "y.jpeg", "y", "images/y.jpeg", "C:\\d\\y.jpeg"])
def test_an_image_is_found_by_its_id_or_its_file(tmp_path, name):
    text = f"note,image,height,width,spacing\nn,{name},3,2,0.1\nn,other.png,3,2,\n,y,,,\n"
    assert sizes(tmp_path, text) == {"test/A/y.jpeg": Shape(2, 3, 0.1)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path, encoding, delimiter):
    text = "image,width,height\r\ny,2,3\r\n".replace(",", delimiter)
    assert sizes(tmp_path, text.encode(encoding)) == {"test/A/y.jpeg": Shape(2, 3)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,width\ny,2\n", "has no height"),
        ("image,width,height\nß,2,3\n".encode("latin-1"), "save it as such"),
        ("image,width,height\nz,2,3\n", "no line gives the size"),
        ("image,width,height\nx.png,2,3\n", "line 2: x.png may be train/A/x.png or train/B/x.png"),
        ("image,width,height\ny,2,3\ny.jpeg,2,4\n", "line 3: test/A/y.jpeg had another size"),
        ("image,width,height\ny,2,\n", "line 2: width and height are whole numbers"),
        ("image,width,height\ny,0,3\n", "line 2: width and height"),
        ("image,width,height,spacing\ny,2,3,wide\n", "line 2: .*spacing is in mm, not 2, 3, wide"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        ("", "first line names the columns"),
    ],
)
def test_a_table_that_says_nothing_clear_is_refused(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        sizes(tmp_path, text)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.csv: there is no such file"):
        read_sizes(tmp_path / "gone.csv", IDS)


CELL = st.one_of(st.sampled_from(["y", "x.png", "2", "3", "", "-1", "1e9"]), st.text(max_size=5))


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(CELL, max_size=5), max_size=5), data=st.binary(max_size=30))
def test_any_file_gives_sizes_or_a_message(tmp_path_factory, rows, data):
    text = "\n".join(["image,width,height", *(",".join(row) for row in rows)])
    for content in (text.encode(errors="replace"), data):
        found = {}
        with suppress(UserError):
            found = sizes(tmp_path_factory.mktemp("wild"), content)
        assert found.keys() <= set(IDS)
        assert all(min(each.width, each.height) > 0 for each in found.values())


def test_the_command_says_how_many_are_known(own_raw, data_dir):
    table = data_dir / "sizes.csv"
    table.write_text("image,width,height\n1_0.png,400,410\n")
    given = ["--name", "mine", "--manual-dir", str(own_raw), "--patient-pattern", "^([0-9]+)_"]
    folders = ["--data-dir", str(data_dir), "--cache-dir", str(data_dir / "cache")]
    done = CliRunner().invoke(
        main, ["prepare", "image_folder", *given, *folders, "--sizes", str(table)]
    )
    assert done.exit_code == 0, done.output
    assert "original sizes: known of 45 images, 5 different" in done.output
    assert by_image(load_prepared(OWN, data_dir))["NORMAL/1_0.png"][:2] == (400, 410)

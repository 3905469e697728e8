"""Lung masks: layouts, masks, people, and that nobody of Kermany's tests is seen."""

from __future__ import annotations

import io
import itertools
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.builders.read_back import read_back
from tests.encoded import encoded
from tfds_builders import splits
from tfds_builders.errors import DatasetError, LayoutError, Unreadable
from tfds_builders.images import Gate
from tfds_builders.kermany_pneumonia import kermany_pneumonia_dataset_builder as kermany
from tfds_builders.lung_masks import clinical, darwin, fake_raw, pixels
from tfds_builders.lung_masks.clinical import Person
from tfds_builders.lung_masks.lung_masks_dataset_builder import FRACTIONS, KERMANY_SALT, Builder
from tfds_builders.splits import SPLITS

NAME = "lung_masks"


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """All configs but JSRT, each in the folder of its name."""
    folder = tmp_path_factory.mktemp("masks")
    for config in ("montgomery", "shenzhen", "darwin", "kermany_pairs"):
        fake_raw.write(folder / config, config)
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    return fake_raw.write(tmp_path_factory.mktemp("jsrt"), "jsrt")


def reasons(builder, fate: str = "quarantined") -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in builder.info.metadata[fate]}


def mask_values(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


LUNGS = np.zeros((8, 12), np.uint8)
LUNGS[2:6, 1:4] = 255


def test_montgomery_unites_left_and_right_and_reads_the_clinic(raw, prepare, tmp_path):
    found = read_back(prepare(NAME, "montgomery", tmp_path, raw))
    assert len(found) == 24
    root = raw / "montgomery" / "MontgomerySet"
    for key, one in found.items():
        left, right = (
            np.asarray(Image.open(root / f"ManualMask/{side}Mask/{key}.png"))
            for side in ("left", "right")
        )
        np.testing.assert_array_equal(one["mask"][..., 0] == 255, left | right)
        number = int(key.split("_")[1])
        assert (one["sex"].decode(), one["age"]) == ("FM"[number % 2], 20 + number)
        assert (one["view"], one["patient_id"].decode()) == (b"PA", f"MCUCXR_{number:04d}")


def test_shenzhen_leaves_out_what_has_no_mask(raw, prepare, tmp_path):
    builder = prepare(NAME, "shenzhen", tmp_path, raw)
    assert len(read_back(builder)) == 20
    assert {Path(f).stem.split("_")[1] for f in reasons(builder)} == {
        "0005", "0010", "0015", "0020",
    }  # fmt: skip
    assert all("without a mask" in reason for reason in reasons(builder).values())


def test_kaggles_joint_copy_holds_two_sets(raw, prepare, tmp_path):
    joint = tmp_path / "Lung Segmentation"
    shutil.copytree(raw / "montgomery/MontgomerySet/CXR_png", joint / "CXR_png")
    shutil.copytree(
        raw / "shenzhen/ChinaSet_AllFiles/CXR_png", joint / "CXR_png", dirs_exist_ok=True
    )
    shutil.copytree(raw / "shenzhen/mask", joint / "masks")
    halves = raw / "montgomery/MontgomerySet/ManualMask"
    for left in (halves / "leftMask").iterdir():
        both = np.asarray(Image.open(left)) | np.asarray(
            Image.open(halves / "rightMask" / left.name)
        )
        Image.fromarray(both).save(joint / "masks" / left.name)
    ours = prepare(NAME, "montgomery", tmp_path / "joint", tmp_path)
    theirs = prepare(NAME, "montgomery", tmp_path / "published", raw)
    assert not ours.info.metadata["quarantined"]
    ours, theirs = read_back(ours), read_back(theirs)
    assert ours.keys() == theirs.keys()
    for key, one in ours.items():
        np.testing.assert_array_equal(one["mask"], theirs[key]["mask"])
    assert len(read_back(prepare(NAME, "shenzhen", tmp_path / "other", tmp_path))) == 20


def test_image_and_mask_may_lie_in_two_zip_files(raw, prepare, tmp_path):
    for folder, name in (("ChinaSet_AllFiles", "ChinaSet_AllFiles.zip"), ("mask", "archive.zip")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in sorted((raw / "shenzhen" / folder).rglob("*")):
                archive.write(file, file.relative_to(raw / "shenzhen"))
            archive.writestr("../mask/CHNCXR_0666_0_mask.png", b"outside")
    builder = prepare(NAME, "shenzhen", tmp_path / "zip", tmp_path)
    assert sum("leads out" in reason for reason in reasons(builder).values()) == 2
    ours = read_back(builder)
    theirs = read_back(prepare(NAME, "shenzhen", tmp_path / "folder", raw))
    assert ours.keys() == theirs.keys()
    for key, one in ours.items():
        np.testing.assert_array_equal(one["image"], theirs[key]["image"])


def test_raw_films_keep_every_sample_turned_around(films, prepare, tmp_path):
    builder = prepare(NAME, "jsrt", tmp_path, films)
    found = read_back(builder)
    assert len(found) == 24
    for key, one in found.items():
        path = films / "All247images" / f"{key}.IMG"
        if path.exists():
            samples = np.fromfile(path, ">u2").reshape(64, 64)
            np.testing.assert_array_equal(one["image"][..., 0], 4095 - samples)
            assert "raw 12-bit film" in reasons(builder, "converted")[f"All247images/{key}.IMG"]
        inside = one["mask"][..., 0] == 255
        assert one["image"][inside].mean() < one["image"][16:48, 28:36].mean()  # lungs are dark
        np.testing.assert_array_equal(one["mask"][::2, ::2], one["mask"][1::2, 1::2])
    assert {one["sex"] for one in found.values()} == {b"F", b"M"}
    assert found["JPCLN001"]["age"] == -1
    assert found["JPCNN002"]["age"] == 22


def test_a_copy_beside_the_raw_film_is_not_a_second_image(films, prepare, tmp_path):
    shutil.copytree(films, tmp_path / "raw")
    Image.new("L", (64, 64)).save(tmp_path / "raw/All247images/JPCLN001.png")
    builder = prepare(NAME, "jsrt", tmp_path / "data", tmp_path / "raw")
    assert reasons(builder) == {
        "All247images/JPCLN001.png": "a second file of JPCLN001; All247images/JPCLN001.IMG is used"
    }


def test_darwin_keeps_the_ignored_region_and_drops_the_empty_mask(raw, prepare, tmp_path):
    builder = prepare(NAME, "darwin", tmp_path, raw)
    found = read_back(builder)
    assert list(reasons(builder).values()) == ["the mask is empty: no lung in it"]
    for key, one in found.items():
        number = int(key) - 1_676_000
        assert (127 in one["mask"]) == (number % 3 == 0)
        assert one["patient_id"].decode() == (f"person{number}" if number % 2 else key)
    assert builder.info.metadata["patients_unknown"] is True
    assert builder.info.metadata["unsafe_for"] == ["kermany_pneumonia"]


def test_the_joint_copy_of_darwin_needs_no_annotations(raw, prepare, tmp_path):
    top = raw / "darwin/covid-19-chest-x-ray-dataset"
    for folder in ("img", "mask"):
        (tmp_path / "raw/Darwin" / folder).mkdir(parents=True)
    for number in range(181, 205):
        mask = top / f"annotations/all-images-semantic-masks/{1_676_000 + number}.png"
        name = f"person{number}_virus_{number}" if number % 2 else f"covid-{number}"
        shutil.copy(mask, tmp_path / f"raw/Darwin/mask/{name}.png")
        Image.open(top / f"images/{name}.jpeg").save(tmp_path / f"raw/Darwin/img/{name}.png")
    found = read_back(prepare(NAME, "darwin", tmp_path / "data", tmp_path / "raw"))
    assert found["person183_virus_183"]["patient_id"] == b"person183"
    assert found["covid-182"]["patient_id"] == b"covid-182"


@pytest.mark.parametrize("broken", ["{", "[]", '{"image": 3}', "[" * 100_000, "\xff"])
def test_a_broken_annotation_is_named(raw, prepare, tmp_path, broken):
    shutil.copytree(raw / "darwin", tmp_path / "raw")
    (path,) = (tmp_path / "raw").rglob("1676202.json")
    path.write_bytes(broken.encode("latin-1"))
    assert Builder.locate(tmp_path / "raw", "darwin")
    found = darwin.find(Builder.locate(tmp_path / "raw", "darwin"))
    assert {Path(e["file"]).name for e in found.refused} == {
        "1676202.json", "1676202.png", "covid-202.jpeg",
    }  # fmt: skip


def test_pairs_take_the_patients_from_the_names_not_from_the_list(raw, prepare, tmp_path):
    found = read_back(prepare(NAME, "kermany_pairs", tmp_path, raw))
    for key, one in found.items():
        stem = Path(key).stem.removeprefix("NORMAL2-")
        expected = stem[:7] if stem.startswith("IM-") else stem.split("_")[0]
        assert one["patient_id"].decode() == expected
        assert one["split"] == splits.assign(expected, KERMANY_SALT, FRACTIONS)
        assert one["pairing"].decode() == ("seq" if "bacteria" in key else "unique")


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_train_and_validation_lie_inside_both_training_splits_of_kermany(patient):
    if splits.assign(patient, KERMANY_SALT, FRACTIONS) == "test":
        return
    configs = kermany.Builder.builder_configs
    for name in ("official", "internal"):
        assert splits.assign(patient, kermany.SALT, configs[name].fractions) == "train"


def test_what_a_list_gets_wrong_is_refused(raw, prepare, tmp_path):
    shutil.copytree(raw / "kermany_pairs", tmp_path / "raw")
    path = tmp_path / "raw" / "pairs.csv"
    lines = path.read_text().splitlines()
    outside = "../secret.png"
    (tmp_path / "secret.png").write_bytes(b"not theirs")
    wrong = {
        2: lambda line: line.replace(".png", ".gif", 1),
        3: lambda line: line.replace("bacteria,", "fungus,", 1),
        4: lambda line: outside + line[line.index(",") :],
        5: lambda line: line.replace(",seq", ",guess").replace(",unique", ",guess"),
    }
    for number, change in wrong.items():
        lines[number] = change(lines[number])
    path.write_text("\n".join([*lines, lines[1], "too,short", ""]))
    Image.new("L", (64, 64)).save(tmp_path / "raw/images/extra.jpeg")
    builder = prepare(NAME, "kermany_pairs", tmp_path / "data", tmp_path / "raw")
    said = " ".join(reasons(builder).values())
    for part in (
        ".gif", "label 'fungus'", f"no file {outside}", "'guess'", "a second line",
        "not in pairs.csv", "no file too",
    ):  # fmt: skip
        assert part in said
    files = len(list((tmp_path / "raw/images").iterdir()))
    lost = {f for f in reasons(builder) if "images/" in f}
    assert builder.info.splits.total_num_examples + len(lost) == files


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"image,mask\n", "no column label"), (b"\xff\xfe\x00", "cannot be read"), (b"", "no column")],
)
def test_a_list_without_its_columns_is_an_error(raw, tmp_path, content, said):
    (tmp_path / "pairs.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        Builder.locate(tmp_path, "kermany_pairs")


def damaged(root: Path, kind: str) -> str:
    """Spoil one film of Montgomery; returns its image file."""
    image = root / "MontgomerySet/CXR_png/MCUCXR_0003_1.png"
    left, right = (
        root / f"MontgomerySet/ManualMask/{side}Mask/{image.name}" for side in ("left", "right")
    )
    match kind:
        case "no left mask":
            left.unlink()
        case "no mask":
            left.unlink()
            right.unlink()
        case "other size":
            Image.new("1", (63, 64), 1).save(left)
        case "truncated mask":
            left.write_bytes(left.read_bytes()[:60])
        case "no lung":
            Image.new("1", (64, 64)).save(left)
            Image.new("1", (64, 64)).save(right)
        case "truncated image":
            image.write_bytes(image.read_bytes()[:600])
    return image.relative_to(root).as_posix()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no left mask", "the mask of the left lung is missing"),
        ("no mask", "no mask was found"),
        ("other size", "the mask is 63 x 64, the image 64 x 64"),
        ("truncated mask", "the mask is unusable"),
        ("no lung", "the mask is empty"),
        ("truncated image", "cannot be decoded"),
    ],
)
def test_broken_pairs_are_quarantined_and_counted(raw, prepare, tmp_path, kind, said):
    shutil.copytree(raw / "montgomery", tmp_path / "raw")
    image = damaged(tmp_path / "raw", kind)
    builder = prepare(NAME, "montgomery", tmp_path / "data", tmp_path / "raw")
    assert builder.info.splits.total_num_examples == 23
    assert said in reasons(builder)[image]


def test_a_mask_without_its_image_is_named(raw, prepare, tmp_path):
    shutil.copytree(raw / "shenzhen", tmp_path / "raw")
    (tmp_path / "raw/ChinaSet_AllFiles/CXR_png/CHNCXR_0001_1.png").unlink()
    builder = prepare(NAME, "shenzhen", tmp_path / "data", tmp_path / "raw")
    assert "image that is not there" in reasons(builder)["mask/CHNCXR_0001_1_mask.png"]


def test_too_few_patients_are_refused(prepare, tmp_path):
    fake_raw.write(tmp_path / "raw", "montgomery", patients=2)
    with pytest.raises(DatasetError, match="too few patients"):
        prepare(NAME, "montgomery", tmp_path / "data", tmp_path / "raw")


def test_a_damaged_archive_is_named(tmp_path):
    (tmp_path / "ChinaSet_AllFiles.zip").write_bytes(b"PK\3\4 half of it")
    with pytest.raises(LayoutError, match=r"ChinaSet_AllFiles.zip \(damaged, download it again\)"):
        Builder.locate(tmp_path, "shenzhen")


def test_masks_are_united_and_cut_to_two_values():
    other = np.zeros_like(LUNGS)
    other[2:6, 8:11] = 1  # some masks hold 0 and 1
    data, done = pixels.lung_mask(
        [encoded(LUNGS), encoded(other)], (8, 12), ignore=False, gate=Gate()
    )
    np.testing.assert_array_equal(mask_values(data), np.maximum(LUNGS, other * 255))
    assert done == ""
    soft = LUNGS.copy()
    soft[1, 1:4], soft[6, 1:4] = 127, 128
    data, done = pixels.lung_mask([encoded(soft)], (8, 12), ignore=False, gate=Gate())
    np.testing.assert_array_equal(mask_values(data), np.where(soft >= 128, 255, 0))
    assert done == "mask of 4 grey values cut at 128"


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_masks_of_every_kind_mean_the_same(format, mode):
    buffer = io.BytesIO()
    Image.fromarray(LUNGS).convert(mode).save(buffer, format)
    data, _ = pixels.lung_mask([buffer.getvalue()], (8, 12), ignore=False, gate=Gate())
    np.testing.assert_array_equal(mask_values(data), LUNGS)


def test_a_mask_of_three_values_may_have_no_fourth():
    three = LUNGS.copy()
    three[0] = 127
    data, _ = pixels.lung_mask([encoded(three)], (8, 12), ignore=True, gate=Gate())
    np.testing.assert_array_equal(mask_values(data), three)
    three[7] = 3
    with pytest.raises(Unreadable, match=r"values besides 0, 127 and 255: \[3\]"):
        pixels.lung_mask([encoded(three)], (8, 12), ignore=True, gate=Gate())


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40))
def test_only_whole_multiples_are_enlarged(height, width):
    fits = height % 8 == 0 and width % 12 == 0 and height // 8 == width // 12
    if not fits:
        with pytest.raises(Unreadable, match=f"the image {width} x {height}"):
            pixels.lung_mask([encoded(LUNGS)], (height, width), ignore=False, gate=Gate())
        return
    data, _ = pixels.lung_mask([encoded(LUNGS)], (height, width), ignore=False, gate=Gate())
    times = height // 8
    np.testing.assert_array_equal(mask_values(data), np.kron(LUNGS, np.ones((times, times))))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes"),
        (bytes(2 * 64 * 64 - 2), "no square film"),
        (bytes(2 * 65 * 65), "no square film"),
        (np.full(64 * 64, 300, "<u2").tobytes(), "not 12 bits, big-endian"),
    ],
)
def test_what_is_no_raw_film_is_refused(data, said):
    with pytest.raises(Unreadable, match=said):
        pixels.film(data)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Patient's Sex: F \r\nPatient's Age: 027Y\r\nnormal", Person(27, "F")),
        ("male 45yrs\nPTB in the left upper field", Person(45, "M")),
        ("Female, 28yrs", Person(28, "F")),
        ("femal 32yrs", Person(32, "F")),
        ("male 16month", Person(1, "M")),
        ("female 64days", Person(0, "F")),
        ("male  \n1. STB 2. female line", Person(-1, "M")),
        ("Patient's Sex: O\nPatient's Age: 999Y", Person(-1, "")),
        ("", Person(-1, "")),
    ],
)
def test_readings(text, person):
    assert clinical.reading(text) == person


def test_lists_of_films():
    text = (
        "JPCLN001.IMG\t5\t15\t53\tMale\t1634\t692\tmalignant\r\n"
        "JPCNN002.IMG   ?  Female  non-nodule\n"
        "JPCNN003.IMG\nsomething else\n"
    )
    assert clinical.jsrt_list(text) == {"JPCLN001": Person(53, "M"), "JPCNN002": Person(-1, "F")}


@pytest.mark.real
def test_real_pairs_are_of_nobody_that_kermany_is_tested_on(real_data, prepare, stored, tmp_path):
    builder = prepare(NAME, "kermany_pairs", tmp_path, real_data / "lung_masks")
    assert not builder.info.metadata["quarantined"]
    assert not builder.info.metadata["converted"]
    ours = {s: {one["patient_id"] for one in stored(builder, s)} for s in SPLITS}
    sizes = {split: builder.info.splits[split].num_examples for split in SPLITS}
    assert sizes == {"train": 1063, "validation": 136, "test": 333}
    assert [len(ours[split]) for split in SPLITS] == [808, 110, 248]
    assert all(ours[a].isdisjoint(ours[b]) for a, b in itertools.combinations(SPLITS, 2))
    for config in ("official", "internal"):
        theirs = prepare("kermany_pneumonia", config, tmp_path, real_data / "kermany_224")
        patients = {s: {one["patient_id"] for one in stored(theirs, s)} for s in SPLITS}
        assert ours["train"] | ours["validation"] <= patients["train"]
        assert (ours["train"] | ours["validation"]).isdisjoint(patients["validation"])
        if config == "internal":
            assert (ours["train"] | ours["validation"]).isdisjoint(patients["test"])

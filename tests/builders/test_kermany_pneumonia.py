"""Kermany's set: names, patient groups, layouts, and the real files."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from tests.builders.read_back import read_back
from tfds_builders import splits
from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.kermany_pneumonia import fake_raw, patients, raw
from tfds_builders.kermany_pneumonia.kermany_pneumonia_dataset_builder import SALT, Builder

NAME = "kermany_pneumonia"


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory) -> Path:
    return fake_raw.write(tmp_path_factory.mktemp("kaggle"), patients=40, size=32).parent


@pytest.fixture(scope="module")
def mendeley(tmp_path_factory) -> Path:
    return fake_raw.write(
        tmp_path_factory.mktemp("mendeley"), patients=40, size=32, style="mendeley"
    ).parent


@pytest.mark.parametrize(
    ("name", "patient", "cause"),
    [
        ("train/NORMAL/IM-0115-0001.jpeg", "IM-0115", "normal"),
        ("test/NORMAL/NORMAL2-IM-0012-0001-0002.jpeg", "IM-0012", "normal"),
        ("train/PNEUMONIA/person1_bacteria_2.jpeg", "person1", "bacterial"),
        ("train/PNEUMONIA/person1_virus_6.jpeg", "person1", "viral"),
        ("val/PNEUMONIA/person1950_bacteria_4881.jpeg", "person1950", "bacterial"),
        ("train/PNEUMONIA/person124_virus_238_1.jpeg", "person124", "viral"),
        ("train/NORMAL/NORMAL-1049278-0001.jpeg", "1049278", "normal"),
        ("train/PNEUMONIA/BACTERIA-1049278-0001.jpeg", "1049278", "bacterial"),
        ("test/PNEUMONIA/VIRUS-1049278-0002.JPG", "1049278", "viral"),
    ],
)
def test_published_names(name, patient, cause):
    assert patients.parse(name) == patients.Named(name.split("/")[0], patient, cause)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("train/NORMAL/notes.txt", "no patient number"),
        ("train/NORMAL/IM-0115-0001", "no patient number"),
        ("train/NORMAL/IM-0115-0001 (1).jpeg", "no patient number"),
        ("train/NORMAL/IM-٠١١٥-0001.jpeg", "no patient number"),
        ("train/IM-0115-0001.jpeg", "not in a NORMAL or PNEUMONIA folder"),
        ("train/NORMAL/more/IM-0115-0001.jpeg", "not in a NORMAL or PNEUMONIA folder"),
        ("train/NORMAL/person1_bacteria_2.jpeg", "named as bacterial, but lies in NORMAL"),
        ("train/PNEUMONIA/NORMAL-12-0001.jpeg", "named as normal, but lies in PNEUMONIA"),
    ],
)
def test_other_names_are_refused_with_the_reason(name, reason):
    with pytest.raises(patients.UnexpectedName, match=reason):
        patients.parse(name)


def test_identical_bytes_join_numbers_through_any_chain():
    numbers = {"a": "IM-3", "b": "IM-1", "c": "IM-2", "d": "IM-4", "e": "IM-3", "f": "IM-9"}
    groups = patients.merge(numbers, [["a", "c"], ["d", "b"], ["b", "e"]])
    assert groups == {**dict.fromkeys("abcde", "IM-1"), "f": "IM-9"}


def test_official_split(kaggle, prepare, stored, tmp_path):
    found = read_back(prepare(NAME, "official", tmp_path, kaggle), stored)
    for name, one in found.items():
        group = one["patient_id"].decode()
        pool = name.split("/")[0]
        carved = splits.assign(group, SALT, {"train": 0.9, "validation": 0.1})
        assert one["split"] == ("test" if pool == "test" else carved)
        assert one["findings"].tolist() == ["PNEUMONIA" in name]
        assert one["image"] == (kaggle / "chest_xray" / name).read_bytes()
    assert {name.split("/")[0] for name in found} == {"train", "val", "test"}
    both = {o["patient_id"] for o in found.values() if o["split"] == "test"} & {
        o["patient_id"] for o in found.values() if o["split"] != "test"
    }
    assert len(both) > 5


def test_internal_split_never_reads_the_published_test(kaggle, prepare, stored, tmp_path):
    shutil.copytree(kaggle, tmp_path / "raw")
    shutil.rmtree(tmp_path / "raw" / "chest_xray" / "test")
    found = read_back(prepare(NAME, "internal", tmp_path / "data", tmp_path / "raw"), stored)
    assert not any(name.startswith("test/") for name in found)
    for one in found.values():
        shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
        assert one["split"] == splits.assign(one["patient_id"].decode(), SALT, shares)
    with pytest.raises(LayoutError, match="test images"):
        Builder.locate(tmp_path / "raw", "official")


def test_identical_files_under_two_numbers_share_a_group(kaggle, prepare, stored, tmp_path):
    found = read_back(prepare(NAME, "internal", tmp_path, kaggle), stored)
    by_bytes = defaultdict(set)
    for one in found.values():
        by_bytes[one["image"]].add(one["patient_id"])
    assert sum(len(ids) == 1 for ids in by_bytes.values()) == len(by_bytes) < len(found)
    assert found["train/NORMAL/IM-0900-0001.jpeg"]["patient_id"] == b"IM-0001"


def test_equal_broken_files_join_nobody(kaggle, prepare, stored, tmp_path):
    shutil.copytree(kaggle, tmp_path / "raw")
    folder = tmp_path / "raw" / "chest_xray" / "train" / "NORMAL"
    clean = read_back(prepare(NAME, "internal", tmp_path / "clean", tmp_path / "raw"), stored)
    victims = ["NORMAL2-IM-0003-0001.jpeg", "NORMAL2-IM-0005-0001.jpeg"]
    for victim in victims:
        (folder / victim).write_bytes(b"")
    builder = prepare(NAME, "internal", tmp_path / "hurt", tmp_path / "raw")
    hurt = read_back(builder, stored)
    assert set(clean) - set(hurt) == {f"train/NORMAL/{victim}" for victim in victims}
    assert all(hurt[name]["patient_id"] == clean[name]["patient_id"] for name in hurt)
    assert [entry["reason"] for entry in builder.info.metadata["quarantined"]] == ["empty file"] * 2


def test_three_classes_come_from_the_names(mendeley, prepare, stored, tmp_path):
    builder = prepare(NAME, "official_three_class", tmp_path, mendeley)
    assert builder.info.metadata["findings"] == ["Normal", "Bacterial pneumonia", "Viral pneumonia"]
    words = ("NORMAL-", "BACTERIA-", "VIRUS-")
    found = read_back(builder, stored)
    for name, one in found.items():
        file = name.split("/")[-1]
        assert one["findings"].tolist() == [file.startswith(word) for word in words]
        assert one["patient_id"].decode().isdigit()
    assert {tuple(one["findings"]) for one in found.values()} == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}


def test_every_place_of_the_tree_is_found(kaggle, tmp_path):
    inside = Builder.locate(kaggle / "chest_xray", "official")
    assert inside.names("train") == Builder.locate(kaggle, "official").names("train")
    twice = tmp_path / "chest_xray" / "chest_xray"
    shutil.copytree(kaggle / "chest_xray", twice)
    assert Builder.locate(tmp_path, "official").root == twice
    linked = tmp_path / "linked" / "chest_xray" / "train"
    linked.mkdir(parents=True)
    for folder in raw.CLASSES:
        (linked / folder).symlink_to(kaggle / "chest_xray" / "train" / folder)
    assert Builder.locate(linked.parents[1], "internal").names("train") == inside.names("train")


def zip_up(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/chest_xray/train/NORMAL/._IM-0115-0001.jpeg", b"junk")
        archive.writestr("chest_xray/train/NORMAL/../../../IM-0666-0001.jpeg", b"outside")


def test_the_archive_is_read_in_place(kaggle, prepare, stored, tmp_path):
    (tmp_path / "download").mkdir()
    zip_up(kaggle, tmp_path / "download" / "chest-xray-pneumonia.zip")
    builder = prepare(NAME, "official", tmp_path / "zip", tmp_path / "download")
    unpacked = prepare(NAME, "official", tmp_path / "folder", kaggle)
    assert builder.info.metadata["raw_sha256"] == unpacked.info.metadata["raw_sha256"]
    (refused,) = builder.info.metadata["quarantined"]
    assert "IM-0666" in refused["file"]
    ours, theirs = read_back(builder, stored), read_back(unpacked, stored)
    assert ours.keys() == theirs.keys()
    assert all(ours[name]["image"] == theirs[name]["image"] for name in ours)
    assert not list(tmp_path.rglob("IM-0666*"))


def test_damaged_archives_and_members_are_named(kaggle, prepare, tmp_path):
    good = tmp_path / "archive.zip"
    zip_up(kaggle, good)
    with zipfile.ZipFile(good) as archive:
        first = archive.getinfo(
            f"chest_xray/{Builder.locate(kaggle, 'internal').names('train')[0]}"
        )
    data = bytearray(good.read_bytes())
    data[first.header_offset + 100] ^= 0xFF
    good.write_bytes(data)
    builder = prepare(NAME, "internal", tmp_path / "data", tmp_path)
    assert any("cannot be unpacked" in e["reason"] for e in builder.info.metadata["quarantined"])
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "ChestXRay2017.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(LayoutError, match=r"ChestXRay2017.zip \(damaged, download it again\)"):
        Builder.locate(tmp_path / "half", "internal")


def test_too_few_patients_are_refused(prepare, tmp_path):
    folder = fake_raw.write(tmp_path / "raw", patients=6, size=32).parent
    with pytest.raises(DatasetError, match="too few patients"):
        prepare(NAME, "internal", tmp_path / "data", folder)


def test_a_split_of_broken_files_is_refused(kaggle, prepare, tmp_path):
    shutil.copytree(kaggle, tmp_path / "raw")
    for file in (tmp_path / "raw" / "chest_xray" / "test").rglob("*.jpeg"):
        file.write_bytes(b"")
    with pytest.raises(DatasetError, match="no readable image is left for the split 'test'"):
        prepare(NAME, "official", tmp_path / "data", tmp_path / "raw")


def test_an_image_on_both_sides_of_the_published_split_stays_visible(
    kaggle, prepare, stored, tmp_path
):
    shutil.copytree(kaggle, tmp_path / "raw")
    root = tmp_path / "raw" / "chest_xray"
    source = root / "train" / "NORMAL" / "IM-0002-0001.jpeg"
    shutil.copy(source, root / "test" / "NORMAL" / "IM-0777-0001.jpeg")
    builder = prepare(NAME, "official", tmp_path / "data", tmp_path / "raw")
    found = read_back(builder, stored)
    trained, tested = (
        found["train/NORMAL/IM-0002-0001.jpeg"],
        found["test/NORMAL/IM-0777-0001.jpeg"],
    )
    assert trained["split"] != tested["split"] == "test"
    assert trained["image"] == tested["image"]
    assert trained["patient_id"] == tested["patient_id"]


def test_raw_digest_is_that_of_the_sorted_files(kaggle, prepare, tmp_path):
    root = kaggle / "chest_xray"
    files = [p for p in root.rglob("*.jpeg") if not p.name.startswith("._")]
    lines = sorted(
        f"{p.relative_to(root).as_posix()}\t{hashlib.sha256(p.read_bytes()).hexdigest()}\n"
        for p in files
    )
    builder = prepare(NAME, "official", tmp_path, kaggle)
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert builder.info.metadata["raw_sha256"] == expected


@pytest.mark.real
def test_real_files(real_data, prepare, stored, tmp_path):
    builder = prepare(NAME, "official", tmp_path, real_data / "kermany_224")
    assert not builder.info.metadata["quarantined"]
    found = read_back(builder, stored)
    sizes = Counter((one["split"] == "test", int(one["findings"][0])) for one in found.values())
    assert sizes == {(False, 0): 1341, (False, 1): 3875, (True, 0): 234, (True, 1): 390}

    duplicates = defaultdict(list)
    for one in found.values():
        duplicates[one["image"]].append(one)
    groups = [ones for ones in duplicates.values() if len(ones) > 1]
    assert (len(groups), sum(map(len, groups))) == (30, 62)
    assert all(len({(o["split"], o["patient_id"]) for o in ones}) == 1 for ones in groups)

    sides = [
        {o["patient_id"] for o in found.values() if (o["split"] == "test") == side}
        for side in (False, True)
    ]
    kinds = Counter(patient[:2] for patient in sides[0] & sides[1])
    assert kinds == {b"pe": 170, b"IM": 94}


@pytest.mark.real
def test_real_internal_split_is_a_part_of_the_training_pool(real_data, prepare, stored, tmp_path):
    builder = prepare(NAME, "internal", tmp_path, real_data / "kermany_224")
    found = read_back(builder, stored)
    assert Counter(one["split"] for one in found.values()) == {
        "train": 4138,
        "validation": 595,
        "test": 483,
    }
    assert tfds.load(f"{NAME}/internal", split="test", data_dir=tmp_path).cardinality() == 483

"""ChestX-ray14: tables read strictly, protocols, layouts, partial copies, and the real files."""

from __future__ import annotations

import csv
import io
import itertools
import shutil
import tarfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.data.leakage import audit
from tfds_builders import splits
from tfds_builders.chestxray14 import fake_raw, labels, protocols, raw
from tfds_builders.chestxray14.chestxray14_dataset_builder import Builder
from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.splits import SPLITS

NAME = "chestxray14"
NEW, OLD = raw.DATA_ENTRY["v2020"], raw.DATA_ENTRY["v2017"]
HEADER = fake_raw._HEADER
LINE = "00000013_005.png,Mass|Nodule,5,13,{age},M,PA,2682,2749,0.143,0.143"


@pytest.fixture(scope="module")
def main_set(tmp_path_factory) -> Path:
    return fake_raw.write(tmp_path_factory.mktemp("nih"))


@pytest.fixture(scope="module")
def teaching(tmp_path_factory) -> Path:
    return fake_raw.write_small(tmp_path_factory.mktemp("teaching"), patients=20)


def read_back(builder, stored) -> dict[tuple[str, str], dict]:
    """(split, image_id) to example."""
    return {(s, one["image_id"].decode()): one for s in SPLITS for one in stored(builder, s)}


def published(folder: Path, table: str = NEW) -> list[dict]:
    """The table again, by other means; the commas in the header's brackets are cut off."""
    lines = list(csv.reader(io.StringIO((folder / table).read_text())))
    return [dict(zip(lines[0][:7], line[:7], strict=True)) for line in lines[1:]]


def table(*lines: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *lines)).encode()


def one_entry(data: bytes) -> labels.Entry:
    (entry,) = labels.read_entries(data, "Data.csv")
    return entry


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        HEADER + ",",
        "\ufeff" + HEADER,
        HEADER.replace("OriginalImage[Width,Height]", '"OriginalImage[Width,Height]"'),
        HEADER.replace(",OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]", ",a,b,c,d"),
    ],
)
def test_every_form_of_the_header_is_read(header):
    entry = one_entry(table(LINE.format(age=58), header=header))
    assert entry == labels.Entry(
        "00000013_005.png", "13", frozenset({"Mass", "Nodule"}), 58, "M", "PA"
    )


@pytest.mark.parametrize(
    ("written", "age", "impossible"),
    [
        ("58", 58, ""),
        ("058Y", 58, ""),
        ("018M", 1, ""),
        ("011M", 0, ""),
        ("005D", 0, ""),
        ("119", 119, ""),
        ("120", -1, "120"),
        ("412", -1, "412"),
        ("-3", -1, "-3"),
        ("", -1, ""),
        ("58.0", 58, ""),
    ],
)
def test_ages(written, age, impossible):
    entry = one_entry(table(LINE.format(age=written)))
    assert (entry.age, entry.age_as_written) == (age, impossible)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (LINE.format(age="5x"), "line 2, column 'Patient Age': '5x' is no age"),
        (LINE.format(age=5).replace("Nodule", "Nodul"), "did you mean 'Nodule'"),
        (LINE.format(age=5).replace("Nodule", "Mass"), "contradicts itself"),
        (LINE.format(age=5).replace("Nodule", "No Finding"), "contradicts itself"),
        (LINE.format(age=5).replace(",13,", ",14,"), "contradicts the image 00000013_005.png"),
        (LINE.format(age=5).replace("_005", "-005"), "column 'Image Index'"),
        (LINE.format(age=5).replace(",M,", ",X,"), "column 'Patient Gender': 'X'"),
        (LINE.format(age=5).replace(",PA,", ",PO,"), "column 'View Position': 'PO'"),
        (LINE.format(age=5)[:-30], "line 2: "),
        (LINE.format(age=5) + ",7", "12 values for 11 columns"),
        ('"' + LINE.format(age=5), "line 2"),
        # A quotation mark that swallows a line and leaves as many values as there are columns.
        (LINE.format(age=5).rpartition(",")[0] + ',"0.1\n0.2"', "runs over the end of a line"),
        (LINE.format(age=5) + "\n" + LINE.format(age=5), "00000013_005.png is listed twice"),
        ("", "no lines below its header"),
    ],
)
def test_wrong_cells_are_named(line, told):
    with pytest.raises(DatasetError, match=r"Data\.csv") as error:
        labels.read_entries(table(line), "Data.csv")
    assert told in str(error.value)


def test_missing_columns_are_named():
    with pytest.raises(DatasetError, match=r"'Patient ID' is missing; did you mean 'PatientID'"):
        one_entry(table(LINE.format(age=5), header=HEADER.replace("Patient ID", "PatientID")))
    with pytest.raises(DatasetError, match="'Patient Age' stands there twice"):
        one_entry(table(LINE.format(age=5), header=HEADER.replace("Patient Gender", "Patient Age")))
    with pytest.raises(DatasetError, match=r"Data\.csv, line 1"):
        one_entry(b"")
    with pytest.raises(DatasetError, match="line 2: not UTF-8"):
        one_entry(table(LINE.format(age=5)).replace(b"Mass", b"M\xffss"))


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, width = int(rng.integers(len(changed))), int(rng.integers(1, 60))
        match rng.integers(6):
            case 0:
                changed[at] = int(rng.integers(256))
            case 1:
                changed[at : at + width] = rng.bytes(width)
            case 2:
                del changed[at : at + width]
            case 3:
                changed[at:at] = changed[at : at + width]
            case 4:
                changed[at:at] = bytes([rng.choice([*b',";|\n\r\0"'])])
            case 5 if rng.random() < 0.3:
                del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize(
    ("file", "read"),
    [
        (NEW, labels.read_entries),
        (OLD, labels.read_entries),
        (raw.BOXES, labels.read_boxes),
        (raw.TRAIN_VAL, labels.read_list),
    ],
)
def test_mutated_tables_are_named_or_read_without_loss(file, read, main_set):
    """200 mutations a table: a named error, or one entry for every line that is not blank."""
    rng = np.random.default_rng(3)
    original = (main_set / file).read_bytes()
    outcomes = Counter()
    for _ in range(200):
        data = mutate(original, rng)
        try:
            found = read(data, file)
        except DatasetError as error:
            outcomes["named"] += file in str(error)
            continue
        lines = [line for line in data.decode("utf-8-sig").splitlines() if line.strip(' ,"\t')]
        assert len(found) == len(lines) - (file != raw.TRAIN_VAL)
        outcomes["read"] += 1
    assert sum(outcomes.values()) == 200
    assert outcomes["named"] > 50


def test_mutated_teaching_tables_are_named_or_read_without_loss(teaching):
    rng = np.random.default_rng(4)
    original = (teaching / "nih" / "test.csv").read_bytes()
    for _ in range(200):
        data = mutate(original, rng)
        try:
            found = labels.read_small(data, "test.csv")
        except DatasetError as error:
            named = "test.csv" in str(error)
            assert named
            continue
        assert len(found) == sum(bool(line.strip(b' ,"\t')) for line in data.splitlines()) - 1


def test_official_split(main_set, prepare, stored, tmp_path):
    found = read_back(prepare(NAME, "fourteen", tmp_path, main_set), stored)
    test = set((main_set / raw.TEST).read_text().split())
    lines = {line["Image Index"]: line for line in published(main_set)}
    assert {image for _, image in found} == {p.name for p in (main_set / "images").glob("*.png")}
    for (split, image), one in found.items():
        line = lines[image]
        carved = splits.assign(
            line["Patient ID"], protocols.SALT, {"train": 0.875, "validation": 0.125}
        )
        assert split == ("test" if image in test else carved)
        expected = [finding in line["Finding Labels"].split("|") for finding in labels.FINDINGS]
        assert one["findings"].tolist() == expected
        assert one["labelled"].all()
        assert one["patient_id"].decode() == line["Patient ID"]
        assert (one["sex"].decode(), one["view"].decode()) == (
            line["Patient Gender"],
            line["View Position"],
        )
        ages = {"018M": 1, "005D": 0, "412": -1}
        assert one["age"] == ages.get(line["Patient Age"]) or one["age"] == int(line["Patient Age"])
        assert one["label_source"] == b"text-mined"


def test_four_channels_become_one(main_set, prepare, stored, tmp_path):
    builder = prepare(NAME, "fourteen_random", tmp_path, main_set)
    converted = {Path(entry["file"]).name for entry in builder.info.metadata["converted"]}
    assert len(converted) > 5
    for (_, image), one in read_back(builder, stored).items():
        opened = Image.open(io.BytesIO(one["image"]))
        assert opened.mode == "L"
        grey = Image.open(main_set / "images" / image).convert("RGB").convert("L")
        assert np.array_equal(opened, grey)
        assert (image in converted) == (one["image"] != (main_set / "images" / image).read_bytes())


def test_random_split_is_the_hash_of_the_patient(main_set, prepare, stored, tmp_path):
    builder = prepare(NAME, "fourteen_random_v2017", tmp_path, main_set)
    assert builder.info.metadata["label_version"] == "v2017"
    lines = {line["Image Index"]: line for line in published(main_set, OLD)}
    differs = 0
    for (split, image), one in read_back(builder, stored).items():
        patient = one["patient_id"].decode()
        shares = {"train": 0.7, "validation": 0.1, "test": 0.2}
        assert split == splits.assign(patient, protocols.SALT, shares)
        present = {f for f, v in zip(labels.FINDINGS, one["findings"], strict=True) if v}
        assert "|".join(sorted(present)) or lines[image]["Finding Labels"] == "No Finding"
        assert present == set(lines[image]["Finding Labels"].split("|")) - {"No Finding"}
        differs += present == {"Infiltration", "Pneumonia"}
    assert differs


def test_every_layout_gives_the_same_set(main_set, prepare, stored, tmp_path):
    expected = prepare(NAME, "fourteen", tmp_path / "flat", main_set)
    images = sorted((main_set / "images").glob("*.png"))
    tables = [path for path in main_set.iterdir() if path.is_file()]
    copies = {name: tmp_path / name for name in ("kaggle", "archives", "zip", "links")}
    for name in ("kaggle", "archives", "links"):
        copies[name].mkdir()
        for path in tables:
            shutil.copy(path, copies[name])
    for number, part in enumerate((images[:50], images[50:]), 1):
        folder = copies["kaggle"] / f"images_{number:03d}" / "images"
        folder.mkdir(parents=True)
        with tarfile.open(copies["archives"] / f"images_{number:02d}.tar.gz", "w:gz") as archive:
            for path in part:
                shutil.copy(path, folder)
                archive.add(path, f"images/{path.name}")
    (copies["links"] / "images").symlink_to(main_set / "images")
    copies["zip"].mkdir()
    with zipfile.ZipFile(copies["zip"] / "archive.zip", "w") as archive:
        for path in (*tables, *copies["kaggle"].rglob("*.png")):
            inside = path.relative_to(copies["kaggle"] if path.suffix == ".png" else main_set)
            archive.write(path, inside)
    for name, folder in copies.items():
        before = sorted(folder.rglob("*"))
        builder = prepare(NAME, "fourteen", tmp_path / "data" / name, folder)
        assert sorted(folder.rglob("*")) == before
        ours, theirs = read_back(builder, stored), read_back(expected, stored)
        assert ours.keys() == theirs.keys()
        assert all(ours[key]["image"] == theirs[key]["image"] for key in ours)
        facts, others = dict(builder.info.metadata), dict(expected.info.metadata)
        for one in (facts, others):
            one["converted"] = {Path(entry["file"]).name for entry in one["converted"]}
            one["boxes"] = sorted(one["boxes"], key=str)
            one["impossible_ages"] = sorted(one["impossible_ages"], key=str)
        assert facts == others


def test_a_part_of_the_set_keeps_its_split(main_set, prepare, stored, tmp_path):
    whole = read_back(prepare(NAME, "fourteen", tmp_path / "whole", main_set), stored)
    shutil.copytree(main_set, tmp_path / "raw")
    images = sorted((tmp_path / "raw" / "images").glob("*.png"))
    for path in images[::2]:
        path.unlink()
    builder = prepare(NAME, "fourteen", tmp_path / "part", tmp_path / "raw")
    part = read_back(builder, stored)
    assert {image for _, image in part} == {path.name for path in images[1::2]}
    assert part.keys() <= whole.keys()
    facts = builder.info.metadata
    assert facts["listed"] == len(images) + 20
    assert facts["absent"] == 20 + len(images[::2])
    assert facts["fraction"] == round(len(images[1::2]) / facts["listed"], 6)


def test_what_is_left_out_is_named(main_set, prepare, stored, tmp_path):
    shutil.copytree(main_set, tmp_path / "raw")
    images = sorted((tmp_path / "raw" / "images").glob("*.png"))
    (images[0].parent / "00099999_000.png").write_bytes(images[0].read_bytes())
    unassigned = images[1].name
    for name in (raw.TRAIN_VAL, raw.TEST):
        path = tmp_path / "raw" / name
        path.write_text("".join(f"{n}\n" for n in path.read_text().split() if n != unassigned))
    with tarfile.open(tmp_path / "raw" / "images_001.tar.gz", "w:gz") as archive:
        archive.add(images[2], "images/" + images[2].name)
        archive.add(images[2], "../../evil.png")
        link = tarfile.TarInfo("images/00000001_009.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    builder = prepare(NAME, "fourteen", tmp_path / "data", tmp_path / "raw")
    reasons = {e["file"]: e["reason"] for e in builder.info.metadata["quarantined"]}
    assert reasons == {
        "images/00099999_000.png": f"not listed in {NEW}",
        f"images/{unassigned}": f"in neither {raw.TRAIN_VAL} nor {raw.TEST}",
        "images_001.tar.gz": "1 images are in images too; those are used",
        "images_001.tar.gz/../../evil.png": "a path that leads out of the archive",
        "images_001.tar.gz/images/00000001_009.png": "a link",
    }
    assert not list(tmp_path.rglob("evil.png"))


def test_a_cut_archive_is_a_partial_copy(main_set, prepare, stored, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for path in main_set.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    archive_path = folder / "images_001.tar.gz"
    images = sorted((main_set / "images").glob("*.png"))
    with tarfile.open(archive_path, "w:gz") as archive:
        for path in images:
            archive.add(path, f"images/{path.name}")
    archive_path.write_bytes(archive_path.read_bytes()[: archive_path.stat().st_size * 3 // 4])
    (folder / "images_002.tar.gz.part").write_bytes(b"not all of it")
    builder = prepare(NAME, "fourteen", tmp_path / "data", folder)
    reasons = {e["file"]: e["reason"] for e in builder.info.metadata["quarantined"]}
    assert "download it again" in reasons["images_001.tar.gz"]
    assert "unfinished download" in reasons.pop("images_002.tar.gz.part")
    found = read_back(builder, stored)
    assert 0.5 < len(found) / len(images) < 0.8
    assert builder.info.metadata["absent"] == 20 + len(images) - len(found) - len(reasons) + 1


def test_seven_classes(main_set, prepare, stored, tmp_path):
    found = read_back(prepare(NAME, "seven", tmp_path, main_set), stored)
    there = {path.name for path in (main_set / "images").glob("*.png")}
    alone = {
        line["Image Index"]: line["Finding Labels"]
        for line in published(main_set)
        if line["Finding Labels"] in protocols.SEVEN and line["Image Index"] in there
    }
    for (_, image), one in found.items():
        assert one["findings"].tolist() == [alone[image] == name for name in protocols.SEVEN]
    left_out = alone.keys() - {image for _, image in found}
    assert {alone[image] for image in left_out} <= {"No Finding"}


def entries_of(counts: dict[str, int], seed: int = 0) -> list[labels.Entry]:
    """Single-label images of many patients, two each."""
    rng = np.random.default_rng(seed)
    names = [label for label, count in counts.items() for _ in range(count)]
    rng.shuffle(names)
    return [
        labels.Entry(
            f"{i // 2:08d}_{i % 2:03d}.png", str(i // 2), frozenset({name}) - {"No Finding"}
        )
        for i, name in enumerate(names)
    ]


def test_six_balanced_is_even_and_shares_no_patient():
    entries = entries_of(dict.fromkeys(protocols.SIX, 700))
    by_id = {entry.image_id: entry for entry in entries}
    split_of = protocols.six_balanced(entries)
    counts = defaultdict(Counter)
    for image, split in split_of.items():
        counts[split][by_id[image].only_label] += 1
    assert {split: sum(count.values()) for split, count in counts.items()} == protocols.BALANCED
    assert all(max(c.values()) - min(c.values()) <= 1 and len(c) == 6 for c in counts.values())
    patients = defaultdict(set)
    for image, split in split_of.items():
        patients[split].add(by_id[image].patient_id)
    assert not any(a & b for a, b in itertools.combinations(patients.values(), 2))
    # A model of the one may be tested on the other's test split.
    six = protocols.six(entries)
    assert all(six[image] == "test" for image, split in split_of.items() if split == "test")


def test_six_balanced_is_cut_to_the_rarest_class():
    entries = entries_of(dict.fromkeys(protocols.SIX, 200) | {"Edema": 30})
    by_id = {entry.image_id: entry for entry in entries}
    for split in SPLITS:
        images = [i for i, s in protocols.six_balanced(entries).items() if s == split]
        assert len(set(Counter(by_id[i].only_label for i in images).values())) == 1


def test_no_finding_is_drawn_whatever_else_is_there():
    entries = entries_of({"No Finding": 6000, "Mass": 100})
    kept = protocols.seven(entries)
    half = protocols.seven(entries[::2])
    assert half == {e.image_id: kept[e.image_id] for e in entries[::2] if e.image_id in kept}
    assert len(kept) - 100 == pytest.approx(400, abs=60)


def test_lists_that_share_patients_are_refused():
    entries = entries_of({"Mass": 4})
    names = [entry.image_id for entry in entries]
    with pytest.raises(DatasetError, match=r"patient 0 .* 00000000_001\.png"):
        protocols.official(entries, {names[0]}, set(names[1:]))
    with pytest.raises(DatasetError, match=r"00000000_000\.png and 1 more are in"):
        protocols.official(entries, set(names[:2]), set(names[:3]))


def manifest(builder, stored) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"split": split, "patient_id": one["patient_id"].decode(), "sha256": image}
            for (split, image), one in read_back(builder, stored).items()
        ]
    )


def test_the_leak_of_the_teaching_subset_is_seen(teaching, prepare, stored, tmp_path):
    builder = prepare(NAME, "small", tmp_path, teaching)
    assert builder.info.metadata["suspected"] == []
    leakage = audit(manifest(builder, stored), [])
    assert leakage.status == "leak"
    assert leakage.reasons == ("2 patients in both train and validation",)
    sources = {split: {one["label_source"] for one in stored(builder, split)} for split in SPLITS}
    assert sources == {
        "train": {b"text-mined"},
        "validation": {b"text-mined"},
        "test": {b"radiologist consensus"},
    }
    assert builder.info.metadata["consensus_findings"] == [
        "Atelectasis",
        "Cardiomegaly",
        "Consolidation",
        "Edema",
        "Effusion",
    ]


def test_the_teaching_subset_without_its_leak(teaching, prepare, stored, tmp_path):
    leaky = read_back(prepare(NAME, "small", tmp_path, teaching), stored)
    builder = prepare(NAME, "small_disjoint", tmp_path, teaching)
    clean = read_back(builder, stored)
    assert audit(manifest(builder, stored), []).status == "clean"
    removed = leaky.keys() - clean.keys()
    assert removed == {
        (split, image)
        for split, image in leaky
        if split == "train" and image.startswith(("00000006", "00000007"))
    }
    counts = builder.info.metadata["removed_for_disjointness"]
    assert counts == {"train": len(removed), "validation": 0, "test": 0}
    inside = prepare(NAME, "small_disjoint", tmp_path / "inside", teaching / "nih")
    assert read_back(inside, stored).keys() == clean.keys()


def test_sample(prepare, stored, tmp_path):
    folder = fake_raw.write_sample(tmp_path / "raw", patients=20)
    builder = prepare(NAME, "sample", tmp_path / "data", folder)
    found = read_back(builder, stored)
    lines = {line["Image Index"]: line for line in published(folder / "sample", raw.SAMPLE)}
    assert {image for _, image in found} == lines.keys()
    years = [line["Patient Age"] for line in lines.values() if line["Patient Age"].endswith("Y")]
    assert years
    for (_, image), one in found.items():
        if lines[image]["Patient Age"] in years:
            years_old = int(lines[image]["Patient Age"][:3])
            assert one["age"] == (years_old if years_old < 120 else -1)


def test_boxes_are_kept_in_pixels_of_the_original(main_set, prepare, stored, tmp_path):
    builder = prepare(NAME, "fourteen", tmp_path, main_set)
    boxes = builder.info.metadata["boxes"]
    text = (main_set / raw.BOXES).read_text().splitlines()[1:]
    assert len(boxes) == len(text) > 10
    by_place = {(b["image_id"], b["x"], b["y"], b["w"], b["h"]): b["finding"] for b in boxes}
    for line in text:
        name, finding, *place = line.split(",")
        kept = by_place[(name, *map(float, place))]
        assert kept == {"Infiltrate": "Infiltration"}.get(finding, finding)
    with pytest.raises(DatasetError, match=r"BB, line 2, column 'y': 'up' is no number"):
        labels.read_boxes(
            b"Image Index,Finding Label,Bbox [x,y,w,h]\n00000001_000.png,Mass,1,up,3,4\n", "BB"
        )
    with pytest.raises(DatasetError, match="not inside 1024"):
        labels.read_boxes(
            b"Image Index,Finding Label,Bbox [x,y,w,h]\n00000001_000.png,Mass,1000,1,30,4\n", "BB"
        )


@pytest.mark.parametrize(
    ("gone", "config", "told"),
    [
        ((raw.TRAIN_VAL, raw.TEST), "fourteen", "lacks train_val_list.txt and test_list.txt."),
        ((raw.TRAIN_VAL, raw.TEST), "fourteen_v2017", "use chestxray14/fourteen_random_v2017"),
        ((raw.TEST,), "fourteen", "lacks test_list.txt."),
        ((NEW,), "seven", f"It has {OLD}, other labels of the same images: use {NAME}/seven_v2017"),
        ((OLD,), "six_v2017", f"It has {NEW}, other labels of the same images: use {NAME}/six."),
        (("images",), "six", "lacks images."),
        ((NEW, OLD, "images"), "six", f"lacks {NEW} and images."),
    ],
)
def test_what_is_missing_is_named(gone, config, told, main_set, tmp_path):
    for path in main_set.iterdir():
        if path.name not in gone:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(LayoutError) as error:
        Builder.locate(tmp_path, config)
    assert told in str(error.value)


def test_too_small_a_part_is_refused(main_set, prepare, tmp_path):
    shutil.copytree(main_set, tmp_path / "raw")
    for path in sorted((tmp_path / "raw" / "images").glob("*.png"))[1:]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"no readable image .* holds 1 images of this config"):
        prepare(NAME, "fourteen_random", tmp_path / "data", tmp_path / "raw")


def real_table(real_data: Path) -> pd.DataFrame:
    """The real table through pandas: eleven columns, of which the header names nine."""
    names = ["image", "labels", "follow_up", "patient", "age", "sex", "view"]
    return pd.read_csv(
        real_data / "nih_1000" / NEW,
        skiprows=1,
        header=None,
        names=[*names, "w", "h", "x", "y"],
        dtype={"patient": str},
    )


@pytest.mark.real
def test_real_counts_per_finding(real_data, prepare, stored, tmp_path):
    builder = prepare(NAME, "fourteen_random", tmp_path, real_data / "nih_1000")
    facts = builder.info.metadata
    assert (facts["listed"], facts["absent"]) == (112_120, 111_120)
    assert facts["quarantined"] == []
    assert len(facts["converted"]) == 0
    real = real_table(real_data)
    there = [path.name for path in (real_data / "nih_1000" / "images").iterdir()]
    real = real[real["image"].isin(there)]
    found = read_back(builder, stored)
    assert {image for _, image in found} == set(real["image"])
    total = np.sum([one["findings"] for one in found.values()], axis=0)
    counts = real["labels"].str.get_dummies("|").sum()
    assert dict(zip(labels.FINDINGS, total, strict=True)) == {
        finding: counts.get(finding, 0) for finding in labels.FINDINGS
    }
    assert counts["Pneumonia"] == 500
    split_of = {}
    for (split, _), one in found.items():
        assert split_of.setdefault(one["patient_id"], split) == split
    assert len(split_of) == real["patient"].nunique() == 682
    assert Counter(split for split, _ in found) == {"train": 691, "validation": 97, "test": 212}


@pytest.mark.real
def test_real_copy_without_lists_is_refused(real_data):
    with pytest.raises(LayoutError, match=r"lacks train_val_list\.txt and test_list\.txt"):
        Builder.locate(real_data / "nih_1000", "fourteen")


@pytest.mark.real
def test_real_selections_agree_with_the_table(real_data):
    folder = real_data / "nih_1000"
    entries = labels.read_entries((folder / NEW).read_bytes(), NEW)
    real = real_table(real_data).set_index("image")
    assert len(entries) == len(real) == 112_120
    assert len({entry.patient_id for entry in entries}) == 30_805
    joined = {e.image_id: "|".join(sorted(e.findings)) or "No Finding" for e in entries}
    assert pd.Series(joined).equals(real["labels"].map(lambda s: "|".join(sorted(s.split("|")))))

    found = real.loc[list(protocols.seven(entries)), "labels"].value_counts()
    alone = real["labels"].value_counts()
    six_findings = [name for name in protocols.SEVEN if name != "No Finding"]
    assert found[six_findings].equals(alone[six_findings])
    assert found[six_findings].sum() == 24_755
    assert (found["No Finding"], found.sum()) == (3_998, 28_753)

    found = real.loc[list(protocols.six(entries)), "labels"].value_counts()
    assert found.to_dict() == alone[list(protocols.SIX)].to_dict()

    balanced = pd.Series(protocols.six_balanced(entries))
    counts = pd.crosstab(balanced, real.loc[balanced.index, "labels"])
    assert (counts.loc["train"] == 250).all()
    assert counts.loc[["validation", "test"]].isin([83, 84]).all(axis=None)
    assert len(labels.read_boxes((folder / raw.BOXES).read_bytes(), raw.BOXES)) == 984


@pytest.mark.real
def test_real_originals_build(real_data, prepare, stored, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in (NEW, raw.BOXES):
        (folder / name).symlink_to(real_data / "nih_1000" / name)
    (folder / "images").symlink_to(real_data / "nih_1000" / "images_original")
    builder = prepare(NAME, "fourteen_random", tmp_path / "data", folder)
    found = read_back(builder, stored)
    assert len(found) == 38
    assert [e["reason"] for e in builder.info.metadata["converted"]] == [
        "PNG RGBA to 8-bit grey PNG"
    ] * 4
    for one in found.values():
        image = Image.open(io.BytesIO(one["image"]))
        assert (image.size, image.mode) == ((1024, 1024), "L")

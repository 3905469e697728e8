"""PadChest: the table and its quirks, labels, layouts, what becomes of every row, pixels."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import random
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.builders.read_back import read_back
from tfds_builders import alignment, images, splits
from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.ingest_report import IngestReport
from tfds_builders.padchest import fake_raw, ingest_report, labels, lines, photometric, raw, table
from tfds_builders.padchest.padchest_dataset_builder import FRACTIONS, SALT, Builder

LINE_END = re.compile(r"\r\n|\r|\n")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    return fake_raw.write(tmp_path_factory.mktemp("folders"), style="folders", size=32)


@pytest.fixture(scope="module")
def published(folders) -> pd.DataFrame:
    """The fake table read another way."""
    return pd.read_csv(folders / fake_raw.TABLE, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def prepared(folders, prepare, tmp_path_factory) -> dict:
    data_dir = tmp_path_factory.mktemp("prepared")
    names = ("lung_metastasis_frontal", "findings_all")
    return {name: prepare("padchest", name, data_dir, folders) for name in names}


def write_table(folder: Path, rows: list[dict], header=fake_raw.COLUMNS) -> Path:
    path = folder / fake_raw.TABLE
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return path


def a_row(**cells: object) -> dict:
    usual = {
        "ImageID": "1.png",
        "ImageDir": "0",
        "StudyDate_DICOM": "20150622",
        "PatientID": "3" * 39,
        "PatientBirth": "1950.0",
        "PatientSex_DICOM": "F",
        "Projection": "PA",
        "PhotometricInterpretation_DICOM": "MONOCHROME2",
        "MethodLabel": "Physician",
        "Labels": "['normal']",
    }
    return dict.fromkeys(fake_raw.COLUMNS, "") | usual | cells


def read_one(folder: Path, **cells: object) -> table.Row | table.Refused:
    (found,) = table.read(write_table(folder, [a_row(**cells)]))
    return found


# Labels


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("['normal']", {"normal"}),
        ("[' pneumonia', 'Normal ', '']", {"pneumonia", "normal"}),
        ("['lung  metastasis', \"NSG tube\"]", {"lung metastasis", "nsg tube"}),
        ("['nodule', 'pseudonodule', 'nodule']", {"nodule", "pseudonodule"}),
        ("[]", set()),
        ("['']", set()),
        ("", set()),
        ("NaN", set()),
        ("  nan ", set()),
        (r"['a\ b']", {r"a\ b"}),
    ],
)
def test_labels_are_whole_stripped_and_lower(cell, found):
    assert labels.parse(cell) == found


@pytest.mark.parametrize(
    "cell",
    [
        "normal",
        "['normal'",
        "('normal',)",
        "{'normal': 1}",
        "['normal', 3]",
        "['normal', nan]",
        "[['normal']]",
        "'normal'",
        "__import__('os').getcwd()",
        "['a' for _ in range(3)]",
        "[" * 3000,
        "['normal'\0]",
        "[" + "'x', " * 2000 + "]",
    ],
)
def test_what_is_no_list_of_texts_is_malformed(cell):
    with pytest.raises(labels.Malformed):
        labels.parse(cell)


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_text_gives_labels_or_malformed(cell):
    try:
        found = labels.parse(cell)
    except labels.Malformed:
        return
    assert all(label and label == label.strip().lower() for label in found)


def test_known_labels_cover_the_alignment_table():
    for finding in alignment.load().known_by("padchest"):
        assert set(finding.labels["padchest"]) <= labels.known()
    assert {"exclude", "unchanged", "suboptimal study"} <= labels.known()
    assert all(label == label.strip().lower() for label in labels.known())


# The table


def test_a_row_as_published(tmp_path):
    found = read_one(tmp_path, Labels="[' lung metastasis', 'Nodule']", Projection="AP_horizontal")
    assert found == table.Row(
        image_id="1.png",
        folder="0",
        patient_id="3" * 39,
        age=65,
        sex="F",
        projection="AP_horizontal",
        inverted=False,
        method="Physician",
        labels=frozenset({"lung metastasis", "nodule"}),
    )


@pytest.mark.parametrize(
    ("study", "birth", "age"),
    [
        ("20150622", "1950.0", 65),
        ("20150622.0", "1950", 65),
        ("2015-06-22", "1950.0", 65),
        ("20150622", "2015.0", 0),
        ("20150622", "", -1),
        ("20150622", "nan", -1),
        ("", "1950.0", -1),
        ("20150622", "2016.0", -1),
        ("20150622", "1890.0", -1),
        ("20150622", "950.0", -1),
        ("2015", "1950.0", -1),
        ("20150622", "1950.5", -1),
    ],
)
def test_age_is_study_year_minus_birth_year_or_unknown(tmp_path, study, birth, age):
    assert read_one(tmp_path, StudyDate_DICOM=study, PatientBirth=birth).age == age


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"ImageID": ""}, "not the name of a PNG"),
        ({"ImageID": "../../etc/passwd.png"}, "not the name of a PNG"),
        ({"ImageID": "1.jpg"}, "not the name of a PNG"),
        ({"PatientID": ""}, "PatientID"),
        ({"PatientID": "nan"}, "PatientID"),
        ({"PatientID": "3.33333333333333e+38"}, "lost digits"),
        ({"PatientID": "333333.0"}, "lost digits"),
        ({"Projection": "PAA"}, "Projection 'PAA'"),
        ({"MethodLabel": ""}, "MethodLabel"),
        ({"PhotometricInterpretation_DICOM": "RGB"}, "Photometric"),
        ({"Labels": "['normal"}, "Labels are no list"),
    ],
)
def test_a_bad_row_is_refused_by_name(tmp_path, cells, said):
    found = read_one(tmp_path, **cells)
    assert isinstance(found, table.Refused)
    assert said in found.reason
    assert found.file == "1.png" or "line 2" in found.file


def test_missing_values_have_a_meaning_where_they_are_harmless(tmp_path):
    found = read_one(
        tmp_path,
        Projection="",
        PhotometricInterpretation_DICOM="",
        PatientSex_DICOM="O",
        Labels="",
        ImageDir="",
    )
    assert (found.projection, found.inverted, found.sex) == ("UNK", False, "")
    assert found.labels == frozenset()
    assert found.folder == ""


def test_an_image_listed_twice_counts_once(tmp_path):
    rows = [a_row(Labels="['bad"), a_row(), a_row(Labels="['pneumonia']")]
    bad, first, second = table.read(write_table(tmp_path, rows))
    assert isinstance(bad, table.Refused)
    assert first.labels == {"normal"}
    assert "twice" in second.reason


def test_both_spellings_and_compression_read_the_same(folders, tmp_path):
    plain = list(table.read(folders / fake_raw.TABLE))
    assert all(isinstance(row, table.Row) for row in plain)
    text = (folders / fake_raw.TABLE).read_text()
    for name, other in fake_raw.IN_README.items():
        assert name in text.split("\n")[0].split(",")
        text = text.replace(name, other, 1)
    other = tmp_path / "other.csv.gz"
    other.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert list(table.read(other)) == plain


def test_a_stray_quote_costs_one_line(folders, tmp_path):
    text = (folders / fake_raw.TABLE).read_text().split("\n")
    text[10] = text[10].replace("Manual", '"Manual', 1)
    path = tmp_path / "quote.csv"
    path.write_text("\n".join(text))
    found = list(table.read(path))
    assert len(found) == len(text) - 2
    assert [k for k, row in enumerate(found) if isinstance(row, table.Refused)] == [9]
    assert "line 11" in found[9].file


def test_a_field_may_hold_line_breaks(tmp_path):
    rows = [a_row(Report='one\ntwo "three"\r\nfour'), a_row(ImageID="2.png")]
    assert [row.image_id for row in table.read(write_table(tmp_path, rows))] == ["1.png", "2.png"]


@given(st.text(alphabet='ab,"\n\r;\0', max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_line_of_any_text_ends_in_a_record(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "wild.csv"
    path.write_bytes(text.encode())
    found = list(lines.records(path))
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))
    try:
        whole = [r for r in csv.reader(io.StringIO(text, newline=""), strict=True) if r]
    except csv.Error:
        return
    if all(fields is not None for _, fields in found):
        assert [fields for _, fields in found] == whole


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing column", "empty", "latin"])
def test_a_table_that_cannot_be_used_is_a_named_error(folders, tmp_path, damage):
    data = (folders / fake_raw.TABLE).read_bytes()
    packed = gzip.compress(data)
    content = {
        "cut": packed[: len(packed) // 2],
        "flipped": packed[:300] + b"\0\0\0\0" + packed[304:],
        "missing column": data.replace(b"Projection,", b"Projektion,", 1),
        "empty": b"",
        "latin": b"\xff\xfe" + data.decode().encode("utf-16-le"),
    }
    path = tmp_path / "table.csv"
    path.write_bytes(content[damage])
    with pytest.raises(DatasetError, match=re.escape(str(path))):
        list(table.read(path))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to three small damages of the kinds that editors, disks and programs do."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        part = data[at : at + rng.randint(1, 40)]
        data = rng.choice(
            [
                data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
                data[:at] + data[at + len(part) :],
                data[:at] + part + data[at:],
                data[:at] + rng.choice([b'"', b",", b"\n", b"'", b"\0", b"[", b"\r"]) + data[at:],
                data[:at] if rng.random() < 0.2 else data[:at] + data[at + 1 :],
            ]
        )
    return data


def test_200_mutated_tables_lose_no_row_silently(folders, tmp_path):
    data = (folders / fake_raw.TABLE).read_bytes()
    selection = Builder.builder_configs["findings_all"].selection
    found_images = raw.locate(folders).images
    path = tmp_path / fake_raw.TABLE
    fates = Counter()
    for seed in range(200):
        rng = random.Random(seed)
        changed = mutated(data, rng)
        path.write_bytes(gzip.compress(changed, 1, mtime=0) if seed % 2 else changed)
        ingest, listed_images = IngestReport(), ingest_report.ListedImages()
        problem, listed = "", []
        try:
            listed = list(table.read(path))
        except DatasetError as error:
            problem = str(error)
        if problem:
            assert str(path) in problem
            fates["named error"] += 1
            continue
        fates["read"] += 1
        rows = list(listed_images.sift(listed, selection, ingest))
        present = listed_images.present(rows, found_images, ingest)
        told = listed_images.rows
        lines_there = [x for x in LINE_END.split(changed.decode(errors="replace")) if x.strip()]
        # Each line is a row, or refused, or (a line break put inside quotes) the rest of a row.
        whole = [fields for _, fields in lines.records(path) if fields is not None]
        inside = sum(len(LINE_END.findall(field)) for fields in whole for field in fields)
        assert told["listed"] == len(lines_there) - 1 - inside
        assert inside <= 3
        assert told["listed"] == (
            sum(told["excluded"].values()) + told["absent"] + told["quarantined"] + len(present)
        )
        assert told["quarantined"] == len(ingest.quarantined)
        assert all(entry["file"] and entry["reason"] for entry in ingest.quarantined)
        fates["with quarantine"] += told["quarantined"] > len(fake_raw.MISSING)
    assert fates["read"] > 100
    assert fates["with quarantine"] > 50


# Where the files are


@pytest.mark.parametrize(("style", "gzipped"), [("zips", True), ("flat", False)])
def test_every_layout_gives_the_same_images(tmp_path, style, gzipped):
    small = {"patients": 6, "size": 32}
    here = raw.locate(fake_raw.write(tmp_path / "a", style="folders", **small))
    there = raw.locate(fake_raw.write(tmp_path / "b", style=style, gzipped=gzipped, **small))
    assert there.table.name == fake_raw.TABLE + (".gz" if gzipped else "")
    assert set(here.images.places) == set(there.images.places)
    for name in here.images.places:
        assert here.images.read(name) == there.images.read(name)
    assert not here.images.refused
    assert not there.images.refused


def test_zip_files_are_read_in_order_beside_folders_and_damage_is_told(tmp_path):
    fake_raw.write(tmp_path, patients=6, size=32)
    (tmp_path / "images").mkdir()
    shutil.move(tmp_path / "54.zip", tmp_path / "images" / "54.zip")
    with zipfile.ZipFile(tmp_path / "0.zip") as archive:
        names = archive.namelist()
        archive.extract(names[0], tmp_path / "0")
    (tmp_path / "3.zip").write_bytes((tmp_path / "3.zip").read_bytes()[:100])
    (tmp_path / "10.zip").write_bytes(b"")
    found = raw.locate(tmp_path)
    assert [path.name for path in found.zips] == ["0.zip", "3.zip", "10.zip", "54.zip"]
    assert [name for name, _ in found.images.refused] == ["3.zip", "10.zip"]
    assert set(names) <= set(found.images.places)
    assert found.images.places[names[0]][1] == f"0/{names[0]}"
    assert next(iter(found.images.places)) == names[0]


@pytest.mark.parametrize("missing", ["table", "images", "which table"])
def test_locate_says_what_lacks(folders, tmp_path, missing):
    if missing == "images":
        shutil.copy(folders / fake_raw.TABLE, tmp_path)
    else:
        (tmp_path / "0").mkdir()
        (tmp_path / "0" / "1.png").write_bytes(b"")
    if missing == "which table":
        (tmp_path / "a.csv").write_text("")
        (tmp_path / "b.csv").write_text("")
    with pytest.raises(LayoutError) as error:
        Builder.locate(tmp_path, "findings_all")
    expected = {"table": "not hold the table", "images": "no PNG", "which table": "2 CSV files"}
    assert expected[missing] in str(error.value)
    assert "0.zip" in str(error.value)


# What is prepared


def test_rows_are_selected_as_documented(prepared, published, stored):
    """Against a selection by pandas that shares nothing with the builder."""
    said = published["Labels"].map(lambda cell: ast.literal_eval(cell or "[]"))
    said = said.map(lambda items: {item.strip().lower() for item in items} - {""})
    usable = said.map(lambda s: bool(s - {"unchanged"}) and not s & {"exclude", "suboptimal study"})
    there = ~published["ImageID"].isin(fake_raw.MISSING) & ~published["ImageID"].str.contains("abs")
    there &= published["ImageID"] != fake_raw.BROKEN
    all_views = usable & there & (published["Projection"] != "EXCLUDE")
    frontal = all_views & published["Projection"].isin(["PA", "AP", "AP_horizontal"])
    sick = said.map(lambda s: "lung metastasis" in s)
    well = said.map(lambda s: s - {"unchanged"} == {"normal"})

    found = read_back(prepared["lung_metastasis_frontal"], stored)
    expected = published["ImageID"][frontal & (sick | well)]
    assert set(found) == set(expected)
    positives = {name for name, one in found.items() if one["findings"][0]}
    assert positives == set(published["ImageID"][frontal & sick])
    assert set(published["MethodLabel"][frontal & sick]) == {"Physician", "RNN_model"}

    found = read_back(prepared["findings_all"], stored)
    assert set(found) == set(published["ImageID"][all_views])
    names = prepared["findings_all"].info.metadata["findings"]
    by_id = dict(zip(published["ImageID"], said, strict=True))
    parts = {"Effusion": ["pleural effusion", "hydropneumothorax"], "Hernia": ["hiatal hernia"]}
    parts |= {"Nodule": ["multiple nodules"], "Mass": [], "Emphysema": []}
    parts |= {"Pneumothorax": ["hydropneumothorax"], "Atelectasis": ["laminar atelectasis"]}
    for finding, any_of in parts.items():
        place = names.index(finding)
        for image_id, one in found.items():
            assert one["findings"][place] == bool(by_id[image_id] & set(any_of))


def test_patients_ages_and_views_are_kept(prepared, published, stored):
    found = read_back(prepared["findings_all"], stored)
    by_id = published.set_index("ImageID")
    for image_id, one in found.items():
        row = by_id.loc[image_id]
        assert one["patient_id"].decode() == row["PatientID"]
        assert one["split"] == splits.assign(row["PatientID"], SALT, FRACTIONS)
        birth = float(row["PatientBirth"] or "nan")
        age = int(row["StudyDate_DICOM"][:4]) - birth
        assert one["age"] == (age if 0 <= age <= 120 else -1)
        assert one["view"].decode() == row["Projection"].replace("UNK", "")
        assert one["label_source"].decode() == row["MethodLabel"]
        assert one["sex"].decode() == row["PatientSex_DICOM"].replace("O", "")
    # As float64 these would be fewer patients.
    ids = {one["patient_id"].decode() for one in found.values()}
    assert len({float(one) for one in ids}) < len(ids)
    assert {one["view"] for one in found.values()} >= {b"L", b"COSTAL", b"AP_horizontal", b""}


@pytest.mark.parametrize("config", ["lung_metastasis_frontal", "findings_all"])
def test_every_row_is_accounted_for(prepared, published, config):
    facts = prepared[config].info.metadata
    rows = facts["rows"]
    assert rows["listed"] == len(published)
    assert rows["listed"] == (
        sum(rows["excluded"].values()) + rows["absent"] + rows["quarantined"] + rows["examples"]
    )
    assert rows["examples"] == prepared[config].info.splits.total_num_examples
    assert rows["absent"] == fake_raw.ABSENT == sum(rows["absent_by_folder"].values())
    assert facts["absent"] == rows["absent"]
    assert facts["listed"] == rows["listed"] - sum(rows["excluded"].values())
    there = facts["listed"] - facts["absent"] - len(fake_raw.MISSING)
    assert facts["fraction"] == pytest.approx(there / facts["listed"], abs=1e-6)
    reasons = {entry["file"]: entry["reason"] for entry in facts["quarantined"]}
    assert set(reasons) == {*fake_raw.MISSING, fake_raw.BROKEN}
    assert all("known" in reason for reason in reasons.values())
    assert fake_raw.MENDED in ingest_report.known_bad()
    assert facts["unknown_labels"] == {}
    assert not facts["redistributable"]


def test_known_bad_list():
    assert Counter(ingest_report.known_bad().values()) == {"missing": 11, "broken": 10}


def test_a_misspelt_label_and_stray_files_are_seen(folders, prepare, tmp_path):
    shutil.copytree(folders, tmp_path / "raw")
    path = tmp_path / "raw" / fake_raw.TABLE
    path.write_text(path.read_text().replace("pulmonary edema", "pulmonary oedema"))
    for name in ("54/Thumbs.db", "54/report.pdf", "notes.txt"):
        (tmp_path / "raw" / name).write_bytes(b"?")
    facts = prepare("padchest", "findings_all", tmp_path / "data", tmp_path / "raw").info.metadata
    assert list(facts["unknown_labels"]) == ["pulmonary oedema"]
    strays = [e["file"] for e in facts["quarantined"] if "named" in e["reason"]]
    assert strays == ["54/report.pdf"]


def test_too_small_a_copy_is_a_named_error(folders, prepare, tmp_path):
    shutil.copy(folders / fake_raw.TABLE, tmp_path)
    (tmp_path / "0").mkdir()
    image = next(path for path in (folders / "0").glob("*.png"))
    shutil.copy(image, tmp_path / "0")
    with pytest.raises(DatasetError, match="no image falls into") as error:
        prepare("padchest", "findings_all", tmp_path / "data", tmp_path)
    assert "absent" in str(error.value)


# Pixels


def test_bits_are_kept_and_monochrome1_is_turned_round(prepared, published, stored, folders):
    builder = prepared["findings_all"]
    turned = {e["file"] for e in builder.info.metadata["converted"]}
    inverted = published.set_index("ImageID")["PhotometricInterpretation_DICOM"] == "MONOCHROME1"
    source = raw.locate(folders).images
    found = read_back(builder, stored)
    assert turned == {name for name in found if inverted[name]}
    assert turned
    depths = set()
    for name, one in found.items():
        before, after = source.read(name), one["image"]
        if name not in turned:
            assert after == before
            continue
        old, new = (np.asarray(Image.open(io.BytesIO(data))) for data in (before, after))
        assert new.dtype == old.dtype
        depths.add(old.dtype)
        assert (new.min(), new.max()) == (old.min(), old.max())
        np.testing.assert_array_equal(new.astype(int) + old, int(old.min()) + int(old.max()))
    assert depths == {np.dtype(np.uint8), np.dtype(np.uint16)}


def test_turning_round_twice_gives_the_same_pixels():
    rng = np.random.default_rng(0)
    for dtype, high in ((np.uint8, 256), (np.uint16, 65536)):
        pixels = rng.integers(0, high, (9, 7)).astype(dtype)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        twice = photometric.inverted(photometric.inverted(buffer.getvalue()))
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(twice))), pixels)


def test_eight_twelve_and_sixteen_bits_decode_to_the_same_picture():
    from benchmark.data.decode import decode_image

    picture = np.add.outer(np.arange(32), 7 * np.arange(32)).astype(np.uint8)
    decoded = []
    for pixels in (picture, picture.astype(np.uint16) * 16, picture.astype(np.uint16) * 257):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        checked = images.check(buffer.getvalue(), np.uint16)
        assert checked.data == buffer.getvalue()
        decoded.append(decode_image(checked.data, 32, tf.uint16).numpy())
    np.testing.assert_array_equal(decoded[0], decoded[1])
    np.testing.assert_array_equal(decoded[0], decoded[2])
    assert decoded[0].max() == 255


# As people use it


def test_plain_load_gives_all_bits_and_the_findings(prepared):
    data_dir = Path(prepared["findings_all"].data_dir).parents[2]
    one = next(iter(tfds.load("padchest/findings_all", split="train", data_dir=data_dir)))
    assert one["image"].dtype.name == "uint16"
    assert one["findings"].shape == (15,)


def test_configs_differ_in_what_they_say():
    facts = {name: config.selection for name, config in Builder.builder_configs.items()}
    assert len(facts) == 8
    said = {json.dumps([list(s.labels), s.projections, s.physician]) for s in facts.values()}
    assert len(said) == 8
    assert all(s.physician == name.endswith("_physician") for name, s in facts.items())
    assert all((len(s.labels) == 1) == s.binary for s in facts.values())

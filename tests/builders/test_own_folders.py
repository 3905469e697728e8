"""Class folders as people have them: service folders, splits by any name, sub-folders, patients."""

from __future__ import annotations

import pytest
from own_sets import by_image, in_pools, looked, touched, write

from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.image_folder import pools
from tfds_builders.image_folder.normal import is_normal, task_of

UNKNOWN = {"patients": "unknown"}
TWO = [f"{c}/{n}.png" for c in ("NORMAL", "PNEUMONIA") for n in range(4)]


def placed(*tops: str) -> list[str]:
    return [f"{top}/{name}" for top in tops for name in TWO]


@pytest.mark.parametrize(
    "service",
    [
        ".ipynb_checkpoints/0.png", "@eaDir/0.png/THUMB.png", ".Trash-1000/files/0.png",
        "$RECYCLE.BIN/0.png", "__MACOSX/NORMAL/._0.png", "lost+found/0.png", "#recycle/0.png",
        "NORMAL/.ipynb_checkpoints/0-checkpoint.png", "PNEUMONIA/@eaDir/0.png/M.jpg",
        "NORMAL/Thumbs.db", "System Volume Information/0.png", ".thumbnails/0.jpg",
        "RECYCLER/0.png", "~snapshot/0.png", "NORMAL/0.png~", "NORMAL/0.png.bak", "results/roc.png",
        "Network Trash Folder/0.png", "FOUND.000/0.png", "NORMAL/9.png.crdownload",
        "NORMAL/0.png:Zone.Identifier",
    ],
)  # fmt: skip
def test_service_folders_are_no_classes_and_hold_no_images(tmp_path, service):
    found = looked(touched(tmp_path, [*TWO, service]), **UNKNOWN)
    assert found.findings == ("PNEUMONIA",)
    assert sorted(by_image(found)) == sorted(TWO)
    assert not found.refused


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("Training", "train"), ("train_set", "train"), ("TRAINSET", "train"),
        ("train-images", "train"), ("01_train", "train"), ("val", "validation"),
        ("Valid", "validation"), ("validation_data", "validation"), ("dev", "validation"),
        ("test", "test"), ("testing", "test"), ("test1", "test"), ("Test Set", "test"),
        ("trn", "train"), ("tst", "test"), ("TestSet", "test"), ("train-256", "train"),
        ("contest", ""), ("fold1", ""), ("eval", ""), ("NORMAL", ""), ("trained", ""), ("", ""),
    ],
)  # fmt: skip
def test_spellings_of_splits(name, split):
    assert pools.pool(name) == split


@pytest.mark.parametrize(
    ("tops", "splits"),
    [
        (("Training", "Testing"), {"train", "test"}),
        (("train_set", "dev", "test1"), {"train", "validation", "test"}),
        (("set/data/train", "set/data/test"), {"train", "test"}),
    ],
)
def test_a_split_of_folders_is_met_under_any_spelling(tmp_path, tops, splits):
    found = looked(touched(tmp_path, placed(*tops)), **UNKNOWN)
    assert in_pools(found) == dict.fromkeys(splits, len(TWO))
    assert found.findings == ("PNEUMONIA",)


def test_each_class_may_hold_its_splits(tmp_path):
    names = [
        f"{c}/{s}/{n}.png" for c in ("normal", "ill") for s in ("train", "val") for n in (1, 2)
    ]
    assert in_pools(looked(touched(tmp_path, names), **UNKNOWN)) == {"train": 4, "validation": 4}


@pytest.mark.parametrize("tops", [("train", "EVAL"), ("fold1", "fold2"), ("train", "holdout")])
def test_a_folder_that_may_be_a_split_is_asked_about(tmp_path, tops):
    folder = touched(tmp_path, placed(*tops))
    with pytest.raises(DatasetError, match=f"which split is .*{tops[1]}.*--splits"):
        looked(folder, **UNKNOWN)
    told = looked(folder, splits=f"train={tops[0]},test={tops[1]}", **UNKNOWN)
    assert in_pools(told) == {"train": 8, "test": 8}


@pytest.mark.parametrize("branches", [("fold1", "fold2"), ("train", "eval")])
def test_splits_within_classes_are_asked_about_too(tmp_path, branches):
    names = [f"{c}/{b}/{n}.png" for c in ("normal", "ill") for b in branches for n in range(3)]
    folder = touched(tmp_path, names)
    with pytest.raises(DatasetError, match=rf"which split is .*{branches[1]}.*each class"):
        looked(folder, **UNKNOWN)
    told = looked(folder, splits=f"train={branches[0]},test={branches[1]}", **UNKNOWN)
    assert in_pools(told) == {"train": 6, "test": 6}


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        (["test/1.png", "test/2.png"], "test lies beside .* It is test, but holds 2 images"),
        (["COVID/1.png"], "COVID lies beside .* It is no split, and holds 1 images"),
    ],
)
def test_images_beside_a_split_that_lie_in_no_class_stop(tmp_path, stray, said):
    """Kaggle's test images have no labels: another test must not be carved out of train."""
    with pytest.raises(DatasetError, match=said):
        looked(touched(tmp_path, [*placed("train"), *stray]), **UNKNOWN)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.png", "test/2.png"], ["fold1/1.png", "fold2/2.png"],
        [f"batch{b}/{c}/1.png" for b in (1, 2) for c in ("normal", "ill")],
    ],
)  # fmt: skip
def test_parts_of_a_set_are_no_classes(tmp_path, names):
    with pytest.raises(DatasetError, match="is no name of a finding"):
        looked(touched(tmp_path, names), **UNKNOWN)


def test_parts_of_a_set_can_be_put_together(tmp_path):
    folder = touched(tmp_path, placed("batch1", "batch2"))
    assert in_pools(looked(folder, splits="train=batch1,train=batch2", **UNKNOWN)) == {"train": 16}


def test_classes_that_lie_deeper_are_asked_about(tmp_path):
    with pytest.raises(DatasetError, match="Where these are the classes, give --manual-dir"):
        looked(touched(tmp_path, placed("A data", "B data")), **UNKNOWN)


@pytest.mark.parametrize("copy", ["ILL - Copy", "ill copy 2", "ILL (1)", "Ill - Kopie (2)"])
def test_a_copy_of_a_class_folder_is_no_class(tmp_path, copy):
    names = [f"{c}/{n}.png" for c in ("normal", "ILL", copy) for n in range(3)]
    with pytest.raises(DatasetError, match="is called like a copy of 'ILL'"):
        looked(touched(tmp_path, names), **UNKNOWN)


def test_files_of_other_kinds_are_named(tmp_path):
    names = [name.replace(".png", ".nii.gz") for name in TWO]
    with pytest.raises(LayoutError, match=r"two classes of images: its files are 8 \.gz"):
        looked(touched(tmp_path, names), **UNKNOWN)


def test_a_few_pictures_beside_splits_are_left_out(tmp_path):
    names = [f"train/{c}/{n}.png" for c in ("normal", "ill") for n in range(20)]
    found = looked(touched(tmp_path, [*names, "docs/figure.png"]), **UNKNOWN)
    assert [entry["file"] for entry in found.refused] == ["docs/figure.png"]


def test_images_without_an_extension_are_met_by_their_content(tmp_path):
    folder = write(tmp_path, TWO)
    for name in TWO:
        (folder / name).rename(folder / name.removesuffix(".png"))
    (folder / "NORMAL" / "notes").write_text("no image")
    found = looked(folder, **UNKNOWN)
    assert {name.removesuffix(".png") for name in TWO} <= set(by_image(found))
    (folder / "t.csv").write_text("file,Mass\n0,1\nNORMAL/1,0\nNORMAL/2,1\n")
    said = {"csv": "t.csv", "image_column": "file", "finding_columns": ("Mass",)}
    table = looked(folder, **said, **UNKNOWN)
    assert set(by_image(table)) == {"NORMAL/1", "NORMAL/2"}
    assert "'0' may be NORMAL/0 or PNEUMONIA/0" in table.refused[0]["reason"]


def test_masks_beside_their_film_and_texts_are_no_radiographs(tmp_path):
    marks = ["NORMAL/0_mask.png", "NORMAL/1-Seg.png", "PNEUMONIA/2_mask_1.png"]
    found = looked(touched(tmp_path, [*TWO, *marks, "NORMAL/readme.txt"]), **UNKNOWN)
    assert sorted(by_image(found)) == sorted(TWO)
    assert {e["file"]: e["reason"] for e in found.refused} == {
        "NORMAL/0_mask.png": "a mask or marking of NORMAL/0",
        "NORMAL/1-Seg.png": "a mask or marking of NORMAL/1",
        "PNEUMONIA/2_mask_1.png": "a mask or marking of PNEUMONIA/2",
        "NORMAL/readme.txt": "no image of a kind that is read",
    }


@pytest.mark.parametrize("said", ["train", "practice=A", "train=A,test=A", "train="])
def test_splits_that_are_not_understood(tmp_path, said):
    with pytest.raises(DatasetError, match=r"--splits .* is not understood"):
        looked(touched(tmp_path, TWO), splits=said, **UNKNOWN)


def test_a_split_that_is_named_and_not_there_stops(tmp_path):
    folder = touched(tmp_path, placed("fold1", "fold2"))
    with pytest.raises(DatasetError, match="names 'fold3', and no folder is called so"):
        looked(folder, splits="train=fold1,test=fold3", **UNKNOWN)


def test_sub_folders_of_classes_are_asked_about_and_never_mixed(tmp_path):
    names = [
        f"{c}/{kind}/{n}.png" for c in ("Normal", "COVID") for kind in ("images", "masks")
        for n in range(3)
    ]  # fmt: skip
    folder = touched(tmp_path, names)
    with pytest.raises(DatasetError, match=r"3 in images/, 3 in masks/.*--within images"):
        looked(folder, **UNKNOWN)
    found = looked(folder, within="images", **UNKNOWN)
    assert len(found.entries) == 6
    assert all("/images/" in entry.image for entry in found.entries)
    assert {entry["reason"] for entry in found.refused} == {"not within images/"}
    assert len(looked(folder, within="*", **UNKNOWN).entries) == 12
    with pytest.raises(DatasetError, match=r"no image of .* is left within nowhere/"):
        looked(folder, within="nowhere", **UNKNOWN)


def test_masks_in_folders_of_patients_are_asked_about_too(tmp_path):
    names = [
        f"{c}/p{n}/{kind}{k}.png" for c in ("normal", "ill") for n in range(3)
        for kind in ("", "lung_masks/") for k in (1, 2)
    ]  # fmt: skip
    folder, said = touched(tmp_path, names), {"patient_pattern": "/(p[0-9]+)/"}
    with pytest.raises(
        DatasetError, match=r"6 in the folder itself, 6 in lung_masks/.*--within \."
    ):
        looked(folder, **said)
    found = looked(folder, within=".", **said)
    assert len(found.entries) == 12
    assert not any("masks" in entry.image for entry in found.entries)


def test_the_class_folder_itself_may_be_meant(tmp_path):
    folder = touched(tmp_path, [*TWO, "NORMAL/augmented/9.png"])
    with pytest.raises(
        DatasetError, match=r"4 in the folder itself, 1 in augmented/.*--within \. "
    ):
        looked(folder, **UNKNOWN)
    assert sorted(by_image(looked(folder, within=".", **UNKNOWN))) == sorted(TWO)


def test_folders_of_patients_are_no_mixture(tmp_path):
    names = [f"{c}/p{n}/view{k}.png" for c in ("normal", "ill") for n in range(3) for k in (1, 2)]
    found = looked(touched(tmp_path, names), patient_pattern="/(p[0-9]+)/")
    assert {e.patient for e in found.entries} == {"p0", "p1", "p2"}


def test_images_and_masks_alone_are_no_classes(tmp_path):
    with pytest.raises(DatasetError, match="is no name of a finding"):
        looked(touched(tmp_path, ["images/1.png", "masks/1.png"]), **UNKNOWN)


def test_a_pattern_may_begin_at_the_name_or_lie_in_the_path(tmp_path):
    folder = touched(tmp_path, [f"{c}/{n}_a.png" for c in ("normal", "ill") for n in range(3)])
    assert {e.patient for e in looked(folder, patient_pattern="^([0-9])_").entries} == set("012")


def test_a_pattern_is_found_in_every_unicode_form(tmp_path):
    names = [f"{c}/Mu\u0308ller{n}.png" for c in ("normal", "ill") for n in range(3)]
    found = looked(touched(tmp_path, names), patient_pattern="M\u00fcller([0-9])")
    assert {e.patient for e in found.entries} == set("012")


def test_a_pattern_that_loses_a_class_stops_with_both_counts(tmp_path):
    names = [f"NORMAL/IM-{n}.png" for n in range(5)] + [f"ILL/person{n}_1.png" for n in range(4)]
    with pytest.raises(DatasetError, match=r"of NORMAL\..*ILL: 4 of 4; NORMAL: 0 of 5"):
        looked(touched(tmp_path, names), patient_pattern="^person([0-9]+)_")


@pytest.mark.parametrize(
    ("name", "other", "normal"),
    [
        ("0_normal", "1_ill", True), ("Non-Covid", "Covid", True), ("No Finding", "x", True),
        ("no_pneumonia", "pneumonia", True), ("covid_negative", "COVID", True),
        ("Normal CXR", "TB", True), ("abnormal", "x", False), ("viral", "bacterial", False),
        ("Nodule", "x", False), ("noncommunicable", "x", False), ("Normal (healthy)", "x", True),
        ("NEG", "POS", True), ("without_TB", "TB", True), ("TB-free", "TB", True),
        ("no", "yes", True),
    ],
)  # fmt: skip
def test_words_for_normal(name, other, normal):
    assert is_normal(name, [other]) is normal


def test_which_of_two_classes_is_normal_is_asked(tmp_path):
    folder = touched(tmp_path, [f"{c}/{n}.png" for c in ("viral", "bacterial") for n in range(3)])
    with pytest.raises(DatasetError, match=r"means normal\? Say it: --normal-class"):
        looked(folder, **UNKNOWN)
    assert looked(folder, normal_class="viral", **UNKNOWN).findings == ("bacterial",)
    assert looked(folder, normal_class="none", **UNKNOWN).kind == "multiclass"
    with pytest.raises(DatasetError, match="there is no class 'healthy'"):
        looked(folder, normal_class="healthy", **UNKNOWN)
    with pytest.raises(DatasetError, match="'Healthy' and 'normal' both mean normal"):
        task_of(["Healthy", "normal", "tb"])
    assert task_of(["Healthy", "normal", "tb"], "none")[1] == "multiclass"
    assert task_of(["normal", "tb", "covid"]) == (("normal", "tb", "covid"), "multiclass")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lung Opacity", "Lung_Opacity"), ("Lung Opacity", "lung opacity"),
        ("o\u0308de", "\u00f6de"),
        ("COVID-19", "COVID19"), ("TB ", "TB"),
    ],
)  # fmt: skip
def test_spellings_of_a_class_are_one_class_and_said(tmp_path, one, other):
    names = [f"train/{one}/1.png", f"train/{one}/2.png", f"test/{other}/3.png"]
    names += ["train/normal/4.png", "test/normal/5.png"]
    found = looked(touched(tmp_path, names), **UNKNOWN)
    assert found.kind == "binary"
    assert sum(entry.findings == (1,) for entry in found.entries) == 3


def test_folders_that_are_taken_for_one_class_are_said_to_be(tmp_path):
    said = "does not hold two classes of images; 'Normal' and 'normal' are taken for one class"
    with pytest.raises(LayoutError, match=said):
        looked(touched(tmp_path, ["Normal/1.png", "normal/2.png"]), **UNKNOWN)


def test_folders_of_one_class_are_no_set(tmp_path):
    with pytest.raises(LayoutError, match="does not hold two classes"):
        looked(touched(tmp_path, ["NORMAL/p1/1.png", "NORMAL/p2/1.png"]), **UNKNOWN)

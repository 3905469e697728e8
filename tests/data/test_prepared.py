from __future__ import annotations

import pandas as pd
import pytest

from benchmark.data.deriving import image_source, test_digest
from benchmark.data.facts import Suspected
from benchmark.data.leakage import audit
from benchmark.data.prepared import NotPrepared, is_prepared, load_prepared
from benchmark.records.door import RecordError
from tests.data.claimed_sets import claim, some_lines


def manifest(*lines):
    """Lines of (image_id, patient_id, split, sha256)."""
    frame = pd.DataFrame(lines, columns=["image_id", "patient_id", "split", "sha256"])
    return frame.assign(**{"target:Mass": 1, "labelled:Mass": 1, "width": 64, "height": 64})


CLEAN = (("a", "1", "train", "x"), ("b", "2", "validation", "y"), ("c", "3", "test", "z"))


def test_disjoint_patients_and_images_are_clean():
    assert audit(manifest(*CLEAN), []).status == "clean"


def test_several_images_of_a_patient_in_one_split_are_clean():
    assert audit(manifest(*CLEAN, ("d", "1", "train", "w")), []).status == "clean"


@pytest.mark.parametrize(("a", "b"), [("train", "test"), ("train", "validation")])
def test_a_patient_on_two_sides_is_a_leak(a, b):
    leakage = audit(manifest(*CLEAN, ("d", "9", a, "v"), ("e", "9", b, "w")), [])
    assert leakage.status == "leak"
    assert f"1 patient in both {a} and {b}" in leakage.reasons


def test_an_identical_image_on_two_sides_is_a_leak_even_where_ids_are_ambiguous():
    declared = [Suspected(("train", "test"), "numbers may restart")]
    leaking = manifest(*CLEAN, ("d", "9", "train", "same"), ("e", "9", "test", "same"))
    assert audit(leaking, declared).status == "leak"


def test_declared_ambiguity_is_suspected_with_its_reason():
    declared = [Suspected(("test", "train"), "numbers may restart")]
    lines = manifest(*CLEAN, ("d", "9", "train", "v"), ("e", "9", "test", "w"))
    leakage = audit(lines, declared)
    assert leakage.status == "suspected"
    assert leakage.reasons == ("1 patient id in both train and test: numbers may restart",)


def test_a_declaration_covers_only_its_own_pair_of_splits():
    declared = [Suspected(("train", "test"), "numbers may restart")]
    lines = manifest(*CLEAN, ("d", "9", "train", "v"), ("e", "9", "validation", "w"))
    assert audit(lines, declared).status == "leak"


@pytest.mark.parametrize(
    ("sizes", "published", "expected"),
    [
        ([(64, 64), (64, 64)], 0, "resized to 64 px"),
        ([(1024, 1024)] * 2, 1024, "original"),
        ([(256, 256)] * 2, 1024, "resized to 256 px"),
        ([(1200, 900), (1100, 800)], 0, "original"),
        ([(1200, 900), (1100, 800)], 1024, "mixed sizes"),
        ([(1200, 900)] * 2, 0, "original"),
    ],
)
def test_the_size_of_images_says_whether_they_are_the_published_ones(sizes, published, expected):
    frame = pd.DataFrame(sizes, columns=["width", "height"])
    assert image_source(frame, published) == expected


def test_the_test_digest_sees_images_patients_and_labels_but_not_their_order():
    frame = manifest(*CLEAN, ("d", "4", "test", "w"))
    digest = test_digest(frame, ["Mass"])
    assert test_digest(frame.iloc[::-1], ["Mass"]) == digest
    assert test_digest(frame[frame["split"] != "train"], ["Mass"]) == digest
    for column in ("image_id", "patient_id", "target:Mass", "labelled:Mass"):
        changed = frame.copy()
        changed.loc[3, column] = "e" if changed[column].dtype.kind not in "iu" else 0
        assert test_digest(changed, ["Mass"]) != digest, column


test_digest.__test__ = False  # the function under test, not a test


def test_a_set_that_is_not_prepared_says_how(tmp_path):
    with pytest.raises(NotPrepared, match="cxr-bench prepare some/set"):
        load_prepared("some/set", tmp_path)


def test_a_link_to_nowhere_is_damage_not_absence(tmp_path):
    folder = tmp_path / "toy" / "official" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "prepared.json").symlink_to("prepared.json")
    assert is_prepared("toy/official", tmp_path)
    with pytest.raises(RecordError, match=r"prepared\.json"):
        load_prepared("toy/official", tmp_path)


def test_the_newest_version_is_taken(tmp_path):
    for version in ("1.9.0", "1.10.0"):
        claim(tmp_path / "some" / "set" / version, some_lines())
    assert load_prepared("some/set", tmp_path).version == "1.10.0"


def test_ids_that_look_like_numbers_stay_text(tmp_path):
    lines = some_lines()
    numbers = {"image_id": "0012", "patient_id": str(10**38), "sex": "", "view": "NA"}
    for column, text in numbers.items():
        lines[column] = text
    claim(tmp_path / "some" / "set" / "1.0.0", lines)
    line = load_prepared("some/set", tmp_path).manifest().iloc[0]
    assert {column: line[column] for column in numbers} == numbers

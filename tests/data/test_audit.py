"""The audit: are injected leaks found, is nothing else found, are the numbers right?"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from altered import ALTERED, NEGATIVE, PADDED, TURNED, cropped, jpeg, letterboxed
from PIL import Image
from scipy.stats import norm
from tiny_sets import store

from benchmark.data.audit import between, candidates, duplicates, prevalence
from benchmark.data.audit import copies as copies_module
from benchmark.data.audit.between import copies_between
from benchmark.data.audit.borders import borders_of, with_trimmed
from benchmark.data.audit.candidates import find_candidates
from benchmark.data.audit.confirm import correlations, threshold
from benchmark.data.audit.copies import Copies, find_copies, stored_copies
from benchmark.data.audit.ondisk import written
from benchmark.data.audit.patients import shared_patients
from benchmark.data.audit.plausibility import implausible
from benchmark.data.decode import decode_image
from benchmark.data.leakage import audit
from tests.command_line import cxr_bench
from tests.encoded import encoded
from tfds_builders.kermany_pneumonia import fake_raw
from tfds_builders.thorax_phantom.simulation import draw_patient, simulate


def at_64(picture: Image.Image) -> np.ndarray:
    return decode_image(encoded(np.asarray(picture)), 64).numpy()[..., 0]


def confirmed(pictures: list[Image.Image], patients: list[str]) -> dict[tuple[int, int], float]:
    """Pairs that the audit takes for one image."""
    images = np.stack([at_64(picture) for picture in pictures])
    pairs = find_candidates(images)
    found = correlations(images, pairs)
    who = np.array(patients)
    sure = threshold(found[(who[pairs.whole] != who[pairs.cut]) & pairs.plain])
    both = np.sort(np.stack([pairs.whole, pairs.cut], 1), axis=1)
    return {tuple(p): r for p, r in zip(both.tolist(), found.tolist(), strict=True) if r >= sure}


def injected(
    originals: list[Image.Image], each: int, altered: dict = ALTERED
) -> tuple[list[Image.Image], set, list[str]]:
    """Originals with ``each`` copies of every kind, no original copied twice; the true pairs."""
    pictures, pairs, kinds = list(originals), set(), []
    for number, (kind, alter) in enumerate(altered.items()):
        for k in range(number * each, (number + 1) * each):
            pairs.add((k, len(pictures)))
            pictures.append(alter(originals[k]))
            kinds.append(kind)
    return pictures, pairs, kinds


def missed(found: dict, pairs: set, kinds: list[str]) -> list[str]:
    in_order = sorted(pairs, key=lambda pair: pair[1])
    return [kind for pair, kind in zip(in_order, kinds, strict=True) if pair not in found]


@pytest.fixture(scope="module")
def phantoms() -> list[Image.Image]:
    """One film of each of 48 simulated patients."""
    return [
        Image.fromarray(simulate(draw_patient(3, f"p{k}"), 0, 128, view="AP").pixels)
        for k in range(48)
    ]


def test_injected_copies_of_simulated_patients_are_found_and_nothing_else(phantoms):
    pictures, pairs, kinds = injected(phantoms, 4)
    patients = [f"p{k}" for k in range(48)] + [f"copy {k}" for k in range(len(kinds))]
    found = confirmed(pictures, patients)
    assert set(found) <= pairs
    # Simulated patients are so alike that little detail, or much clipping, leaves it open.
    assert set(missed(found, pairs, kinds)) <= {"scaled to 25 %", "20 % darker"}


def _real(folder: Path, pattern: str, count: int) -> tuple[list[Image.Image], list[str]]:
    """Pictures of as many patients, spread over the set; file names hold the patient."""
    by_patient = {}
    for path in sorted(folder.rglob(pattern)):
        name = path.stem.removeprefix("NORMAL2-")
        patient = "-".join(name.split("-")[:2]) if name.startswith("IM") else name.split("_")[0]
        by_patient.setdefault(patient, path)
    chosen = [list(by_patient)[k] for k in np.linspace(0, len(by_patient) - 1, count).astype(int)]
    return [Image.open(by_patient[p]).convert("L") for p in chosen], chosen


@pytest.mark.parametrize(
    "altered", [TURNED, NEGATIVE, PADDED], ids=["turned", "negative", "padded"]
)
def test_turned_negative_and_padded_copies_are_found_and_nothing_else(phantoms, altered):
    pictures, pairs, kinds = injected(phantoms, 6, altered)
    patients = [f"p{k}" for k in range(48)] + [f"copy {k}" for k in range(len(kinds))]
    found = confirmed(pictures, patients)
    assert set(found) <= pairs
    assert missed(found, pairs, kinds) == []


@pytest.mark.real
@pytest.mark.parametrize(
    "altered",
    [ALTERED, TURNED, NEGATIVE, PADDED],
    ids=["altered", "turned", "negative", "padded"],
)
@pytest.mark.parametrize(
    ("source", "pattern"), [("kermany_224", "*.jpeg"), ("nih_1000/images", "*")]
)
def test_every_injected_copy_of_a_real_radiograph_is_found_and_no_false_pair(
    real_data, source, pattern, altered
):
    originals, patients = _real(real_data / source, pattern, 480)
    pictures, pairs, kinds = injected(originals, 30, altered)
    found = confirmed(pictures, patients + [f"copy {k}" for k in range(len(kinds))])
    # A film's own rim is trimmed with the border: then too much may be gone, in 1 of 200 copies.
    assert len(missed(found, pairs, kinds)) <= (altered is PADDED)
    assert set(found) - pairs == set()


def test_a_copy_is_found_in_a_set_of_two(phantoms):
    assert confirmed([phantoms[0], jpeg(phantoms[0], 80)], ["a", "b"])
    assert not confirmed(phantoms[:2], ["a", "b"])


@pytest.mark.parametrize("count", [0, 1])
def test_a_set_of_hardly_any_images_has_no_pairs(phantoms, count):
    images = np.stack([at_64(p) for p in phantoms[:2]])[:count]
    assert len(find_candidates(images).whole) == 0


def test_dropping_pairs_on_the_way_and_reading_from_disk_change_nothing(
    phantoms, tmp_path, monkeypatch
):
    pictures, *_ = injected(phantoms, 3)
    images = np.stack([at_64(picture) for picture in pictures])
    stored = written(tmp_path / "images.npy", len(images), np.array_split(images, 7))
    assert (len(stored), stored.shape, stored.dtype) == (len(images), images.shape, np.uint8)
    expected = find_candidates(images)
    monkeypatch.setattr(candidates, "_MOST_PAIRS", 1)
    monkeypatch.setattr(candidates, "_MOST_PAIRS_AN_IMAGE", 1)
    monkeypatch.setattr(candidates, "_COLUMNS", 16)
    again = find_candidates(stored, scratch=tmp_path)
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert [path.name for path in tmp_path.iterdir()] == ["images.npy"]


def test_a_border_is_what_is_of_one_grey(phantoms):
    film = at_64(phantoms[0]).clip(40, 200)
    film[1::2] += 20
    sides = (
        np.pad(film, ((0, 0), (6, 9)))[:, :64],
        np.pad(film, ((0, 5), (0, 0)), constant_values=9)[-64:],
    )
    assert borders_of(np.stack([film, *sides])).tolist() == [[0] * 4, [6, 0, 0, 0], [0, 0, 0, 5]]


def test_an_image_with_a_border_is_looked_at_without_it_and_with_what_may_be_a_rim(phantoms):
    film = at_64(phantoms[0]).clip(40, 200)
    film[1::2] += 20
    images = np.stack([film] * 4)
    for number, border in enumerate((0, 1, 5, 12)):
        images[number, :, :border] = 0
    seen = with_trimmed(images)
    assert seen.rows.tolist() == [0, 1, 2, 2, 3]
    assert seen.borders[:, 0].tolist() == [0, 0, 0, 6, 13]
    assert not seen.borders[:, 1:].any()
    np.testing.assert_array_equal(seen[:][:3], images[:3])
    assert seen[np.array([3, 4])].min() > 8


# A prepared set: what is stored, and when it is made anew.


@dataclass
class Mixed:
    """A prepared set with one of everything."""

    prepared: object
    line: dict[str, int]


@pytest.fixture
def mixed(phantoms, tmp_path) -> Mixed:
    pixels = [np.asarray(picture) for picture in phantoms]
    small = io.BytesIO()
    phantoms[0].save(small, "PNG", compress_level=1)
    parts = {
        "train": [(f"p{k}", encoded(pixels[k])) for k in range(24)]
        + [("black", encoded(np.zeros((50, 50), np.uint8)))],
        "test": [
            ("other bytes", small.getvalue()),
            ("cropped", encoded(np.asarray(cropped(phantoms[1], 0.03, 0.05, 0, 0.02)))),
            ("same", encoded(pixels[2])),
            ("dark", encoded(np.ones((60, 60), np.uint8))),
        ],
    }
    prepared = store(tmp_path, parts)
    prepared.facts = SimpleNamespace(simulated=False)
    manifest = prepared.manifest()
    digest = {n: hashlib.sha256(data).hexdigest() for part in parts.values() for n, data in part}
    manifest["sha256"] = manifest["image_id"].map(digest)
    manifest["patient_id"] = manifest["image_id"]
    manifest["target:Mass"] = (manifest["image_id"] == "cropped").astype(int)
    manifest["labelled:Mass"] = 1
    return Mixed(prepared, {name: k for k, name in enumerate(manifest["image_id"])})


def test_copies_of_a_prepared_set_by_how_they_were_made(mixed):
    manifest, line = mixed.prepared.manifest(), mixed.line
    found = find_copies(mixed.prepared)
    wanted = [("p0", "other bytes"), ("p1", "cropped"), ("p2", "same")]
    pairs = {frozenset(pair[:2]) for pair in found.pairs}
    assert pairs == {frozenset((line[a], line[b])) for a, b in wanted}
    assert {frozenset(g) for g in found.same_pixels} == {
        frozenset((line["p0"], line["other bytes"])),
        frozenset((line["p2"], line["same"])),
    }
    assert sorted(found.blank) == sorted([line["black"], line["dark"]])

    _, labels = np.unique(manifest["sha256"].to_numpy(str), return_inverse=True)
    same = found.same_image(labels, labels)
    assert duplicates.exact(manifest)["groups"] == 1
    assert duplicates.same_pixels(manifest, found)["groups"] == 1
    assert duplicates.near(manifest, found, same)["across_splits"] == 2
    (conflict,) = duplicates.conflicting_labels(manifest, duplicates.groups_of(same))
    assert (sorted(conflict["images"]), conflict["findings"]) == (["cropped", "p1"], ["Mass"])
    leakage = audit(manifest, [], same_image=same)
    assert leakage.status == "leak"
    assert leakage.reasons[0] == "1 identical image in both train and test"
    assert leakage.reasons[1].startswith("2 images in both train and test as copies")


def test_a_pair_below_the_bar_is_listed_for_the_eye_and_counts_in_no_status(mixed, monkeypatch):
    manifest, line = mixed.prepared.manifest(), mixed.line
    monkeypatch.setattr(copies_module, "threshold", lambda different: 0.999)
    found = find_copies(mixed.prepared)
    pair = (line["p1"], line["cropped"])
    assert pair in {each[:2] for each in found.doubtful}
    assert pair not in {each[:2] for each in found.pairs}
    assert stored_copies(mixed.prepared) == found
    listed = duplicates.doubtful(manifest, found)
    assert {"images": ["p1", "cropped"], "splits": ["train", "test"]}.items() <= listed[0].items()
    assert [e["correlation"] for e in listed] == sorted(e["correlation"] for e in listed)[::-1]
    same = found.same_image(np.arange(len(manifest)), np.arange(len(manifest)))
    assert same[pair[0]] != same[pair[1]]
    one_patient = manifest.assign(patient_id="p")
    mixed.prepared.manifest_sha256 = "2" * 64
    monkeypatch.setattr(mixed.prepared, "manifest", lambda: one_patient)
    assert find_copies(mixed.prepared).doubtful == []


def test_a_look_is_taken_once_per_manifest_and_audit_version(mixed, monkeypatch):
    first = find_copies(mixed.prepared)
    assert not list(mixed.prepared.path.glob(".audit-*"))
    for record in mixed.prepared.path.glob("*tfrecord*"):
        record.unlink()
    assert find_copies(mixed.prepared) == first
    monkeypatch.setattr(copies_module, "AUDIT_VERSION", 999)
    assert stored_copies(mixed.prepared) is None
    monkeypatch.undo()
    mixed.prepared.manifest_sha256 = "1" * 64
    assert stored_copies(mixed.prepared) is None


def test_a_simulated_set_is_not_looked_at(mixed):
    mixed.prepared.facts = SimpleNamespace(simulated=True)
    assert find_copies(mixed.prepared) is None


def test_test_images_that_another_set_shows_are_found_however_they_were_saved(
    phantoms, tmp_path, monkeypatch
):
    def prepared(name, parts):
        made = store(tmp_path / name, parts)
        made.facts, made.manifest_sha256 = SimpleNamespace(simulated=False), name * 64
        return made

    def saved(alter, numbers, form="PNG"):
        pictures = [(f"{k} {form}", alter(phantoms[k])) for k in numbers]
        return [(name, encoded(np.asarray(picture), form)) for name, picture in pictures]

    as_it_is, anew = ALTERED["exact"], ALTERED["scaled to 60 %"]
    black = [("black", encoded(np.zeros((50, 50), np.uint8)))]
    parts = {"train": range(20), "validation": range(20, 25), "test": range(25, 30)}
    other = prepared(
        "a", {split: saved(as_it_is, numbers) + black for split, numbers in parts.items()}
    )
    copies = saved(TURNED["mirrored"], [0, 1]) + saved(anew, [2, 21], "JPEG")
    copies += saved(NEGATIVE["negative"], [3]) + saved(PADDED["letterboxed"], [4])
    own = saved(as_it_is, range(25, 48)) + black
    tested = prepared("b", {"train": saved(as_it_is, [5, 6]), "test": copies + own})
    learnt = ["train", "validation"]
    found = copies_between(other, learnt, tested, tmp_path / "cache")
    assert (found.surely, found.perhaps) == (len(copies), 0)
    assert copies_between(other, ["train"], tested, tmp_path / "cache").surely == 5

    monkeypatch.setattr(between, "_look", None)
    assert copies_between(other, learnt, tested, tmp_path / "cache") == found
    tested.facts = SimpleNamespace(simulated=True)
    assert copies_between(other, learnt, tested, tmp_path / "new").surely == 0


def test_a_damaged_result_is_made_anew(mixed):
    path, first = mixed.prepared.path / "copies.json", find_copies(mixed.prepared)
    whole = path.read_bytes()
    fewer = json.loads(whole)
    fewer["found"]["pairs"].pop()
    unsealed = {k: v for k, v in fewer.items() if k != "content_sha256"}
    for damaged in (b'{"made_of": ', b"", b"null", whole[:-9], *map(to_json, (fewer, unsealed))):
        path.write_bytes(damaged)
        assert stored_copies(mixed.prepared) is None
    assert find_copies(mixed.prepared).pairs == first.pairs
    assert len(first.pairs) == 3


def to_json(value) -> bytes:
    return json.dumps(value).encode()


def test_the_same_image_is_followed_through_pairs_and_equal_files():
    copies = Copies(5, 0, 0.85, [(0, 1, 0.9, "")], [(3, 4, 0.8, "")], [], [], {})
    same = copies.same_image(np.array([0, 1, 1, 3, 4]), np.arange(5))
    assert same[0] == same[1] == same[2]
    assert len(set(same.tolist())) == 3


# The manifest alone.


def lines(rows, columns):
    return pd.DataFrame(rows, columns=columns.split())


def test_patients_on_both_sides_are_counted_by_finding():
    manifest = lines(
        [
            ("a", "train", 1, 1),
            ("a", "test", 0, 1),
            ("b", "validation", 0, 1),
            ("b", "test", 0, 1),
            ("c", "train", 1, 0),
            ("c", "test", 0, 1),
            ("d", "train", 1, 1),
        ],
        "patient_id split target:Mass labelled:Mass",
    )
    *_, anywhere = shared_patients(manifest, ["Mass"])
    assert anywhere["patients"] == 3
    assert anywhere["by_finding"] == {"Mass": 1}  # of c, the finding is not labelled
    assert anywhere["no_finding"] == 2
    by_sides = {tuple(map(tuple, e["sides"])): e["patients"] for e in shared_patients(manifest, [])}
    assert by_sides[("train",), ("test",)] == 2
    assert by_sides[("train",), ("validation",)] == 0


def test_impossible_metadata_are_named():
    good = ("x", "p", 40, "F", "PA", 1)
    rows = [good, ("b", "p", 40, "M", "PA", 1), ("c", "q", 155, "f", "PA", 1)]
    rows += [("d", "r", -7, "", "sideways", 1), ("d", "s", -1, "", "LL", 0)]
    columns = "image_id patient_id age sex view labelled:Mass"
    found = {e["problem"].split()[0]: e for e in implausible(lines(rows, columns), ["LL"])}
    assert {k: e["count"] for k, e in found.items()} == dict.fromkeys(
        ["age", "negative", "sex", "view", "no", "image", "patient"], 1
    )
    assert found["view"]["examples"] == ["d"]
    assert implausible(lines([good], columns), []) == []


def split_lines(train, test, patients=None):
    n = len(train) + len(test)
    return pd.DataFrame(
        {
            "split": ["train"] * len(train) + ["test"] * len(test),
            "patient_id": [str(k) for k in (patients if patients is not None else range(n))],
            "target:Mass": [*train, *test],
            "labelled:Mass": 1,
        }
    )


def test_prevalence_shift_is_the_two_sample_z_test_where_each_patient_has_one_image():
    train, test = [1] * 30 + [0] * 70, [1] * 50 + [0] * 30
    (entry,) = prevalence.shifts(split_lines(train, test), ["Mass"])
    p, q, n, m = 0.3, 50 / 80, 100, 80
    error = np.sqrt(p * (1 - p) / (n - 1) + q * (1 - q) / (m - 1))
    assert entry["prevalence"] == [p, q]
    assert entry["p"] == pytest.approx(2 * norm.sf((q - p) / error))
    assert entry["interval"] == pytest.approx(
        [q - p - 1.95996 * error, q - p + 1.95996 * error], rel=1e-4
    )
    assert entry["cohen_h"] == pytest.approx(2 * np.arcsin(q**0.5) - 2 * np.arcsin(p**0.5))
    assert entry["shifted"]


def test_repeating_every_image_of_a_patient_adds_no_evidence():
    train, test = [1] * 30 + [0] * 70, [1] * 38 + [0] * 42
    (once,) = prevalence.shifts(split_lines(train, test), ["Mass"])
    tripled = split_lines(np.repeat(train, 3), np.repeat(test, 3), np.repeat(np.arange(180), 3))
    (thrice,) = prevalence.shifts(tripled, ["Mass"])
    assert thrice["p"] == pytest.approx(once["p"])


def test_hardly_any_positive_patients_are_not_tested():
    (entry,) = prevalence.shifts(split_lines([1] * 4 + [0] * 90, [1] * 20 + [0] * 20), ["Mass"])
    assert entry["p"] is None
    assert not entry["shifted"]


def test_holm_against_its_definition():
    p = [0.01, 0.04, 0.03, 0.005]
    assert prevalence.holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert prevalence.holm([]) == []


# The command.


def prepared_kermany(tmp_path: Path, *leaks) -> list:
    """Arguments for a prepared set; each leak alters a training image that is put into test."""
    fake_raw.write(tmp_path / "raw", patients=40, size=96)
    folder = tmp_path / "raw" / "chest_xray"
    victims = sorted((folder / "train" / "NORMAL").glob("*.jpeg"))[3::10]
    for number, leak in enumerate(leaks):
        picture = Image.open(victims[number]).convert("L")
        target = folder / "test" / "NORMAL" / f"NORMAL2-IM-{777 + number:04d}-0001.jpeg"
        leak(picture).save(target, quality=90)
    folders = ["--data-dir", tmp_path / "data", "--cache-dir", tmp_path / "cache"]
    name = "kermany_pneumonia/official"
    done = cxr_bench("prepare", name, "--manual-dir", tmp_path / "raw", *folders)
    assert done.exit_code == 0, done.output
    return [name, *folders, "--out", tmp_path / "out"]


def test_the_command_says_suspected_and_exits_with_0(tmp_path):
    arguments = prepared_kermany(tmp_path)
    done = cxr_bench("audit", *arguments)
    assert done.exit_code == 0, done.output
    assert "Leakage status: suspected" in done.output
    assert re.search(r"mirrored, turned, negative +none", done.output)
    assert "(flip_lr)" not in done.output
    found = json.loads((tmp_path / "out" / "kermany_pneumonia-official.json").read_bytes())
    assert found["verdict"] == "suspected"
    assert (found["exact"]["groups"], found["exact"]["across_splits"]) == (2, 0)
    assert found["shared_patients"][-1]["patients"] > 0
    without = cxr_bench("audit", *arguments, "--no-images")
    assert without.exit_code == 0
    assert "pixels were not looked at" in without.output


def test_the_command_exits_with_1_on_leaks_that_prepare_has_already_seen(tmp_path):
    leaks = [lambda p: cropped(p, 0.04, 0.02, 0.0, 0.05), TURNED["mirrored"]]
    leaks += [NEGATIVE["negative, mirrored"], letterboxed]
    arguments = prepared_kermany(tmp_path, *leaks)
    told = json.loads(next((tmp_path / "data").rglob("prepared.json")).read_bytes())
    assert told["verdict"] == "leak"
    copied = [reason for reason in told["reasons"] if "as copies that differ in bytes" in reason]
    assert sum(int(reason.split()[0]) for reason in copied) == len(leaks)
    done = cxr_bench("audit", *arguments)
    assert done.exit_code == 1, done.output
    assert "NORMAL2-IM-0777-0001.jpeg" in done.output
    assert "NORMAL2-IM-0778-0001.jpeg" in done.output
    assert re.search(r"mirrored, turned, negative +2 pairs", done.output)
    assert "(flip_lr)" in done.output
    assert "(flip_lr, negative)" in done.output


def test_a_set_that_is_not_prepared_is_refused_with_the_way_out(tmp_path):
    done = cxr_bench("audit", "kermany_pneumonia/official", "--data-dir", tmp_path)
    assert done.exit_code == 2
    assert "cxr-bench prepare" in done.output


@pytest.mark.real
@pytest.mark.slow
def test_the_published_kermany_files(real_data, tmp_path):
    folders = ["--data-dir", tmp_path / "data", "--cache-dir", tmp_path / "cache"]
    name = "kermany_pneumonia/official"
    raw = tmp_path / "raw"
    shutil.copytree(real_data / "kermany_224", raw)
    assert cxr_bench("prepare", name, "--manual-dir", raw, *folders).exit_code == 0
    assert cxr_bench("audit", name, *folders, "--out", tmp_path).exit_code == 0
    found = json.loads((tmp_path / "kermany_pneumonia-official.json").read_bytes())
    assert found["verdict"] == "suspected"
    assert (found["exact"]["groups"], found["exact"]["files"]) == (30, 62)
    assert found["exact"]["across_splits"] == 0
    shared = found["shared_patients"][-1]
    assert (shared["by_finding"]["Pneumonia"], shared["no_finding"]) == (170, 94)
    assert all(pair["same_patient"] for pair in found["near"]["pairs"])

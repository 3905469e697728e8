"""Dice, IoU and pixel accuracy against counting pixel by pixel, and the file they come from."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmark.records.mask_counts import (
    MaskCounts,
    count_pixels,
    pack_masks,
    packed_masks,
    read_mask_counts,
)
from benchmark.records.predictions import PredictionFileError
from benchmark.records.scores import MaskScores
from benchmark.scoring.overlap import OVERLAPS, dice, iou, score_masks
from benchmark.scoring.scorecard import ScoringError
from tests.records.written import write_mask_counts


def by_sets(predicted, true, known):
    """Each overlap of one image from sets of pixels."""
    pixels = [tuple(p) for p in np.argwhere(known)]
    a = {p for p in pixels if predicted[p]}
    b = {p for p in pixels if true[p]}
    return {
        "dice": 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0,
        "iou": len(a & b) / len(a | b) if a | b else 1.0,
        "pixel_accuracy": sum((p in a) == (p in b) for p in pixels) / len(pixels)
        if pixels
        else 1.0,
    }


masks = arrays.arrays(bool, (3, 4, 5))


@settings(max_examples=60, deadline=None)
@given(predicted=masks, true=masks, known=masks)
def test_every_overlap_is_what_sets_of_pixels_say(predicted, true, known):
    counts = count_pixels(predicted, true, known)
    for name, overlap in OVERLAPS.items():
        wanted = [by_sets(*image)[name] for image in zip(predicted, true, known, strict=True)]
        np.testing.assert_allclose(overlap(counts), wanted)
    d = dice(counts)
    np.testing.assert_allclose(iou(counts), d / (2 - d))


def scored(counts: MaskCounts, resamples: int = 50) -> MaskScores:
    return score_masks(counts, predictions_sha256="0" * 64, seed_text="x", resamples=resamples)


def some_counts(seed: int = 0, n: int = 30) -> MaskCounts:
    random = np.random.default_rng(seed)
    return MaskCounts(
        split=np.repeat(["train", "validation", "test"], n // 3),
        image_id=np.array([f"images/{i:03d}.jpeg" for i in range(n)]),
        patient_id=np.array([f"{i // 2:03d}" for i in range(n)]),
        pairing=np.resize(["unique", "seq", "unique"], n),
        counts=random.integers(0, 200, (n, 4)),
    )


def test_scores_are_means_over_images_of_a_split_and_a_pairing():
    counts = some_counts()
    scores = scored(counts).splits
    for split, groups in scores.items():
        assert set(groups) == {"all", "unique", "seq"}
        for group, measured in groups.items():
            here = (counts.split == split) & ((counts.pairing == group) | (group == "all"))
            tp, fp, fn, _ = counts.counts[here].T
            assert measured.n_images == here.sum()
            assert measured.overlaps["dice"] == pytest.approx(np.mean(2 * tp / (2 * tp + fp + fn)))
            assert (measured.intervals is not None) == (split == "test")


def test_the_interval_draws_patients_not_images():
    n = 40
    same = MaskCounts(
        split=np.repeat("test", n),
        image_id=np.arange(n).astype(str),
        patient_id=np.repeat(["a", "b"], n // 2),  # two patients, one good and one bad
        pairing=np.repeat("", n),
        counts=np.repeat([[100, 0, 0, 0], [0, 50, 50, 0]], n // 2, axis=0),
    )
    low, high = scored(same, 200).splits["test"]["all"].intervals["dice"]
    assert (low, high) == (0, 1)


def test_a_file_without_test_images_has_no_scores():
    counts = some_counts()
    with pytest.raises(ScoringError, match="no test split"):
        scored(counts.take(counts.split == "train"))


def test_counts_come_back_from_their_file_and_equal_ones_give_equal_bytes(tmp_path):
    counts = some_counts()
    first = write_mask_counts(tmp_path / "a.csv.gz", counts)
    assert write_mask_counts(tmp_path / "b.csv.gz", counts) == first
    back = read_mask_counts(tmp_path / "a.csv.gz")
    for name, values in vars(counts).items():
        np.testing.assert_array_equal(getattr(back, name), values)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda t: t.replace("tp", "xx", 1), "missing column"),
        (lambda t: t.replace("\ntrain", "\ntraining", 1), "split other than"),
        (lambda t: t.rstrip() + ".5\n", "whole number of pixels"),
        (lambda t: t.rstrip() + "0" * 13 + "\n", "whole number of pixels"),
        (lambda t: t + t.splitlines()[-1] + "\n", "a line of this image already"),
    ],
)
def test_a_damaged_file_is_named_with_its_fault(fault, told, tmp_path):
    path = tmp_path / "counts.csv.gz"
    write_mask_counts(path, some_counts())
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(fault(text).encode()))
    with pytest.raises(PredictionFileError, match=told):
        read_mask_counts(path)


@settings(max_examples=10, deadline=None)
@given(found=st.integers(1, 20).flatmap(lambda w: arrays.arrays(bool, (2, 3, w))))
def test_masks_come_back_from_their_file(found, tmp_path_factory):
    path = tmp_path_factory.mktemp("masks") / "a.npz"
    path.write_bytes(pack_masks(np.array(["one", "two"]), found))
    ids, masks = packed_masks(path)
    assert ids.tolist() == ["one", "two"]
    np.testing.assert_array_equal(masks, found)


def test_missing_masks_say_how_to_make_them(tmp_path):
    with pytest.raises(PredictionFileError, match="--suite lungs"):
        packed_masks(tmp_path / "none.npz")

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from benchmark.records.predictions import (
    PredictionFileError,
    Predictions,
    link,
    read_predictions,
    write_predictions,
)


def some_predictions(n=12, findings=("Mass", "Edema"), kind="multilabel", seed=0) -> Predictions:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 30, (n, len(findings))).astype(np.float32)
    targets = rng.integers(0, 2, (n, len(findings))).astype(float)
    targets[0, 0] = np.nan
    return Predictions(
        findings,
        kind,
        split=np.array(["train", "validation", "test"])[np.arange(n) % 3],
        image_id=np.array([f"00{i}" for i in range(n)]),
        patient_id=np.array([f"{10**38 + i // 2}" for i in range(n)]),
        age=np.where(np.arange(n) % 2, 50, -1),
        sex=np.where(np.arange(n) % 2, "F", ""),
        view=np.full(n, "PA"),
        targets=targets,
        logits=logits,
        probabilities=link(logits, kind),
    )


def assert_same(a: Predictions, b: Predictions):
    assert (a.findings, a.kind) == (b.findings, b.kind)
    for name, value in vars(a).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(b, name), err_msg=name)


def test_every_bit_survives_the_file(tmp_path):
    before = some_predictions(n=400)
    write_predictions(tmp_path / "p.csv.gz", before)
    assert_same(before, read_predictions(tmp_path / "p.csv.gz", "multilabel"))


def test_equal_predictions_give_equal_bytes(tmp_path):
    first = write_predictions(tmp_path / "a.csv.gz", some_predictions())
    second = write_predictions(tmp_path / "b.csv.gz", some_predictions())
    assert first == second
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3, unique=True))
def test_any_finding_name_survives(tmp_path_factory, names):
    clean = {name.replace("\r", " ").replace("\0", " ") for name in names}
    before = some_predictions(findings=tuple(sorted(clean)))
    path = tmp_path_factory.mktemp("names") / "p.csv.gz"
    write_predictions(path, before)
    assert_same(before, read_predictions(path, "multilabel"))


@pytest.mark.parametrize("kept", [0, 1, 10, 0.5, 0.9, -1])
def test_a_truncated_file_is_refused_by_name(tmp_path, kept):
    path = tmp_path / "cell.csv.gz"
    write_predictions(path, some_predictions(n=300))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(PredictionFileError, match=r"cell\.csv\.gz"):
        read_predictions(path, "multilabel")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(PredictionFileError, match=r"gone\.csv\.gz.*missing"):
        read_predictions(tmp_path / "gone.csv.gz", "binary")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("logit:Mass", "logits:Mass", "missing column"),
        ("validation", "holdout", "a split other than"),
        (",PA,", ",PA,7", "a target other than"),
    ],
)
def test_a_damaged_table_is_refused_with_its_fault(tmp_path, old, new, fault):
    path = tmp_path / "p.csv.gz"
    write_predictions(path, some_predictions())
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace(old, new).encode()))
    with pytest.raises(PredictionFileError, match=fault):
        read_predictions(path, "multilabel")


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "high"])
def test_an_impossible_probability_is_refused(tmp_path, value):
    path = tmp_path / "p.csv.gz"
    write_predictions(path, some_predictions())
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines[3] = ",".join([*lines[3].split(",")[:-1], value])
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(PredictionFileError, match=r"p\.csv\.gz"):
        read_predictions(path, "multilabel")


def test_part_keeps_the_order_of_one_split():
    predictions = some_predictions()
    test = predictions.part("test")
    assert test.image_id.tolist() == ["002", "005", "008", "0011"]
    np.testing.assert_array_equal(test.logits, predictions.logits[2::3])


def test_link_is_a_sigmoid_or_a_softmax_and_never_overflows():
    logits = np.array([[1e4, -1e4], [0.3, -0.2]], np.float32)
    np.testing.assert_allclose(link(logits, "multilabel"), expit(logits.astype(float)), rtol=1e-6)
    np.testing.assert_allclose(
        link(logits, "multiclass"), softmax(logits.astype(float), axis=1), rtol=1e-6
    )

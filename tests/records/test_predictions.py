from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from benchmark.records.predictions import (
    PredictionFileError,
    Predictions,
    decode_predictions,
    encode_predictions,
    link,
    read_predictions,
)
from tests.records.rows import changed_bytes
from tests.records.written import write_predictions


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
    path = tmp_path / "spec.csv.gz"
    write_predictions(path, some_predictions(n=300))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(PredictionFileError, match=r"spec\.csv\.gz"):
        read_predictions(path, "multilabel")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(PredictionFileError, match=r"gone\.csv\.gz.*missing"):
        read_predictions(tmp_path / "gone.csv.gz", "binary")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("logit:Mass", "logits:Mass", "missing column"),
        ("patient_id", "patient", "missing column"),
        ("target:", "truth:", "0 findings"),
        ("validation", "holdout", r"line 3 \(image '001'\): a split other than"),
        (",PA,", ",PA,7", "a target other than"),
        ("logit:Edema", "logit:Mass", "more than one column is named 'logit:Mass'"),
        ("\ntest,002,", "\ntest,005,", r"line 7 \(image '005'\): this split has a line"),
        (",50,", ",50.5,", "an age that"),
        (",50,", ",,", "an age that"),
        (",-1,", ",1e300,", "an age that"),
        ("PA,", "PA,,", "more cells than the header"),
        ("\ntest,005,", "\ntest,,005,", "not a readable CSV table"),
        ("split,", "", "more cells than the header"),
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


@pytest.mark.parametrize(
    ("column", "value"),
    [("logit:Mass", "1e39"), ("logit:Mass", "-inf"), ("logit:Mass", ""), ("target:Mass", "True")],
)
def test_a_column_of_what_no_model_writes_is_refused(column, value):
    lines = gzip.decompress(encode_predictions(some_predictions())).decode().splitlines()
    place = lines[0].split(",").index(column)
    cells = [line.split(",") for line in lines]
    changed = [",".join([*c[:place], value, *c[place + 1 :]]) for c in cells[1:]]
    data = gzip.compress("\n".join([lines[0], *changed]).encode())
    with pytest.raises(PredictionFileError, match=r"^p\.csv\.gz.*(logit|truth values)"):
        decode_predictions(data, "multilabel", "p.csv.gz")


def test_more_findings_than_the_task_has_are_refused():
    data = encode_predictions(some_predictions())
    with pytest.raises(PredictionFileError, match="2 findings, of a binary task"):
        decode_predictions(data, "binary")


def test_no_more_is_decompressed_than_a_table_can_have(tmp_path, monkeypatch):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"x" * 10**8))
    monkeypatch.setattr("benchmark.records.tables.LARGEST", 10**7)
    monkeypatch.setattr("benchmark.records.tables.table", None)
    with pytest.raises(PredictionFileError, match=r"bomb\.csv\.gz.*holds more than 0\.01 GB"):
        read_predictions(path, "binary")
    path.write_bytes(b"x" * (10**7 + 1))
    with pytest.raises(PredictionFileError, match=r"bomb\.csv\.gz.*holds more than 0\.01 GB"):
        read_predictions(path, "binary")


def test_a_folder_in_the_place_of_a_file_is_refused_by_name(tmp_path):
    with pytest.raises(PredictionFileError, match=f"{tmp_path}: cannot be read"):
        read_predictions(tmp_path, "binary")


SOME = encode_predictions(some_predictions())


def read_or_refused(data: bytes) -> Predictions | str:
    """What was read, or why it was refused; any other error is one."""
    try:
        return decode_predictions(data, "multilabel", "p.csv.gz")
    except PredictionFileError as error:
        return str(error)


@settings(deadline=None)
@given(data=changed_bytes(SOME))
def test_a_damaged_file_is_refused_by_name_or_says_the_same(data):
    told = read_or_refused(data)
    if isinstance(told, str):
        assert told.startswith("p.csv.gz")
    else:  # the header of a gzip file has bits that say nothing of its content
        assert_same(told, some_predictions())


@settings(deadline=None, max_examples=300)
@given(data=changed_bytes(gzip.decompress(SOME)).map(gzip.compress))
def test_a_damaged_table_is_refused_by_name_or_can_be_scored(data):
    told = read_or_refused(data)
    if isinstance(told, str):
        assert told.startswith("p.csv.gz")
    else:
        assert np.isfinite(told.logits).all()
        assert {len(getattr(told, name)) for name in ("split", "age", "targets")} == {
            len(told.logits)
        }


@settings(deadline=None)
@given(text=st.binary(max_size=60))
def test_any_other_bytes_are_refused_by_name(text):
    for data in (text, gzip.compress(text)):
        assert str(read_or_refused(data)).startswith("p.csv.gz")


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(PredictionFileError, match="not equally long: 12 of split, 11 of image_id"):
        encode_predictions(replace(some_predictions(), image_id=some_predictions().image_id[1:]))


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

"""Prediction files of other tools: what is taken, and how a fault is told."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from benchmark.records.external import ExternalFileError, read_external
from benchmark.task import Task

BINARY, TWO = Task(("Pneumonia",), "binary"), Task(("A", "B"), "multilabel")
CLASSES = Task(("A", "B"), "multiclass")


@pytest.fixture
def read(tmp_path):
    def read_text(text: str, task: Task = BINARY):
        path = tmp_path / "theirs.csv"
        path.write_text(text)
        return read_external(path, task)

    return read_text


@pytest.mark.parametrize("column", ["Pneumonia", "probability:Pneumonia"])
def test_probabilities_become_logits_that_rank_alike(read, column):
    got = read(f"image_id,{column},note\n007,0.25,x\nb,0.75,y\n")
    assert got.image_id.tolist() == ["007", "b"]
    assert got.split.tolist() == ["test", "test"]
    assert got.probabilities[:, 0].tolist() == [0.25, 0.75]
    np.testing.assert_allclose(expit(got.logits), got.probabilities, rtol=1e-6)


def test_certain_probabilities_stay_finite(read):
    assert np.isfinite(read("image_id,Pneumonia\na,0\nb,1\n").logits).all()


def test_logits_win_over_probabilities_and_give_them(read):
    got = read("split,image_id,logit:A,A,logit:B\nvalidation,a,2,0.1,-1\ntest,a2,0,0.2,1\n", TWO)
    np.testing.assert_allclose(got.probabilities, expit(got.logits), rtol=1e-6)
    assert got.split.tolist() == ["validation", "test"]


def test_exclusive_probabilities_come_back_from_their_logits(read):
    got = read("image_id,A,B\na,0.3,0.7\n", CLASSES)
    np.testing.assert_allclose(softmax(got.logits, axis=1), [[0.3, 0.7]], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "task", "said"),
    [
        ("image,Pneumonia\na,1\n", BINARY, "no column image_id"),
        ("image_id,Pnuemonia\na,1\n", BINARY, "Is it 'Pnuemonia'"),
        ("image_id,Pneumonia\na,0.1\nb,1.5\n", BINARY, "line 3: .* probability .* '1.5'"),
        ("image_id,Pneumonia\na,0.1\nb,high\n", BINARY, "line 3: .* finite number: 'high'"),
        ("image_id,Pneumonia\na,\n", BINARY, "line 2: .* finite number: ''"),
        ("image_id,logit:Pneumonia\na,inf\n", BINARY, "line 2: .* finite number"),
        ("image_id,Pneumonia\na,0.1\nb,0.2\na,0.3\n", BINARY, "line 4: .* already: 'a'"),
        ("image_id,split,Pneumonia\na,tets,0.1\n", BINARY, "line 2: split .* 'tets'"),
        ("image_id,logit:Pneumonia\na,1e39\n", BINARY, "line 2: .* too large .* '1e\\+39'"),
        ("image_id,Pneumonia,Pneumonia\na,0.1,0.2\n", BINARY, "more than one column"),
        ("image_id,Pneumonia\na,0.1,\nb,0.2,\n", BINARY, "more cells than the header"),
        ("image_id,A,B\na,0.9,0.7\n", CLASSES, "line 2: .* add to: '1.6"),
        ("image_id,logit:A,B\na,0.9,0.7\n", TWO, "logits of all findings or of none"),
        ("", BINARY, "not a readable CSV"),
    ],
)
def test_a_fault_is_named_with_its_line(read, text, task, said):
    with pytest.raises(ExternalFileError, match=said):
        read(text, task)


def test_a_gzipped_file_is_read_and_a_damaged_one_named(tmp_path):
    path, data = tmp_path / "theirs", gzip.compress(b"image_id,Pneumonia\na,0.25\n")
    path.write_bytes(data)
    assert read_external(path, BINARY).probabilities.tolist() == [[0.25]]
    for damaged in (data[:-9], data[:12] + b"\xff\xff" + data[14:]):
        path.write_bytes(damaged)
        with pytest.raises(ExternalFileError, match="theirs: not a readable CSV file"):
            read_external(path, BINARY)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ExternalFileError, match=r"nothing\.csv: there is no such file"):
        read_external(tmp_path / "nothing.csv", BINARY)


class Touches:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_nothing_in_a_file_is_executed(tmp_path):
    path, marker = tmp_path / "evil.csv", tmp_path / "executed"
    path.write_bytes(pickle.dumps(Touches(marker)))
    with pytest.raises(ExternalFileError, match=r"evil\.csv"):
        read_external(path, BINARY)
    assert not marker.exists()

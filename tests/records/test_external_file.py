"""Predictions of other tools, read from a file: what they mean.

What is refused is tested through the command: ``tests/commands/test_score_refusals.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from benchmark.records.external import ExternalFileError, read_external
from benchmark.records.tables import Limits
from benchmark.task import Task

BINARY, TWO = Task(("Pneumonia",), "binary"), Task(("A", "B"), "multilabel")
CLASSES = Task(("A", "B"), "multiclass")


@pytest.fixture
def read(tmp_path):
    def read_text(text: str, task: Task = BINARY, limit: int = 10):
        path = tmp_path / "theirs.csv"
        path.write_text(text)
        return read_external(path, task, Limits.of_images(limit))

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


def test_logits_give_probabilities(read):
    got = read("split,image_id,logit:A,logit:B\nvalidation,a,2,-1\ntest,a2,0,1\n", TWO)
    np.testing.assert_allclose(got.probabilities, expit(got.logits), rtol=1e-6)
    assert got.split.tolist() == ["validation", "test"]


def test_exclusive_probabilities_come_back_from_their_logits(read):
    got = read("image_id,A,B\na,0.3,0.7\n", CLASSES)
    np.testing.assert_allclose(softmax(got.logits, axis=1), [[0.3, 0.7]], rtol=1e-6)


def test_findings_are_found_by_their_names(read):
    got = read("B,image_id,A\n0.2,a,0.7\n", TWO)
    np.testing.assert_allclose(got.probabilities, [[0.7, 0.2]])


@pytest.mark.parametrize(
    ("text", "task", "said"),
    [
        ("image_id,A,B\na,0.9,0.7\n", CLASSES, "line 2: .* add to: '1.6"),
        ("image_id,logit:A,B\na,0.9,0.7\n", TWO, "logits of all findings or of none"),
        ("image_id,A,logit:B,B\na,1,1,1\n", TWO, "column for the finding 'B': logit:B, B"),
        ("image_id,logit:A,logit:B\na,0.3,0.7\n", CLASSES, "logit:A, logit:B lies in"),
    ],
)
def test_a_fault_of_several_findings_is_named(read, text, task, said):
    with pytest.raises(ExternalFileError, match=said):
        read(text, task)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.0002, 0.0002, 0.5), "Pneumonia (2 images)"),
        ((1, 1, 1), "Pneumonia (3 images)"),
        ((2e-13, 3e-13, 0.5), "Pneumonia (2 images)"),
        ((0.0002, 0.0003, 0.9999), None),
        ((0.3, 0.3, 0.3), None),
    ],
)
def test_ties_near_0_and_1_are_told(read, values, told):
    got = read("image_id,Pneumonia\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
    if told is None:
        assert got.warnings == ()
    else:
        (warning,) = got.warnings
        assert told in warning


def scores(values) -> str:
    return "image_id,logit:Pneumonia\n" + "".join(f"{i},{v!r}\n" for i, v in enumerate(values))


NORMAL = np.random.default_rng(0).normal(size=200)


@pytest.mark.parametrize(
    "values", [1e9 + NORMAL, 1e-50 * NORMAL, 1e6 + NORMAL, [*NORMAL[:150], *(9e6 + NORMAL[:50])]]
)
def test_logits_whose_ranks_float32_does_not_hold_are_refused(read, values):
    with pytest.raises(ExternalFileError, match=r"logit:Pneumonia \(\d.*Subtract a constant"):
        read(scores(map(float, values)), limit=200)


def test_ranks_are_those_within_a_split(read):
    """What is far apart in one split hides nothing in another."""
    lines = [f"t{i},test,{1e8 + z!r}" for i, z in enumerate(map(float, NORMAL[:20]))]
    lines += [f"{i},train,{z!r}" for i, z in enumerate(map(float, NORMAL))]
    with pytest.raises(ExternalFileError, match="rank as equal"):
        read("\n".join(["image_id,split,logit:Pneumonia", *lines]), limit=220)


def test_logits_that_lose_some_ranks_are_warned_of(read):
    told = read(scores(map(float, 1e5 + NORMAL)), limit=200).warnings
    assert any("images that differ rank as equal: logit:Pneumonia (0." in t for t in told)


@pytest.mark.parametrize("values", [NORMAL, 10 + NORMAL, np.repeat(NORMAL[:20], 10) - 50])
def test_what_float32_holds_is_taken_in_silence(read, values):
    assert read(scores(map(float, values)), limit=200).warnings == ()


def test_logits_of_one_probability_are_warned_of(read):
    (warning,) = read(scores(map(float, 60 + NORMAL)), limit=200).warnings
    assert "no threshold for F1 tells them apart: logit:Pneumonia (100.0 % of the" in warning


def test_probabilities_that_float32_makes_one_are_warned_of(read):
    text = scores(map(float, 1 - 1e-9 * expit(NORMAL))).replace("logit:", "")
    (warning,) = read(text, limit=200).warnings
    assert "no threshold for F1 tells them apart: Pneumonia (100.0 % of the" in warning


def test_logits_that_a_decimal_comma_has_cut_are_warned_of(read):
    (warning,) = read("image_id,logit:Pneumonia,note\na,2,320644\nb,-1,25\n").warnings
    assert "whole number" in warning
    assert read("image_id,logit:Pneumonia\na,2\nb,-1.25\n").warnings == ()


@pytest.mark.parametrize(
    "header", ['image_id;"logit:Pneumonia";"a,b"', "image_id;logit:Pneumonia;a,b"]
)
def test_the_separator_is_the_one_that_makes_a_column_of_the_ids(read, header):
    got = read(f"{header}\na;0.5;x\nb;-1.5;y\n")
    assert got.logits[:, 0].tolist() == [0.5, -1.5]
    got = read('image_id,logit:Pneumonia,"a;b;c;d"\na,2.5,x\n')
    assert got.logits[:, 0].tolist() == [2.5]

"""Models without images: constant, metadata-only, and what any other would have to keep to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.metrics import roc_auc_score

from benchmark.models import ModelError, NotApplicable, discover, fit
from benchmark.task import Task

WITHOUT_IMAGES = {"inputs": "metadata", "predicts": "findings"}
NAMES = [n for n, f in discover().items() if WITHOUT_IMAGES.items() <= f.card.items()]
N = 400
TASKS = {
    "binary": Task(("a",), "binary"),
    "multilabel": Task(("a", "b", "c"), "multilabel"),
    "multiclass": Task(("a", "b", "c"), "multiclass"),
}


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


@pytest.fixture(params=NAMES)
def model_file(request):
    return discover()[request.param]


def some_metadata(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "age": rng.integers(-1, 90, n),
        "sex": rng.choice(["F", "M", ""], n),
        "view": rng.choice(["PA", "AP", ""], n),
    }


def some_targets(task, n=N, seed=0):
    """Targets and mask; -1 where unlabelled, as in a batch."""
    rng = np.random.default_rng(seed)
    if task.exclusive:
        return np.eye(3)[rng.choice(3, n, p=[0.6, 0.3, 0.1])], np.ones((n, 3), bool)
    labelled = rng.uniform(size=(n, task.n_outputs)) < 0.8
    return np.where(labelled, rng.uniform(size=labelled.shape) < 0.2, -1.0), labelled


def probabilities(logits, task):
    return softmax(logits, axis=1) if task.exclusive else expit(logits)


def test_logits_have_the_shape_and_mean_of_the_training_set(model_file, task):
    metadata, (targets, labelled) = some_metadata(), some_targets(task)
    logits = fit(model_file, metadata, targets, labelled, task)(metadata)
    assert logits.shape == (N, task.n_outputs)
    assert logits.dtype == np.float32
    expected = [t[known].mean() for t, known in zip(targets.T, labelled.T, strict=True)]
    predicted = [
        p[known].mean() for p, known in zip(probabilities(logits, task).T, labelled.T, strict=True)
    ]
    np.testing.assert_allclose(predicted, expected, atol=2e-3)


def test_the_same_twice(model_file, task):
    metadata, (targets, labelled) = some_metadata(), some_targets(task)
    first, again = (fit(model_file, metadata, targets, labelled, task)(metadata) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_unlabelled_targets_count_neither_way(model_file):
    task, metadata = TASKS["multilabel"], some_metadata()
    targets, labelled = some_targets(task)
    first = fit(model_file, metadata, targets, labelled, task)(metadata)
    for filler in (0.0, 1.0, np.nan):
        again = fit(model_file, metadata, np.where(labelled, targets, filler), labelled, task)
        np.testing.assert_array_equal(first, again(metadata))


@settings(max_examples=25, deadline=None)
@given(data=st.data(), name=st.sampled_from(NAMES), kind=st.sampled_from(list(TASKS)))
def test_degenerate_labels_still_give_finite_logits(data, name, kind):
    task, n = TASKS[kind], data.draw(st.integers(2, 8))
    metadata = some_metadata(n) | {"view": np.array((["PA", "AP"] * n)[:n])}
    bits = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    if task.exclusive:
        targets = np.eye(3)[data.draw(bits)]
    else:
        targets = np.array([data.draw(bits) for _ in task.findings]).T % 2.0
    labelled = np.ones(targets.shape, bool)
    if data.draw(st.booleans()):
        labelled[:] = False
    logits = fit(discover()[name], metadata, targets, labelled, task)(some_metadata(5, seed=1))
    assert logits.shape == (5, task.n_outputs)
    assert np.isfinite(logits).all()


def test_constant_gives_exact_prevalence():
    metadata, task = some_metadata(10), TASKS["multilabel"]
    targets = np.zeros((10, 3))
    targets[:3, 0] = 1  # 3 of 10; none; 2 of the 5 labelled
    targets[:2, 2] = 1
    labelled = np.ones((10, 3), bool)
    labelled[5:, 2] = False
    logits = fit(discover()["constant"], metadata, targets, labelled, task)(metadata)
    np.testing.assert_allclose(expit(logits[0]), [0.3, 1 / 22, 0.4], rtol=1e-6)
    assert (logits == logits[0]).all()


def test_metadata_only_finds_what_age_sex_and_view_tell():
    rng, metadata, task = np.random.default_rng(3), some_metadata(), TASKS["multilabel"]
    causes = [metadata["age"] > 60, metadata["sex"] == "F", metadata["view"] == "AP"]
    targets = np.stack([np.where(rng.uniform(size=N) < 0.1, ~c, c) for c in causes], axis=1) * 1.0
    logits = fit(discover()["metadata_only"], metadata, targets, targets >= 0, task)(metadata)
    for logit, target in zip(logits.T, targets.T, strict=True):
        assert roc_auc_score(target, logit) > 0.8


def test_metadata_only_is_not_shaken_by_odd_values():
    metadata, task = some_metadata(), TASKS["binary"]
    targets, labelled = some_targets(task)
    predict = fit(discover()["metadata_only"], metadata, targets, labelled, task)
    odd = {
        k: np.array(v) for k, v in {"age": [414, -1], "sex": ["", ""], "view": ["LL", ""]}.items()
    }
    assert predict(odd)[0] == predict(odd)[1], "an impossible age is none; so is a view never seen"


@pytest.mark.parametrize(
    "known", [{}, {"age": np.full(N, 40)}, {"sex": np.full(N, "F"), "view": np.full(N, "PA")}]
)
def test_metadata_only_refuses_a_set_that_tells_nothing(known):
    nothing = {"age": np.full(N, -1), "sex": np.full(N, ""), "view": np.full(N, "")}
    targets, labelled = some_targets(TASKS["binary"])
    with pytest.raises(NotApplicable, match="needs age, sex or view"):
        fit(discover()["metadata_only"], nothing | known, targets, labelled, TASKS["binary"])


BROKEN = {
    "raises": ("1 / 0", r"line 3, could not be fitted: ZeroDivisionError"),
    "wrong shape": ("return lambda m: [[0.0]]", r"shape \(1, 1\); expected \(400, 1\)"),
    "not finite": ("return lambda m: [[float('nan')]] * len(m['age'])", "all finite"),
    "no numbers": ("return lambda m: 'high'", "could not predict"),
    "nothing": ("return None", "could not predict"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_metadata_model_is_named(tmp_path, case):
    code, complaint = BROKEN[case]
    card = {"title": "x", "description": "x", "reference": "x", "source_system": ""}
    card |= {"inputs": "metadata", "deterministic": True}
    source = f"CARD = {card}\ndef fit(metadata, targets, labelled, task):\n    {code}\n"
    (tmp_path / "mine.py").write_text(source)
    targets, labelled = some_targets(TASKS["binary"])
    with pytest.raises(ModelError, match=complaint):
        fit(discover([tmp_path])["mine"], some_metadata(), targets, labelled, TASKS["binary"])(
            some_metadata()
        )

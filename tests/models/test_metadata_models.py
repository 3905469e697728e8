"""Models without images: constant, of metadata, of shapes, and what any other has to keep to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.metrics import roc_auc_score

from benchmark.models import ModelError, NotApplicable, discover, fit
from benchmark.task import Task

NAMES = [
    n for n, f in discover().items()
    if f.card["inputs"] != "image" and f.card["predicts"] == "findings"
]  # fmt: skip
N = 400
MORE = ("spacing", "bits", "bytes_a_pixel")
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
    """Of patients and of files; a model looks at what its card names."""
    rng = np.random.default_rng(seed)
    return {
        "width": rng.choice([1024.0, 2048, 2500, 2992], n),
        "height": rng.choice([1024.0, 2021, 2991], n),
        "spacing": rng.choice([0.143, 0.168, np.nan], n),
        "bits": rng.choice([8.0, 12, 16], n),
        "bytes_a_pixel": rng.choice([1.0, 2, np.nan], n),
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


def shapes(width, height, **more):
    """Shapes of which width and height are known."""
    nothing = dict.fromkeys(MORE, np.full(len(width), np.nan))
    return {"width": np.asarray(width, float), "height": np.asarray(height, float)} | nothing | more


@pytest.mark.parametrize("of", ["size", "aspect", *MORE])
def test_geometry_only_finds_what_the_shape_tells(of):
    rng, task = np.random.default_rng(3), TASKS["binary"]
    cause = rng.uniform(size=N) < 0.4
    side = rng.uniform(1000, 3000, N)
    told = {
        "size": shapes(side * np.where(cause, 0.4, 1), side * np.where(cause, 0.4, 1)),
        "aspect": shapes(side, side * np.where(cause, 0.8, 1.25)),
    }
    told |= {k: shapes(side, side, **{k: np.where(cause, 1.0, 2.0)}) for k in MORE}
    targets = np.where(rng.uniform(size=N) < 0.1, ~cause, cause)[:, None] * 1.0
    predict = fit(discover()["geometry_only"], told[of], targets, targets >= 0, task)
    assert roc_auc_score(targets, predict(told[of])) > 0.8


def test_geometry_only_finds_a_detector_in_the_middle():
    """What a shape tells need not rise or fall with it."""
    rng = np.random.default_rng(4)
    width = rng.choice([1000.0, 2000, 3000], N)
    targets = (width == 2000)[:, None] * 1.0
    predict = fit(
        discover()["geometry_only"], shapes(width, width), targets, targets >= 0, TASKS["binary"]
    )
    assert roc_auc_score(targets, predict(shapes(width, width))) == 1


def test_geometry_only_learns_nothing_from_what_is_not_known():
    """That a table does not tell the spacing must not stand for a finding."""
    width = np.tile([1000.0, 2000], N // 2)
    targets = (np.arange(N) < N / 2)[:, None] * 1.0
    gap = shapes(
        width, width, spacing=np.where(targets[:, 0] > 0, np.nan, np.tile([1.0, 2], N // 2))
    )
    predict = fit(discover()["geometry_only"], gap, targets, targets >= 0, TASKS["binary"])
    middle = shapes(width, width, spacing=np.full(N, 2**0.5))
    unknown = shapes(width, width)
    np.testing.assert_allclose(predict(middle), predict(unknown), rtol=1e-5)


def test_geometry_only_is_not_shaken_by_a_shape_never_seen():
    width = np.linspace(1000, 2000, N)
    targets = (width > 1600)[:, None] * 1.0
    predict = fit(
        discover()["geometry_only"], shapes(width, width), targets, targets >= 0, TASKS["binary"]
    )
    far, largest = predict(shapes([1e6], [1e6])), predict(shapes([2000], [2000]))
    np.testing.assert_allclose(far, largest, rtol=1e-5)


@pytest.mark.parametrize("known", [{}, {"bits": np.full(N, 8.0), "spacing": np.full(N, 0.1)}])
def test_geometry_only_refuses_files_of_one_shape(known):
    targets, labelled = some_targets(TASKS["binary"])
    same = shapes(np.full(N, 1024.0), np.full(N, 1024.0), **known)
    with pytest.raises(NotApplicable, match="all training files have the same"):
        fit(discover()["geometry_only"], same, targets, labelled, TASKS["binary"])


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

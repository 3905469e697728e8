"""Linear probe and k-nearest neighbours, run by a worker: one row each, on the same features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from benchmark.data.views import open_view
from benchmark.errors import UserError
from benchmark.kinds.external_validation_run import evaluate
from benchmark.kinds.running import base_row
from benchmark.models import create, discover
from benchmark.records.predictions import read_predictions
from benchmark.report.export.leaderboard import write
from benchmark.suites.ensembles import Ensemble
from benchmark.training.frozen import cut
from benchmark.training.logistic import STRENGTHS
from benchmark.training.neighbours import LEAST, K
from tests.execution.conftest import ENVIRONMENT, Bench, make_suite
from tests.execution.test_cross import another
from tests.execution.weight_files import CARD, models_with_weights

PROBE, KNN = "linear_probe", "knn"
PLAIN = CARD.replace('    x = keras.layers.Dense(5, "relu", name="hidden")(x)\n', "").replace(
    "keras.layers.Dropout(0.2)(x)", "x"
)
MODELS = ("plain", "tiny", "linear", "constant")
SEEDS = (1, 0, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Model files, one with a head of one layer and one with a hidden layer; and their weights."""
    with models_with_weights(tmp_path_factory.mktemp("fitted"), plain=PLAIN, tiny=CARD) as folder:
        yield folder


def suite(schemes, models=("plain",), weights="imagenet", **options):
    options = {"seeds": SEEDS} | options
    return make_suite(models, scheme=[*schemes], weights=[weights], **options)


@pytest.fixture(scope="module")
def ran(phantom, folder, tmp_path_factory):
    prepared, data_dir, _ = phantom
    empty = (prepared, data_dir, tmp_path_factory.mktemp("cache"))
    bench = Bench(empty, tmp_path_factory.mktemp("ran"), [folder / "models"])
    ended = bench.run(bench.plan(suite((PROBE, KNN), MODELS)))
    assert ended == {"done": 4, "not_runnable": 3}  # tiny's probe, and linear has no features
    return bench


def row(bench, scheme, model="plain", weights="imagenet"):
    (found,) = [
        each
        for each in bench.results.rows()
        if (each.spec.scheme, each.spec.model, each.spec.weights) == (scheme, model, weights)
    ]
    return found


def whole(bench, which, weights=None):
    """The network of a row as its model file builds it, with the weights that the row saved."""
    model_file = discover(bench.models_dirs)[which.spec.model]
    model = create(model_file, 16, bench.prepared.task, "unit", weights)
    if weights is None:
        model.load_weights(bench.results.weights_path(which.spec_id))
    return model


def pixels(bench, split):
    return open_view(bench.prepared, split, 16, "raw", bench.cache_dir).images[..., None] / 255


def logits(bench, which, split):
    predictions = read_predictions(
        bench.results.predictions_path(which.spec_id), bench.prepared.task.kind
    )
    return predictions.part(split).logits


def features(bench, folder):
    """Of every split, by Keras alone."""
    start = whole(bench, row(bench, PROBE), str(folder / "weights" / "tiny_notop.h5"))
    return {
        split: cut(start)[0].predict(np.float32(pixels(bench, split)), verbose=0)
        for split in ("train", "validation", "test")
    }


def test_a_scheme_without_chance_has_one_spec_whatever_the_seeds(ran):
    plan = ran.plan(suite((PROBE, KNN, "frozen"), ("plain",)))
    seeds = [(p.spec.scheme, p.spec.seed) for p in plan.specs]
    assert sorted(seeds) == [("frozen", s) for s in (0, 1, 2)] + [(KNN, 0), (PROBE, 0)]
    for scheme in (PROBE, KNN):
        assert row(ran, scheme).model.deterministic
        assert row(ran, scheme).spec.recipe == {}
        assert row(ran, scheme).spec.augmentation == "none"


def test_a_backbone_that_is_drawn_has_its_seeds(ran):
    plan = ran.plan(suite((PROBE, KNN), weights="random"))
    assert sorted(p.spec.seed for p in plan.specs) == [0, 0, 1, 1, 2, 2]
    for planned in plan.specs:
        made = base_row(
            planned.spec, planned.prepared, planned.model_file, planned.suite, ENVIRONMENT
        )
        assert not made.model.deterministic


def test_the_probe_is_scikit_learns_regression(ran, folder):
    found, x = row(ran, PROBE), features(ran, folder)
    train = ran.prepared.part("train")
    scaler = StandardScaler().fit(np.float64(x["train"]))
    assert found.penalty.strengths == list(STRENGTHS)
    for f, chosen in enumerate(found.penalty.chosen):
        known = train.labelled[:, f] > 0
        model = LogisticRegression(C=1 / (chosen * known.sum()), max_iter=10_000)
        model.fit(scaler.transform(x["train"])[known], train.targets[known, f])
        expected = model.decision_function(scaler.transform(x["test"]))
        np.testing.assert_allclose(logits(ran, found, "test")[:, f], expected, atol=0.02)


def test_the_whole_network_of_a_probe_is_saved(ran):
    found = row(ran, PROBE)
    predicted = whole(ran, found).predict(np.float32(pixels(ran, "test")), verbose=0)
    np.testing.assert_allclose(logits(ran, found, "test"), predicted, rtol=1e-5, atol=1e-5)
    assert found.weights_sha256


def test_a_probe_is_evaluated_on_another_set(ran):
    found, model_file = row(ran, PROBE), discover(ran.models_dirs)["plain"]
    target = another(ran.prepared)
    (made,) = evaluate([found], target, model_file, ran.results, ran.cache_dir, ENVIRONMENT)
    path = ran.results.cross.predictions_path(made.spec_id)
    there = read_predictions(path, ran.prepared.task.kind).part("test").logits
    np.testing.assert_allclose(there, logits(ran, found, "test"), rtol=1e-5, atol=1e-5)
    assert made.trained_on.scheme == PROBE


def test_the_neighbours_are_scikit_learns(ran, folder):
    found, x = row(ran, KNN), features(ran, folder)
    train = ran.prepared.part("train")
    for f in range(ran.prepared.task.n_outputs):
        known = train.labelled[:, f] > 0
        model = KNeighborsClassifier(K, weights="distance")
        model.fit(x["train"][known], train.targets[known, f] > 0)
        share = model.predict_proba(x["test"])[:, 1]
        expected = logit(np.clip(share, LEAST, 1 - LEAST))
        np.testing.assert_allclose(logits(ran, found, "test")[:, f], expected, atol=1e-3)


def test_features_are_computed_once_for_both(ran):
    files = list((ran.cache_dir / "features").glob("*.npy"))
    assert len(files) == 3 * 2  # of plain and of tiny; linear has none


def test_the_same_bytes_come_again(ran, folder, tmp_path):
    warm = Bench((ran.prepared, ran.data_dir, ran.cache_dir), tmp_path, [folder / "models"])
    warm.run(warm.plan(suite((PROBE, KNN))))
    for scheme in (PROBE, KNN):
        one, other = row(ran, scheme), row(warm, scheme)
        assert one.spec_id == other.spec_id
        assert one.predictions_sha256 == other.predictions_sha256


def test_who_has_no_features_or_more_than_one_layer_behind_them_is_told(ran):
    for scheme in (PROBE, KNN):
        assert row(ran, scheme, "linear").status == "not_runnable"
    said = row(ran, PROBE, "tiny").error.reason
    assert "other layers (hidden, " in said
    assert "Choose scheme = frozen" in said
    assert row(ran, KNN, "tiny").done


def test_a_model_without_a_backbone_has_one_row_of_its_own(ran):
    (constant,) = [each for each in ran.results.rows() if each.spec.model == "constant"]
    assert constant.spec.scheme == ""


def test_a_model_without_features_says_so(phantom, folder, tmp_path):
    bench = Bench(phantom, tmp_path, [folder / "models"])
    bench.run(bench.plan(make_suite(["linear"], scheme=[PROBE, KNN], weights=["random"])))
    said = [each.error.reason for each in bench.results.rows()]
    assert len(said) == 2
    assert all("no layer 'features'" in reason for reason in said)


def test_policies_for_training_by_gradient_are_refused(ran):
    plan = ran.plan(suite((PROBE, KNN), imbalance=["weighted"]))
    assert len(plan.specs) == 2
    for planned in plan.specs:
        assert "Choose imbalance = none" in planned.refusal


def test_versions_are_those_of_training_and_of_the_scheme(ran):
    for scheme in (PROBE, KNN):
        assert row(ran, scheme).code.keys() >= {"training", "scheme", "model", "kind"}
    (frozen, *_) = ran.plan(suite(("frozen",))).specs
    made = base_row(frozen.spec, frozen.prepared, frozen.model_file, "test", ENVIRONMENT)
    assert "scheme" not in made.code


def test_a_row_of_neighbours_has_no_network_to_go_on_with(ran, tmp_path):
    found = row(ran, KNN)
    model_file = discover(ran.models_dirs)["plain"]
    assert found.weights_sha256 is None
    assert not ran.results.weights_path(found.spec_id).exists()
    with pytest.raises(UserError, match=r"the features of every training image.*linear_probe"):
        next(evaluate([found], ran.prepared, model_file, ran.results, ran.cache_dir, ENVIRONMENT))
    (planned,) = ran.plan(
        make_suite(["plain"], scheme=["continue"], weights=[f"from:{found.spec_id}"])
    ).specs[-1:]
    assert f"row {found.spec_id} has no weights: k-nearest neighbours" in planned.refusal


def test_the_network_of_a_probe_is_gone_on_with(ran):
    found = row(ran, PROBE)
    began = make_suite(
        ["plain"],
        scheme=["continue"],
        weights=[f"from:{found.spec_id}"],
        recipe={"epochs": 1, "learning_rate": 1e-6, "warmup_steps": 0},
    )
    assert ran.run(ran.plan(began)) == {"done": 1}
    after = row(ran, "continue", weights=f"from:{found.spec_id}")
    ours, theirs = (whole(ran, each).layers[-1].get_layer("logits") for each in (after, found))
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_the_leaderboard_tells_them_apart(ran):
    text = write(ran.results).read_text()
    for scheme in (PROBE, KNN):
        assert f"imagenet ({scheme})" in text
    assert "1 fixed" in text
    assert "its L2 penalty the best on validation of 10, 1, 0.1, 0.01, 0.001, 0.0001" in text
    assert "Every training image is its own nearest neighbour" in text


PAIR = ("plain", "other")


@pytest.fixture
def pair(phantom, folder, tmp_path):
    """A bench with two models that can be probed."""
    (tmp_path / "models").mkdir()
    for name in PAIR:
        (tmp_path / "models" / f"{name}.py").write_text(PLAIN)
    return Bench(phantom, tmp_path / "results", [tmp_path / "models"])


def ensembles(*declared, **options):
    return replace(suite(models=PAIR, **options), ensembles=declared)


def test_a_vote_of_what_is_fixed_is_fixed_and_a_head_on_it_has_its_seeds(pair):
    vote = Ensemble("vote", "soft_vote", PAIR)
    joined = Ensemble("joined", "joined_features", PAIR, k=2, recipe={"epochs": 1})
    plan = pair.plan(ensembles(vote, joined, schemes=(PROBE, "frozen")))
    planned = sorted(
        (p.spec.model, p.spec.scheme, p.spec.seed) for p in plan.specs if p.spec.requires
    )
    trained = [(name, "frozen", seed) for name in ("joined", "vote") for seed in (0, 1, 2)]
    assert planned == sorted(
        [*trained, ("vote", PROBE, 0), *(("joined", PROBE, seed) for seed in (0, 1, 2))]
    )
    by_seed = {p.spec.seed: p for p in plan.specs if p.spec.model == "vote"}
    fixed = [p for p in plan.specs if (p.spec.model, p.spec.scheme) == ("vote", PROBE)]
    for p, expected in ((fixed[0], True), (by_seed[1], False)):
        made = base_row(p.spec, p.prepared, p.model_file, p.suite, ENVIRONMENT)
        assert made.model.deterministic is expected


def test_joined_features_of_probes_are_those_that_the_probes_computed(pair):
    vote = Ensemble("vote", "soft_vote", PAIR)
    joined = Ensemble("joined", "joined_features", PAIR, k=2, recipe={"epochs": 1})
    pair.run(pair.plan(ensembles(vote, schemes=(PROBE,), seeds=(0,))))
    before = set((pair.cache_dir / "features").iterdir())
    both = ensembles(vote, joined, schemes=(PROBE,), seeds=(0,))
    assert pair.run(pair.plan(both)) == {"done": 1}
    assert set((pair.cache_dir / "features").iterdir()) == before


def test_neighbours_are_refused_where_a_network_is_needed(pair):
    joined = Ensemble("joined", "joined_features", PAIR, k=2, recipe={"epochs": 1})
    plan = pair.plan(ensembles(joined, schemes=(KNN,)))
    refusals = {p.refusal for p in plan.specs if p.spec.model == "joined"}
    assert len(refusals) == 1
    assert "has no network: k-nearest neighbours" in refusals.pop()

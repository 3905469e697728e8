"""Ensembles from a suite to a row: votes, joined features, a specialist; waiting and staleness."""

from __future__ import annotations

import gzip
from dataclasses import replace

import keras
import numpy as np
import pytest
from msgspec import structs
from sklearn.metrics import roc_auc_score

from benchmark.data.prepared import SPLITS
from benchmark.hashing import sha256_of_file
from benchmark.records.predictions import link, read_predictions
from benchmark.records.row import Made
from benchmark.report.export.leaderboard import write
from benchmark.scoring.stored import stored_scores
from benchmark.suites.ensembles import Ensemble
from tests.ensembles.conftest import LEVELS, Workbench, with_ensembles
from tests.records.written import write_predictions

THREE = ("constant", "linear", "mlp")
VOTES = (
    Ensemble("soft", "soft_vote", THREE, weights=(1.0, 2.0, 0.5)),
    Ensemble("hard", "hard_vote", THREE),
    Ensemble("best", "best_mean", THREE, k=2),
    Ensemble("joined", "joined_features", ("linear", "mlp"), k=2, recipe={"epochs": 3}),
)


@pytest.fixture(scope="module")
def finished(phantom, tmp_path_factory):
    """One run of models and ensembles; returns (bench, suite, how specs ended)."""
    bench = Workbench(phantom, tmp_path_factory.mktemp("ensembles") / "results")
    suite = with_ensembles(*VOTES)
    return bench, suite, bench.run(bench.plan(suite))


def predictions(bench, row):
    path = bench.results.predictions_path(row.spec_id, row.dataset.redistributable)
    return read_predictions(path, row.dataset.task.kind)


def members(bench, row):
    found = {name: bench.results.read_row(spec_id) for name, spec_id in row.spec.members.items()}
    assert all(each.spec.model == name for name, each in found.items())
    return found


def test_everything_is_done_and_nothing_is_left_to_do(finished):
    bench, suite, ended = finished
    assert ended == {"done": 7}
    assert bench.plan(suite).to_run() == bench.plan(suite).refused() == []


def test_a_soft_vote_averages_the_saved_probabilities(finished):
    bench = finished[0]
    row = bench.rows()["soft"]
    saved = {name: predictions(bench, each) for name, each in members(bench, row).items()}
    weights = {"constant": 1.0, "linear": 2.0, "mlp": 0.5}
    mean = sum(weights[n] * p.probabilities.astype(float) for n, p in saved.items()) / 3.5
    found = predictions(bench, row)
    np.testing.assert_allclose(found.probabilities, mean, rtol=3e-6, atol=1e-7)
    np.testing.assert_array_equal(found.probabilities, link(found.logits, found.kind))
    np.testing.assert_array_equal(found.image_id, saved["mlp"].image_id)
    np.testing.assert_array_equal(found.targets, saved["mlp"].targets)


def test_a_hard_vote_counts_decisions_at_the_members_own_validation_thresholds(finished):
    bench = finished[0]
    row = bench.rows()["hard"]
    shares = 0
    for each in members(bench, row).values():
        saved, scores = predictions(bench, each), stored_scores(bench.results, each)
        limits = [scores.thresholds[finding] for finding in saved.findings]
        shares = shares + (saved.probabilities >= limits) / 3
    np.testing.assert_allclose(predictions(bench, row).probabilities, shares, atol=2e-7)


def test_the_best_are_chosen_by_validation(finished):
    bench = finished[0]
    row = bench.rows()["best"]
    auc = {}
    for name, each in members(bench, row).items():
        part = predictions(bench, each).part("validation")
        known = [i for i in range(7) if 0 < part.targets[:, i].sum() < len(part.targets)]
        auc[name] = np.mean([roc_auc_score(part.targets[:, i], part.logits[:, i]) for i in known])
    assert row.ensemble.used == sorted(auc, key=auc.get, reverse=True)[:2]


def test_the_row_says_what_the_ensemble_is_made_of(finished):
    bench = finished[0]
    rows = bench.rows()
    row = rows["soft"]
    assert (row.spec.kind, row.spec.recipe, row.spec.precision) == ("vote", {}, "")
    assert row.spec.ensemble.rule == "soft_vote"
    assert row.made_from == {
        f"member:{name}": Made(
            spec_id=each.spec_id,
            predictions_sha256=each.predictions_sha256,
            weights_sha256=each.weights_sha256,
        )
        for name, each in members(bench, row).items()
    }
    assert row.made_from["member:mlp"].weights_sha256
    assert row.made_from["member:constant"].weights_sha256 is None
    assert row.code == {"kind": "1"}
    assert row.model.parameters == sum(rows[name].model.parameters for name in THREE)
    assert row.model.title.endswith("of constant (1), linear (2), mlp (0.5)")
    assert rows["joined"].model.parameters > row.model.parameters
    assert row.protocol == rows["mlp"].protocol


def test_the_row_of_what_trains_something_says_how(finished):
    row = finished[0].rows()["joined"]
    assert (row.spec.kind, row.spec.precision) == ("joined_features", "float32")
    assert row.spec.recipe["epochs"] == 3
    assert row.code.keys() == {"kind", "training", "decoding", "preprocessing"}
    assert row.made_from.keys() == {"member:linear", "member:mlp"}


def test_joined_features_train_a_head_and_leave_the_members_alone(finished):
    bench = finished[0]
    row = bench.rows()["joined"]
    assert len(row.history.loss) == 3
    assert row.history.loss[-1] < row.history.loss[0]
    assert sorted(row.ensemble.used) == ["linear", "mlp"]
    parts = {n: predictions(bench, each) for n, each in members(bench, row).items()}
    assert not np.allclose(predictions(bench, row).logits, parts["mlp"].logits)
    assert keras.config.dtype_policy().name == "float32"  # the worker's settings stay the worker's


def test_the_leaderboard_shows_ensembles_beside_their_members(finished):
    bench = finished[0]
    text = write(bench.results).read_text()
    used = ", ".join(bench.rows()["best"].ensemble.used)
    for line in (
        "hard (ensemble)",
        "- Ensemble. Weighted vote of the decisions of constant, linear, mlp: hard.",
        f"- Chosen by validation with seed 0, used {used}: best.",
    ):
        assert line in text
    assert "mlp (ensemble)" not in text


def test_the_same_vote_gives_the_same_bytes(finished):
    bench, suite, _ = finished
    before = bench.rows()["soft"].predictions_sha256
    assert bench.run(bench.plan(suite, wanted={"model": {"soft"}}, rerun="all")) == {"done": 1}
    assert bench.rows()["soft"].predictions_sha256 == before


def status(bench, suite, name):
    (planned,) = [p for p in bench.plan(suite).specs if p.spec.model == name]
    return planned.status


def test_an_ensemble_has_its_members_run_before_it_where_they_are_not_there(bench):
    members = ["constant", "metadata_only"]
    suite = with_ensembles(Ensemble("vote", "soft_vote", tuple(members)), models=members)
    alone = bench.plan(suite, wanted={"model": {"vote"}})
    assert [p.spec.model for p in alone.specs][-1] == "vote"
    assert bench.run(alone) == {"done": 3}
    assert status(bench, suite, "vote") == "done"
    again = bench.plan(suite, wanted={"model": {"vote"}})
    assert [p.spec.model for p in again.specs] == ["vote"], "nothing of the others is needed now"


def test_an_ensemble_of_a_failed_member_names_it_and_recovers_with_it(phantom, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (models / "shaky.py").write_text("broken")
    bench = Workbench(phantom, tmp_path / "results", [models])
    suite = with_ensembles(
        Ensemble("vote", "soft_vote", ("constant", "shaky")), models=["constant", "shaky"]
    )
    assert bench.run(bench.plan(suite)) == {"not_runnable": 2, "done": 1}
    assert "its member shaky cannot be run" in bench.rows()["vote"].error.reason
    assert bench.plan(suite).to_run() == []
    source = (bench.plan(suite).specs[0].model_file.path.parent / "constant.py").read_text()
    (models / "shaky.py").write_text(source)
    assert bench.run(bench.plan(suite)) == {"done": 2}


def change(bench, row):
    """Give a row other predictions, as if its spec had been run again with another result."""
    path = bench.results.predictions_path(row.spec_id)
    saved = read_predictions(path, row.dataset.task.kind)
    logits = saved.logits[::-1].copy()
    changed = replace(saved, logits=logits, probabilities=link(logits, saved.kind))
    written = write_predictions(path, changed)
    bench.results.write_row(structs.replace(row, predictions_sha256=written))


@pytest.fixture
def small(bench):
    """A finished vote of two cheap models."""
    suite = with_ensembles(
        Ensemble("vote", "soft_vote", ("constant", "metadata_only")),
        models=["constant", "metadata_only"],
    )
    assert bench.run(bench.plan(suite)) == {"done": 3}
    return bench, suite


def test_other_predictions_of_a_member_make_an_ensemble_stale(small):
    bench, suite = small
    before = bench.rows()["vote"]
    change(bench, bench.rows()["metadata_only"])
    assert status(bench, suite, "vote") == "stale"
    assert bench.plan(suite).to_run() == []
    assert bench.run(bench.plan(suite, rerun="stale")) == {"done": 1}
    assert status(bench, suite, "vote") == "done"
    assert bench.rows()["vote"].predictions_sha256 != before.predictions_sha256
    assert bench.rows()["vote"].spec_id == before.spec_id


def test_a_stale_member_makes_an_ensemble_stale(small):
    bench, suite = small
    row = bench.rows()["constant"]
    bench.results.write_row(structs.replace(row, code=row.code | {"model": "another"}))
    assert status(bench, suite, "vote") == "stale"
    assert [p.spec.model for p in bench.plan(suite, rerun="stale").to_run()] == ["constant", "vote"]


def test_predictions_changed_by_hand_are_not_used(small):
    bench, suite = small
    row = bench.rows()["metadata_only"]
    change(bench, row)
    bench.results.write_row(row)
    before = bench.rows()["vote"]
    plan = bench.plan(suite, wanted={"model": {"vote"}}, rerun="all")
    assert bench.run(plan) == {"failed": 1}
    assert "member metadata_only were changed after" in bench.reasons["vote"]
    assert bench.rows()["vote"] == before, "a failure never takes the place of a finished row"


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda lines: [*lines[:-2], lines[-1], lines[-2]], "in another order, or one twice"),
        (lambda lines: lines[:-1], "1 are missing, 0 are not expected"),
        (lambda lines: [*lines[:-1], lines[-1].replace("test,", "test,x")], "1 are not expected"),
    ],
)
def test_members_of_other_images_are_not_joined(small, spoil, fault):
    bench, suite = small
    row = bench.rows()["constant"]
    path = bench.results.predictions_path(row.spec_id)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join([*spoil(lines), ""]).encode()))
    bench.results.write_row(structs.replace(row, predictions_sha256=sha256_of_file(path)))
    bench.run(bench.plan(suite, rerun="stale"))
    assert "member constant, test" in bench.reasons["vote"]
    assert fault in bench.reasons["vote"]


def test_members_whose_weights_are_gone_are_made_anew_for_joined_features_bit_by_bit(finished):
    bench, suite, _ = finished
    row, before = bench.rows()["mlp"], bench.rows()["joined"]
    bench.results.weights_path(row.spec_id).unlink()
    plan = bench.plan(suite, wanted={"model": {"joined"}}, rerun="all")
    assert [p.spec.model for p in plan.to_run()] == ["mlp", "joined"]
    assert bench.run(plan) == {"done": 2}
    assert bench.rows()["mlp"].predictions_sha256 == row.predictions_sha256
    assert bench.rows()["joined"].predictions_sha256 == before.predictions_sha256
    assert status(bench, suite, "joined") == "done"


def test_a_specialist_learns_what_the_first_model_confuses_on_validation(classes, tmp_path):
    from benchmark.models import discover
    from benchmark.planning.inputs import PlanInputs
    from benchmark.planning.resolve import make_plan
    from benchmark.suites.axes import DEFAULTS
    from benchmark.suites.suite import Suite

    bench = Workbench(classes, tmp_path / "results")
    matrix = DEFAULTS | {
        "datasets": ["image_folder/greys"], "models": ["linear"], "resolutions": [16], "seeds": [0],
    }  # fmt: skip
    second = Ensemble("second", "specialist", ("linear",), k=2, second="mlp")
    vote = Ensemble("hard", "hard_vote", ("linear", "constant"))
    matrix["models"] = ["linear", "constant", "mlp"]
    recipe = {"epochs": 6, "batch_size": 16, "warmup_steps": 0}
    suite = Suite("test", "Test", "", matrix, recipe=recipe, ensembles=(second, vote))
    inputs = PlanInputs(discover(), {"image_folder/greys": classes[0]}, bench.results)
    assert bench.run(make_plan([suite], inputs))["done"] == 5
    row = bench.rows()["second"]
    assert row.ensemble.findings == ["grey", "greyish"]
    first, both = (predictions(bench, bench.rows()[name]) for name in ("linear", "second"))
    group = [first.findings.index(name) for name in row.ensemble.findings]
    taken = np.isin(first.probabilities.argmax(axis=1), group)
    assert 0 < taken.sum() < len(taken)
    np.testing.assert_allclose(both.probabilities[~taken], first.probabilities[~taken], atol=1e-6)
    assert np.isin(both.probabilities[taken].argmax(axis=1), group).all()
    assert sha256_of_file(bench.results.weights_path(row.spec_id)) == row.weights_sha256
    assert row.code["model"] == discover()["mlp"].version
    assert row.model.parameters > bench.rows()["linear"].model.parameters
    part = first.part("validation")
    wrong = (part.targets.argmax(1) != part.probabilities.argmax(1)) & np.isin(
        part.targets.argmax(1), group
    )
    assert row.ensemble.confused_on_validation <= wrong.sum()
    assert len(LEVELS) == first.probabilities.shape[1]
    assert {s: (both.split == s).sum() for s in SPLITS} == {s: row.counts[s].images for s in SPLITS}
    shares = predictions(bench, bench.rows()["hard"]).probabilities
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert set(np.round(shares, 3).ravel().tolist()) <= {0.0, 0.5, 1.0}

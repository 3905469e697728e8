"""What a suite file may say about ensembles, and how a mistake is explained."""

from __future__ import annotations

import msgspec
import pytest

from benchmark.errors import UserError
from benchmark.spec import EnsembleRule
from benchmark.suites import load_suite
from benchmark.suites.ensembles import Ensemble

SUITE = """
title = "T"
description = ""
[matrix]
datasets = ["a/b"]
models = ["cnn", "mlp", "linear"]
resolutions = [64]
"""
ENSEMBLE = """
[[ensembles]]
name = "vote"
kind = "soft_vote"
members = ["mlp", "cnn"]
"""
BEST = ENSEMBLE.replace("soft_vote", "best_mean")
SPECIALIST = '[[ensembles]]\nname = "s"\nkind = "specialist"\nmembers = ["cnn"]\n'


def load(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    return load_suite("mine", tmp_path)


def test_a_suite_without_ensembles_has_none(tmp_path):
    assert load(tmp_path, SUITE).ensembles == ()


def test_weights_are_equal_unless_given(tmp_path):
    plain, weighted = load(
        tmp_path, SUITE + ENSEMBLE + ENSEMBLE.replace('"vote"', '"v2"') + "weights = [1, 0.5]\n"
    ).ensembles
    assert plain.rule == EnsembleRule(rule="soft_vote", weights={"mlp": 1.0, "cnn": 1.0})
    assert weighted.rule.weights == {"mlp": 1.0, "cnn": 0.5}


def test_a_specialist_is_of_the_first_models_architecture_unless_said(tmp_path):
    text = SUITE + SPECIALIST + SPECIALIST.replace('"s"', '"t"') + 'second = "mlp"\nk = 2\n'
    same, other = load(tmp_path, text).ensembles
    assert same.rule == EnsembleRule(k=3, second="cnn")
    assert other.rule == EnsembleRule(k=2, second="mlp")


@pytest.mark.parametrize(
    ("kind", "spec_kind", "rule"),
    [
        ("soft_vote", "vote", {"rule": "soft_vote", "weights": {"mlp": 1.0, "cnn": 1.0}}),
        ("hard_vote", "vote", {"rule": "hard_vote", "weights": {"mlp": 1.0, "cnn": 1.0}}),
        ("best_mean", "vote", {"rule": "best_mean", "k": 2}),
        ("joined_features", "joined_features", {"k": 2}),
        ("specialist", "specialist", {"k": 2, "second": "mlp"}),
        ("anomaly", "anomaly", {}),
    ],
)
def test_a_spec_says_the_kind_and_what_was_declared(kind, spec_kind, rule):
    ensemble = Ensemble("e", kind, ("mlp", "cnn"), k=2)
    assert ensemble.spec_kind.name == spec_kind
    assert msgspec.to_builtins(ensemble.rule) == rule


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ENSEMBLE.replace("soft_vote", "sofd_vote"), "kind .*Did you mean 'soft_vote'"),
        (ENSEMBLE.replace("soft_vote", "stacking"), "Choices: anomaly, best_mean, hard_vote, "),
        (ENSEMBLE.replace('kind = "soft_vote"', ""), "needs a kind, as text: anomaly, best_mean"),
        (ENSEMBLE.replace("cnn", "cmn"), "ensemble vote 'cmn'.*Did you mean 'cnn'.*linear, mlp"),
        (ENSEMBLE.replace('"mlp", "cnn"', '"mlp"'), "2 or more member"),
        (ENSEMBLE.replace('"mlp", "cnn"', '"mlp", "mlp"'), "names a member twice"),
        (ENSEMBLE.replace('["mlp", "cnn"]', '"mlp"'), "a list of models"),
        (ENSEMBLE.replace('name = "vote"', ""), "needs a name"),
        (ENSEMBLE.replace('"vote"', '"My vote"'), "at most 60 characters; for instance my_vote"),
        (ENSEMBLE.replace('"vote"', '"cnn"'), "ensemble cnn has the name of a model"),
        (ENSEMBLE + ENSEMBLE, "two ensembles are called 'vote'"),
        (ENSEMBLE + "weight = [1, 2]\n", "key of a soft_vote .*'weight'.*Did you mean 'weights'"),
        (ENSEMBLE + "weights = [1]\n", "1 weights for 2 members"),
        (ENSEMBLE + "weights = [1, 0]\n", "numbers above zero"),
        (ENSEMBLE + "weights = [1, inf]\n", "numbers above zero"),
        (ENSEMBLE + "weights = [true, 1]\n", "numbers above zero"),
        (ENSEMBLE + "weights = [1e308, 1e308]\n", r"above zero, at most 1e\+39"),
        (ENSEMBLE + "k = 2\n", "key of a soft_vote .*'k'"),
        (BEST + "k = 3\n", r"best 3 \(k\), but has only 2 members"),
        (BEST, r"best 3 \(k\), but has only 2 members"),
        (BEST + "k = 1\n", "whole number from 2 to 1,000,000,000,000,000, not 1"),
        (BEST + 'k = "2"\n', "whole number from 2"),
        (SPECIALIST.replace('"cnn"', '"cnn", "mlp"'), "exactly 1 member"),
        (SPECIALIST + 'second = "vgg"\n', "'vgg'"),
        (SPECIALIST + "second = 2\n", "second must be the name of a model"),
        (SPECIALIST + "recipe = 2\n", "recipe must be a table"),
        (SPECIALIST + "recipe = { epoch = 2 }\n", "Did you mean 'epochs'"),
        ('[ensembles]\nname = "vote"\n', r"\[\[ensembles\]\]"),
    ],
)  # fmt: skip
def test_a_wrong_ensemble_is_explained(tmp_path, text, fault):
    with pytest.raises(UserError, match=fault):
        load(tmp_path, SUITE + text)

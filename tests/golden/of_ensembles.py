"""Golden outputs of every kind of ensemble, on fixed predictions, features and confusions."""

from __future__ import annotations

import numpy as np

from tests.golden.inputs import SPLITS, TASKS, noise, targets


def ensembles() -> list[str]:
    from benchmark.kinds.ensemble import ways

    return [*ways()]


def combined(name: str) -> dict:
    """A rule that has no function of its own here is seen whole, on three voters."""
    own = {
        "soft_vote": _soft_vote,
        "hard_vote": _hard_vote,
        "best_mean": _best_mean,
        "joined_features": _joined_features,
        "specialist": _specialist,
        "anomaly": _anomaly,
    }
    return own[name]() if name in own else _rule(name)


def _rule(name: str) -> dict:
    from benchmark.ensembles.rules import AXIS
    from benchmark.ensembles.voters import Voter
    from benchmark.spec import EnsembleRule

    rule, values = AXIS.find(name), {}
    declared = {"weights": {"m0": 1.0, "m1": 2.0, "m2": 0.5}, "k": 2}
    for kind, task in TASKS.items():
        logits, thresholds = _logits(3, kind), dict.fromkeys(task.findings, 0.4)
        voters = {
            model: Voter(_predictions(kind, each), weight, lambda t=thresholds: t)
            for (model, weight), each in zip(declared["weights"].items(), logits, strict=True)
        }
        options = {key: declared[key] for key in rule.card["options"]}
        logits, used = rule.load()(voters, EnsembleRule(rule=name, **options))
        values[kind] = {"logits": logits[:6].ravel().tolist(), "used": used}
    return values


def _logits(members: int, kind: str) -> list[np.ndarray]:
    wide = TASKS[kind].n_outputs
    return [*((noise(members, 24, wide) - np.float32(0.5)) * 10)]


def _soft_vote() -> dict:
    from benchmark.ensembles.voting import soft_vote

    return {
        kind: soft_vote(_logits(3, kind), (1, 2, 0.5), kind)[:6].ravel().tolist() for kind in TASKS
    }


def _hard_vote() -> dict:
    from benchmark.ensembles.voting import hard_vote
    from benchmark.scoring.thresholds import argmax_decisions

    values = {}
    for kind in TASKS:
        decisions = [argmax_decisions(x) if kind == "multiclass" else x > 1
                     for x in _logits(3, kind)]  # fmt: skip
        values[kind] = hard_vote(decisions, (1, 2, 0.5), kind)[:12].ravel().tolist()
    return values


def _predictions(kind: str, logits: np.ndarray):
    from benchmark.records.predictions import Predictions, link

    n = len(logits)
    truth = targets(kind, n)
    text = np.full(n, "", object)
    split = np.array(SPLITS, object)[np.arange(n) % 3]
    names = TASKS[kind].findings
    return Predictions(
        names, kind, split, text, text, np.zeros(n, int), text, text,
        np.where(truth < 0, np.nan, truth).astype(float), logits, link(logits, kind),
    )  # fmt: skip


def _best_mean() -> dict:
    """Which members are chosen; their mean is the soft vote."""
    from benchmark.ensembles.selection import best_members, validation_auc
    from benchmark.ensembles.voting import soft_vote

    values = {}
    for kind, task in TASKS.items():
        logits = (noise(4, 48, task.n_outputs) - np.float32(0.5)) * 10
        members = {f"m{i}": _predictions(kind, each) for i, each in enumerate(logits)}
        best = best_members(members, 2)
        mean = soft_vote([members[name].logits for name in best], (1.0, 1.0), kind)
        values[kind] = {
            "auc": [validation_auc(each) for each in members.values()],
            "best": [int(name[1:]) for name in best],
            "mean": mean[:4].ravel().tolist(),
        }
    return values


def _joined_features() -> dict:
    import keras

    from benchmark.ensembles.joined import head, join, penultimate

    draw = np.random.default_rng(8)
    members = [
        {split: draw.normal(width, width, (5, width)).astype(np.float32) for split in SPLITS}
        for width in (2, 3)
    ]
    members[1]["train"][:, 0] = 7
    joined = join(members)
    keras.utils.clear_session(free_memory=False)
    model = head(5, TASKS["multilabel"])
    return {split: joined[split].ravel().tolist() for split in SPLITS} | {
        "head": [float(np.abs(weight).sum()) for weight in map(np.asarray, model.weights)],
        "widths": [_width(penultimate)],
    }


def _width(penultimate) -> int:
    from benchmark.models import create, discover

    return penultimate(create(discover()["linear"], 4, TASKS["binary"], "unit")).output_shape[1]


def _specialist() -> dict:
    from benchmark.ensembles.selection import most_confused
    from benchmark.ensembles.specialist import take_over

    first = (noise(48, 3) - np.float32(0.5)) * 6
    second = (noise(24, 2) - np.float32(0.5)) * 6
    group, images = most_confused(_predictions("multiclass", first), 2)
    return {
        "group": group,
        "images": images,
        "together": take_over(first[:24], second, [0, 2])[:16].ravel().tolist(),
    }


def _anomaly() -> dict:
    from benchmark.ensembles.anomaly import (
        NormalModel,
        Rule,
        confidences,
        drawn_channels,
        image_scores,
        temperature,
    )

    draw = np.random.default_rng(9)
    normal = draw.normal(size=(20, 3, 4)) @ draw.normal(size=(4, 4))
    distances = NormalModel.fitted(normal).distances(draw.normal(size=(12, 3, 4)) * 2)
    scores, logits = image_scores(distances), draw.normal(size=12) * 4
    found = temperature(logits, (logits + draw.normal(size=12) * 4 > 0).astype(float))
    sure = confidences(logits, found)
    rule = Rule.frozen(scores[:6], sure[:6])
    outcome = rule.outcome(scores, sure, np.arange(12) > 7)
    return {
        "distances": distances[:4].ravel().tolist(),
        "channels": drawn_channels(150, 3).tolist(),
        "temperature": found,
        "confidence": sure.tolist(),
        "rule": [rule.score, rule.confidence],
        "outcome": [value for each in outcome.values() for value in each.values()],
    }

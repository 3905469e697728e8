"""What an ensemble has in place of a model file: a card, and the files behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.ensembles.declaration import KINDS
from benchmark.models import ModelFile
from benchmark.spec import Spec

_TITLES = {
    "soft_vote": "Weighted mean of the probabilities of {members}",
    "hard_vote": "Weighted vote of the decisions of {members}",
    "best_mean": "Mean of the probabilities of the best {k} by validation of {members}",
    "joined_features": "Head on the joined features of the best {k} by validation of {members}",
    "anomaly": "Distance from normal images on the last feature map of {members}",
    "specialist": "{members}, then {second} on the {k} findings most confused on validation",
}


@dataclass(frozen=True)
class EnsembleFile(ModelFile):
    """An ensemble as the plan, the row and the runner see it; it is no file.

    Attributes:
        models: files of its members and of the model that it trains itself, by name.
        second: of these, the one that it trains itself; None where it trains none.
    """

    models: Mapping[str, ModelFile] = field(default_factory=dict)
    second: ModelFile | None = None


def own_file(model_file: ModelFile) -> ModelFile | None:
    """The file of the model that is trained: itself, or an ensemble's second model, if any."""
    return model_file.second if isinstance(model_file, EnsembleFile) else model_file


def ensemble_file(spec: Spec, model_files: Mapping[str, ModelFile]) -> EnsembleFile:
    """What an ensemble's spec has in place of a model file."""
    kind, rule = KINDS[kind_name(spec)], spec.ensemble
    names = {*spec.members, *filter(None, [rule.second])}
    models = {name: model_files[name] for name in sorted(names)}
    second = models.get(rule.second)
    chance = [m for m in models.values() if m.card and not m.card["deterministic"]]
    card = {
        "title": title(spec),
        "reference": kind.reference,
        "inputs": "ensemble",
        "predicts": "findings",
        "deterministic": not (chance or kind.trains),
        "gmacs_224": second.card.get("gmacs_224") if second else None,
    }
    return EnsembleFile(spec.model, Path(__file__), card, models=models, second=second)


def kind_name(spec: Spec) -> str:
    """An ensemble's way of combining its members, by its name in :data:`KINDS`."""
    return spec.ensemble.rule or spec.kind


def title(spec: Spec) -> str:
    """One line about an ensemble: what is done with whom."""
    rule, members = spec.ensemble, list(spec.members)
    if len(set((rule.weights or {}).values())) > 1:
        members = [f"{name} ({rule.weights[name]:g})" for name in members]
    values = {"k": rule.k, "second": rule.second, "members": ", ".join(members)}
    return _TITLES[kind_name(spec)].format(**values)

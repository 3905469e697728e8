"""What an ensemble has in place of a model file: a card, and a hash of what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.ensembles.declaration import KINDS
from benchmark.ensembles.members import fingerprint
from benchmark.models import ModelFile
from benchmark.records.store import Results
from benchmark.suites.cell import Cell

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
    """An ensemble as the plan, the row and the runner see it; its ``sha256`` is no file's.

    Attributes:
        models: files of its members and of the model that it trains itself, by name.
    """

    models: Mapping[str, ModelFile] = field(default_factory=dict)


def ensemble_file(
    cell: Cell, model_files: Mapping[str, ModelFile], results: Results
) -> EnsembleFile:
    """The model file of an ensemble's cell, as its members' rows are now."""
    rule = cell.ensemble
    names = {*rule["members"], *filter(None, [rule.get("second")])}
    models = {name: model_files[name] for name in sorted(names)}
    second = models.get(rule.get("second"))
    chance = [m for m in models.values() if m.card and not m.card["deterministic"]]
    card = {
        "title": title(cell),
        "reference": KINDS[rule["kind"]].reference,
        "inputs": "ensemble",
        "predicts": "findings",
        "deterministic": not (chance or KINDS[rule["kind"]].trains),
        "gmacs_224": second.card.get("gmacs_224") if second else None,
    }
    sha256 = fingerprint(cell, results, second)
    return EnsembleFile(cell.model, Path(__file__), card, sha256, models=models)


def title(cell: Cell) -> str:
    """One line about an ensemble: what is done with whom."""
    rule = cell.ensemble
    members = sorted(rule["members"])
    if len(set(rule.get("weights", {}).values())) > 1:
        members = [f"{name} ({rule['weights'][name]:g})" for name in members]
    values = {"k": rule.get("k"), "second": rule.get("second"), "members": ", ".join(members)}
    return _TITLES[rule["kind"]].format(**values)

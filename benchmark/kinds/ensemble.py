"""What the kinds of ensembles have in common: members, a way of combining them, a title."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import UserError
from benchmark.kinds.base import Circumstances, Kind, found, kinds
from benchmark.models import ModelFile
from benchmark.spec import MEMBER, EnsembleRule, Spec
from benchmark.training.schemes import why_no_network


@dataclass(frozen=True)
class Way:
    """A way of making one prediction of several models.

    Attributes:
        options: the keys that a suite may give it beside ``members``.
        members: fewest and most members; None for no upper limit.
        title: of its rows; ``{members}``, ``{k}`` and ``{second}`` stand for what is declared.
        description: one sentence about it, for the table in ``docs/``.
        reference: where it comes from.
        version: raised where the same declaration begins to give other numbers.
    """

    options: tuple[str, ...]
    members: tuple[int, int | None]
    title: str
    description: str
    reference: str
    version: int = 1

    @property
    def trains(self) -> bool:
        """Whether it trains a network of its own."""
        return "recipe" in self.options


@dataclass(frozen=True)
class EnsembleFile(ModelFile):
    """An ensemble as the plan, the row and the runner see it; it is no file.

    Attributes:
        models: files of its members and of the model that it trains itself, by name.
        second: of these, the one that it trains itself; None where it trains none.
    """

    models: Mapping[str, ModelFile] = field(default_factory=dict)
    second: ModelFile | None = None

    @property
    def built_in(self) -> bool:
        """Whether all of its files are of this package."""
        return all(each.built_in for each in self.models.values())


class EnsembleKind(Kind):
    """Made of other specs, its members."""

    def ways(self) -> Mapping[str, Way]:
        """Its ways, by the word that a suite gives as ``kind``."""
        raise NotImplementedError

    def way(self, spec: Spec) -> Way:
        """The way of a spec."""
        return self.ways()[declared(spec).rule or self.name]

    def own_model(self, spec: Spec) -> str | None:
        """A specialist's second model."""
        return declared(spec).second

    def sees_images(self, spec: Spec) -> bool:
        """What reads the weights of its members reads images with them."""
        return self.needs_weights

    def version_of(self, spec: Spec) -> int:
        """That of its way."""
        return self.way(spec).version

    def model_file(self, spec: Spec, files: Mapping[str, ModelFile]) -> EnsembleFile:
        """What an ensemble's spec has in place of a model file: a card, and the files behind it."""
        way, rule = self.way(spec), declared(spec)
        names = {*spec.members, *filter(None, [rule.second])}
        models = {name: found(name, files) for name in sorted(names)}
        second = models.get(rule.second or "")
        chance = [m for m in models.values() if m.card and not m.card["deterministic"]]
        card = {
            "title": title(spec, way),
            "reference": way.reference,
            "inputs": "ensemble",
            "predicts": "findings",
            "deterministic": not (chance or way.trains),
            "gmacs_224": second.card.get("gmacs_224") if second else None,
        }
        return EnsembleFile(spec.model, Path(__file__), card, models=models, second=second)

    def deterministic(self, spec: Spec, card: Mapping[str, Any]) -> bool:
        """Not where it draws or trains, whatever its members do."""
        return card["deterministic"]

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """A member that sees no image or leaves no network, where these are needed."""
        for role, required in given.required.items():
            if not (role.startswith(MEMBER) and self.needs_weights):
                continue
            name = role.removeprefix(MEMBER)
            if not required.spec.resolution:
                return f"its member {name} sees no image, so it has no features and no second stage"
            if why := why_no_network(required.spec.scheme):
                return f"its member {name} has no network: {why}"
        return None


def declared(spec: Spec) -> EnsembleRule:
    """What a spec declares of its ensemble.

    Raises:
        UserError: nothing, so that its kind is not what it says; rows come from elsewhere, too.
    """
    if spec.ensemble is None:
        raise UserError(f"spec {spec.spec_id} is called a {spec.kind}, but declares no ensemble")
    return spec.ensemble


def ways() -> dict[str, tuple[EnsembleKind, Way]]:
    """Every way of every kind of ensemble, by the word that a suite gives as ``kind``."""
    return {
        word: (kind, way)
        for kind in kinds().values()
        if isinstance(kind, EnsembleKind)
        for word, way in kind.ways().items()
    }


def own_file(model_file: ModelFile) -> ModelFile | None:
    """The file of the model that is trained: itself, or an ensemble's second model, if any."""
    return model_file.second if isinstance(model_file, EnsembleFile) else model_file


def title(spec: Spec, way: Way) -> str:
    """One line about an ensemble: what is done with whom."""
    rule, members = declared(spec), list(spec.members)
    weights = rule.weights or {}
    if len(set(weights.values())) > 1:
        members = [f"{name} ({weights[name]:g})" for name in members]
    return way.title.format(k=rule.k, second=rule.second, members=", ".join(members))

"""What a suite file may say about ensembles, read and checked. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.bounds import LARGEST_COUNT, LARGEST_NUMBER
from benchmark.errors import UnknownName, UserError, in_toml
from benchmark.kinds.ensemble import EnsembleKind, Way, ways
from benchmark.naming import ENSEMBLES
from benchmark.spec import EnsembleRule
from benchmark.suites.reading import said_of
from benchmark.training.recipe import check_recipe
from benchmark.training.recipes import with_named

DEFAULT_K = 3


@dataclass(frozen=True)
class Ensemble:
    """One ensemble of a suite; it has a row for each data set, variant and seed of its members.

    Attributes:
        name: of its rows, where other rows have that of their model.
        kind: one of :func:`benchmark.kinds.ensemble.ways`.
        members: models of the suite, each once.
        weights: of the votes, one a member, above zero; they need not add up to one.
        k: so many best members by validation (``best_mean``, ``joined_features``), or so many
            findings that the second model is trained on (``specialist``).
        second: architecture of the ``specialist``'s second model; by default that of the first.
        recipe: where the training of what it trains itself differs from the suite's recipe.
    """

    name: str
    kind: str
    members: tuple[str, ...]
    weights: tuple[float, ...] = ()
    k: int = DEFAULT_K
    second: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def spec_kind(self) -> EnsembleKind:
        """The kind of its specs: one kind may have several ways."""
        return ways()[self.kind][0]

    @property
    def way(self) -> Way:
        """How its members are combined."""
        return ways()[self.kind][1]

    @property
    def rule(self) -> EnsembleRule:
        """What its specs say of it; the recipe is a field of its own."""
        weights = self.weights or (1.0,) * len(self.members)
        values: dict[str, Any] = {
            "weights": dict(zip(self.members, weights, strict=True)),
            "k": self.k,
            "second": self.second or self.members[0],
        }
        options = {key: values[key] for key in self.way.options if key in values}
        one_way = self.kind == self.spec_kind.name
        return EnsembleRule(rule=None if one_way else self.kind, **options)

    def check_models(self, models: Iterable[str]) -> None:
        """Check its names against those of models.

        Raises:
            UnknownName: a member, or the architecture of the second model, is none of them.
            UserError: the ensemble has the name of one.
        """
        models = list(models)
        if self.name in models:
            raise UserError(f"ensemble {self.name} has the name of a model; choose another")
        for name in (*self.members, *filter(None, [self.second])):
            if name not in models:
                raise UnknownName(f"model in ensemble {self.name}", name, models)


def read_ensembles(where: object, entries: Any) -> tuple[Ensemble, ...]:
    """The ``[[ensembles]]`` of a suite file.

    Args:
        where: the file, for messages.

    Raises:
        UnknownName: an unknown key or kind.
        UserError: a value is missing, of the wrong type or out of range, or a name comes twice.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{where}: write each ensemble under a header [[ensembles]]")
    ensembles = tuple(_read(where, entry) for entry in entries)
    names = [ensemble.name for ensemble in ensembles]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{where}: two ensembles are called {name!r}; rename one")
    return ensembles


def _read(where: object, entry: Mapping[str, Any]) -> Ensemble:
    name, kind = entry.get("name"), entry.get("kind")
    if name is None:
        raise UserError(f"{where}: an ensemble needs a name, {ENSEMBLES.rule}")
    if fault := ENSEMBLES.fault(name):
        raise UserError(f"{where}: {fault}")
    here = f"{where}, ensemble {name}"
    if not isinstance(kind, str):
        raise UserError(f"{here}: needs a kind, as text: {', '.join(sorted(ways()))}")
    if kind not in ways():
        raise UnknownName(f"kind of ensemble in {here}", kind, ways())
    allowed = ways()[kind][1].options
    for key in entry:
        if key not in (known := ("name", "kind", "members", *allowed)):
            raise UnknownName(f"key of a {kind} in {here}", key, known)
    members = _members(here, kind, entry.get("members"))
    options = {key: entry[key] for key in allowed if key in entry}
    _check_options(here, kind, len(members), options)
    if "recipe" in options:
        options["recipe"] = said_of(here, _recipe, options["recipe"])
    if "weights" in options:
        options["weights"] = tuple(float(weight) for weight in options["weights"])
    return Ensemble(name, kind, tuple(members), **options)


def _members(here: str, kind: str, members: Any) -> list[str]:
    if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
        raise UserError(f'{here}: needs members, a list of models: members = ["mlp", "cnn"]')
    if len(set(members)) < len(members):
        raise UserError(f"{here}: names a member twice; give it a larger weight instead")
    least, most = ways()[kind][1].members
    if len(members) < least or (most is not None and len(members) > most):
        wanted = f"exactly {most}" if most == least else f"{least} or more"
        raise UserError(f"{here}: a {kind} has {wanted} member(s), not {len(members)}")
    return members


def _check_options(here: str, kind: str, members: int, options: Mapping[str, Any]) -> None:
    weights, k = options.get("weights", [1.0] * members), options.get("k", DEFAULT_K)
    if not isinstance(weights, list) or not all(_is_weight(weight) for weight in weights):
        raise UserError(
            f"{here}: weights must be a list of numbers above zero, at most {LARGEST_NUMBER:g}"
        )
    if len(weights) != members:
        raise UserError(f"{here}: {len(weights)} weights for {members} members")
    if type(k) is not int or not 2 <= k <= LARGEST_COUNT:
        raise UserError(
            f"{here}: k must be a whole number from 2 to {LARGEST_COUNT:,}, not {in_toml(k)}"
        )
    if "k" in ways()[kind][1].options and kind != "specialist" and k > members:
        raise UserError(f"{here}: takes the best {k} (k), but has only {members} members")
    if not isinstance(options.get("second", ""), str):
        raise UserError(f"{here}: second must be the name of a model")
    if not isinstance(options.get("recipe", {}), dict):
        raise UserError(f"{here}: recipe must be a table: recipe = {{ epochs = 20 }}")


def _recipe(given: Mapping[str, Any]) -> dict[str, Any]:
    values = with_named(given)
    check_recipe(values)
    return values


def _is_weight(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= LARGEST_NUMBER

"""A suite: a named matrix of specs. Imports no TensorFlow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from benchmark.errors import UnknownModel
from benchmark.spec import MATRIX, PUBLISHED
from benchmark.suites.axes import IMAGE_AXES
from benchmark.suites.ensembles import Ensemble
from benchmark.suites.families import DEFAULT
from benchmark.training.weights import check_together, usual_weights

Variant = dict[str, Any]
"""Values of the image axes, as fields of a spec."""
ALL_MODELS = "*"


@dataclass(frozen=True)
class LungNetwork:
    """The network that finds the lungs: the first spec of a model of a suite of masks."""

    suite: str = "lungs"
    model: str = "unet_batchnorm"


@dataclass(frozen=True)
class Suite:
    """A named matrix.

    Attributes:
        name: the file's name without its ending.
        title, description: for people.
        matrix: for each axis of :data:`AXES` its values; ``models = ["*"]`` means every model, and
            ``datasets = ["<name>@legacy_s3"]`` a data set under a legacy protocol, a screening one
            (``@without:<finding>``) or attribute prediction (``@probe:<field>``, ``@probe:*`` for
            every one that the set can answer).
        recipe: values that differ from :class:`benchmark.training.recipe.Recipe`'s own; ``name``
            is that of a named recipe, whose values they are said above. A name alone may stand
            for the table.
        recipe_for: the same for every model at one of the resolutions, by ``"*@<resolution>"``, for
            one model, by its name, or for one model at one of the resolutions, by
            ``"<model>@<resolution>"``; the more special wins.
        ensembles: made of the suite's models; planned behind them.
        matrix_for: axes that have other values for one model, by model name: a block (in the file
            a table), or several (an array of tables), whose combinations are added up.
        families: axes within each of which configurations are compared, all else being equal; the
            first gives the letters of a table.
        lungs: what finds the lungs for preprocessing variants that need them.
        run_all: whether ``run --all`` runs it.
        budget_minutes: nominal minutes on two CPU cores; the models named in the file and then the
            cheapest others are taken while they fit.
    """

    name: str
    title: str
    description: str
    matrix: dict[str, list]
    recipe: dict[str, Any] = field(default_factory=dict)
    recipe_for: dict[str, dict[str, Any]] = field(default_factory=dict)
    matrix_for: dict[str, list[dict[str, list]]] = field(default_factory=dict)
    ensembles: tuple[Ensemble, ...] = ()
    families: tuple[str, ...] = DEFAULT
    lungs: LungNetwork = LungNetwork()
    run_all: bool = True
    budget_minutes: float | None = None

    def models(self, known: Mapping[str, Any]) -> list[str]:
        """Names of the suite's models; ``*`` stands for every known one not named beside it.

        Named ones come first in the order of the file, also where a budget does not hold all.

        Raises:
            UnknownName: the suite names a model that is not known.
        """
        named = self.named_models
        of_recipes = (key.partition("@")[0] for key in self.recipe_for)
        for name in (*named, *self.matrix_for, *of_recipes):
            if name not in (ALL_MODELS, *known):
                where = "--models" if self.name == MATRIX else f"suite {self.name}"
                raise UnknownModel(f"model in {where}", name, known)
        rest = sorted(known) if ALL_MODELS in self.matrix["models"] else []
        return list(dict.fromkeys([*named, *rest]))

    @property
    def named_models(self) -> list[str]:
        """The models that the file names, without what ``*`` stands for."""
        return [name for name in self.matrix["models"] if name != ALL_MODELS]

    @property
    def datasets(self) -> list[tuple[str, str]]:
        """Data set and protocol of each entry."""
        parts = (entry.partition("@") for entry in self.matrix["datasets"])
        return [(name, protocol or PUBLISHED) for name, _, protocol in parts]

    def with_datasets(self, name: Callable[[str], str]) -> Suite:
        """The same with its data sets called as ``name`` says."""
        entries = (entry.partition("@") for entry in self.matrix["datasets"])
        named = [f"{name(given)}{sign}{protocol}" for given, sign, protocol in entries]
        return replace(self, matrix={**self.matrix, "datasets": named})

    def narrowed(self, matrix: dict[str, list]) -> Suite:
        """The same with other values of its axes, for its models alone."""
        return replace(self, matrix=matrix, matrix_for={}, ensembles=(), budget_minutes=None)

    def every_variant(self) -> list[Variant]:
        """The variants of all models that have any of their own, and of the others."""
        return [v for model in (ALL_MODELS, *self.matrix_for) for v in self.variants(model)]

    def recipe_values(self, model: str, resolution: int) -> list[dict[str, Any]]:
        """Recipe values for a model at a size, the most general first."""
        keys = (f"{ALL_MODELS}@{resolution}", model, f"{model}@{resolution}")
        return [self.recipe, *(self.recipe_for.get(key, {}) for key in keys)]

    def variants(self, model: str) -> list[Variant]:
        """Every combination of the image axes for a model.

        Raises:
            UserError: a scheme cannot begin from the weights beside it.
        """
        return [variant for variant, _ in self.points(model)]

    def seeds(self, model: str) -> list[int]:
        """The seeds of any of a model's variants."""
        return list(dict.fromkeys(seed for _, seeds in self.points(model) for seed in seeds))

    def points(self, model: str) -> list[tuple[Variant, list[int]]]:
        """Every variant of a model, once, with its seeds.

        Raises:
            UserError: a scheme cannot begin from the weights beside it.
        """
        fields = ["resolution" if axis == "resolutions" else axis for axis in IMAGE_AXES]
        found: dict[tuple, dict[int, None]] = defaultdict(dict)
        for block in self.matrix_for.get(model, [{}]):
            matrix = self.matrix | block
            for values in product(*(matrix[axis] for axis in IMAGE_AXES)):
                found[values] |= dict.fromkeys(matrix["seeds"])
        points = [
            (dict(zip(fields, values, strict=True)), [*seeds]) for values, seeds in found.items()
        ]
        for variant, _ in points:
            variant["weights"] = variant["weights"] or usual_weights(variant["scheme"])
            check_together(variant["scheme"], variant["weights"])
        return points

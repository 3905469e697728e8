"""Suite files: what they may say, read and checked. Imports no TensorFlow."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.data.preprocessing import AXIS as PREPROCESSING
from benchmark.errors import UnknownModel, UnknownName, UserError, quoted
from benchmark.models import NORMALISATIONS
from benchmark.protocols import find
from benchmark.spec import MATRIX, PUBLISHED
from benchmark.suites.ensembles import Ensemble, read_ensembles
from benchmark.suites.families import DEFAULT, read_families
from benchmark.suites.reading import read_toml, said_of
from benchmark.training.imbalance import AXIS as IMBALANCE
from benchmark.training.recipe import check_recipe, make_recipe
from benchmark.training.recipes import with_named
from benchmark.training.weights import check_scheme, check_together, check_weights, usual_weights

FOLDER = Path(__file__).parent
AXES = {
    "datasets": str,
    "models": str,
    "resolutions": int,
    "preprocessing": str,
    "normalisation": str,
    "imbalance": str,
    "scheme": str,
    "weights": str,
    "augmentation": str,
    "seeds": int,
}
IMAGE_AXES = tuple(axis for axis in AXES if axis not in ("datasets", "models", "seeds"))
BLOCK_AXES = (*IMAGE_AXES, "seeds")
"""What a model may have values of its own of."""
DEFAULTS: dict[str, list] = {
    "preprocessing": ["raw"],
    "normalisation": ["unit"],
    "imbalance": ["none"],
    "scheme": ["scratch"],
    "weights": [""],  # that which the scheme usually begins from
    "augmentation": ["none"],
    "seeds": [0, 1, 2],
}
LARGEST_SEED = 2**32 - 1
"""Of what NumPy and Keras take as a seed."""
LARGEST_SIDE = 4096
"""No X-ray is larger, and a mistyped size must not be planned as if it could be run."""


def check_seed(seed: int) -> None:
    """Raise a UserError for a seed that random number generators do not take."""
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"a seed is a whole number from 0 to {LARGEST_SEED}, not {seed}")


def check_resolution(side: int) -> None:
    """Raise a UserError for an image side that is none, in px."""
    if not isinstance(side, int) or not 1 <= side <= LARGEST_SIDE:
        raise UserError(f"a resolution is from 1 to {LARGEST_SIDE} px, not {side!r}")


def check_normalisation(name: str) -> None:
    """Raise an UnknownName for a normalisation that there is not."""
    if name not in NORMALISATIONS:
        raise UnknownName("normalisation", name, NORMALISATIONS)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "resolutions": check_resolution,
    "seeds": check_seed,
    "normalisation": check_normalisation,
    "preprocessing": PREPROCESSING.find,
    "imbalance": IMBALANCE.find,
    "scheme": check_scheme,
    "weights": check_weights,
    "augmentation": AUGMENTATIONS.find,
}
"""Axes whose values are known here: another one must not run as if it meant something."""
KEYS = {"title", "description", "run_all", "budget_minutes", "matrix", "matrix_for", "recipe",
        "recipe_for", "ensembles", "lungs", "families"}  # fmt: skip
Variant = dict[str, Any]
"""Values of the image axes, as fields of a spec."""
TABLES = ("matrix", "matrix_for", "recipe", "recipe_for")
"""Keys that are tables."""
ALL_MODELS = "*"
NAME = re.compile(r"[A-Za-z0-9][\w-]*", re.ASCII)


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


def suites(folder: Path = FOLDER) -> dict[str, Path]:
    """Every suite file by suite name."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_suite(name: str | Path, folder: Path = FOLDER) -> Suite:
    """Read one suite.

    Args:
        name: of a suite that is here, or the path of a file of one's own, whose name is the
            suite's.
        folder: where the named ones are.

    Raises:
        UnknownName: there is no such suite, or the file has an unknown key or axis.
        UserError: the file cannot be read or a value has the wrong type; or a file of one's own has
            the name of another suite, or one that cannot be a suite's.
    """
    known = suites(folder)
    if isinstance(name, Path):
        if name.stem in known and not name.exists():
            raise UserError(f"there is no file {name}; the suite is --suite {name.stem}")
        check_suite_name(name.stem, known)
        path = name
    elif name in known:
        path = known[name]
    else:
        raise UnknownName("suite", name, known, "A file of your own: --suite FILE.toml.")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"suite file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: {error}") from None
    return parse_suite(path.stem, path, text)


def check_suite_name(name: str, known: Iterable[str] | None = None) -> None:
    """Raise a UserError where a suite of one's own cannot be called so.

    Args:
        known: names that are taken; by default of the suites that are here.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{quoted(name)} cannot be a suite's name: use letters, digits, _ and -")
    if name in (MATRIX, *(suites() if known is None else known)):
        raise UserError(f"{name!r} is the name of a suite of cxr-bench; choose another")


def parse_suite(name: str, path: object, text: str) -> Suite:
    """The suite that a TOML text is.

    Args:
        path: where the text stands, for messages.

    Raises:
        UnknownName, UserError: as :func:`load_suite`.
    """
    content = read_toml(path, text)
    for key in content:
        if key not in KEYS:
            raise UnknownName(f"key in {path}", key, KEYS)
    if isinstance(named := content.get("recipe"), str):
        content["recipe"] = {"name": named}
    _check_types(path, content)
    content |= _recipes(path, content)
    content["matrix"] = _matrix(path, content.get("matrix", {}))
    content["matrix_for"] = _blocks(path, content.get("matrix_for", {}))
    content["ensembles"] = read_ensembles(path, content.get("ensembles", []))
    content["families"] = read_families(path, content.get("families", list(DEFAULT)))
    content["lungs"] = _lungs(path, content.get("lungs", {}))
    suite = Suite(**content | {"name": name})
    if ALL_MODELS not in suite.matrix["models"]:  # else the plan checks it, which knows them all
        for ensemble in suite.ensembles:
            ensemble.check_models(suite.named_models)
    for _, protocol in suite.datasets:
        said_of(path, find, protocol)
    _check_blocks(path, suite)
    for model in (*suite.matrix["models"], *suite.matrix_for):
        said_of(path, suite.variants, model)
    _check_recipes(path, suite)
    return suite


def _check_blocks(path: object, suite: Suite) -> None:
    """Refuse blocks of what the suite does not run; with ``*`` the plan knows all models."""
    if ALL_MODELS in (*suite.matrix_for, *suite.recipe_for):
        raise UserError(
            f"{path}: what is said of all models stands in [matrix] and [recipe], not under '*'"
            ' of matrix_for or recipe_for; a recipe for one size under recipe_for."*@64"'
        )
    models = suite.matrix["models"]
    blocks = [("matrix_for", model) for model in suite.matrix_for]
    blocks += [("recipe_for", key.partition("@")[0]) for key in suite.recipe_for]
    for table, model in blocks:
        if not {ALL_MODELS, model} & {*models} and (table, model) != ("recipe_for", ALL_MODELS):
            raise UnknownName(
                f"model in {table} of {path}", model, models, "The suite runs no other; name it in "
                "models, or take the block out.",
            )  # fmt: skip


def _check_recipes(path: object, suite: Suite) -> None:
    """Refuse values of recipes that cannot be, each for itself and then as a model has them."""
    said_of(path, check_recipe, suite.recipe)
    for key, values in suite.recipe_for.items():
        said_of(f"{path}, recipe_for.{key}", check_recipe, values)
        model, at, size = key.partition("@")
        variants = suite.every_variant() if model == ALL_MODELS else suite.variants(model)
        sizes = {str(variant["resolution"]) for variant in variants}
        if at and size not in sizes:
            raise UnknownName(f"resolution in recipe_for of {path}", size, sizes)
    for model in (*suite.matrix["models"], *suite.matrix_for):
        for size in {variant["resolution"] for variant in suite.variants(model)}:
            where = f"{path}, {model} at {size} px"
            said_of(where, make_recipe, *suite.recipe_values(model, size))


def _check_types(path: object, content: dict[str, Any]) -> None:
    for key in ("title", "description"):
        if not isinstance(content.get(key), str):
            raise UserError(f"{path}: needs a {key}, as text")
    tables = {key: content[key] for key in TABLES if key in content}
    if isinstance(by_model := content.get("recipe_for"), dict):
        tables |= {f"recipe_for.{model}": value for model, value in by_model.items()}
    for key, value in tables.items():
        if not isinstance(value, dict):
            raise UserError(f"{path}: {key} must be a table, not {value!r}")
    if type(content.get("run_all", True)) is not bool:
        raise UserError(f"{path}: run_all must be true or false")
    budget = content.get("budget_minutes", 1)
    if type(budget) not in (int, float) or not 0 < budget < math.inf:
        raise UserError(
            f"{path}: budget_minutes must be a number above zero, not {budget!r}; a suite without "
            "it has no budget"
        )


def _recipes(path: object, content: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a file that hold recipes, with the values of those that they name."""

    def full(values: Mapping[str, Any]) -> dict[str, Any]:
        return said_of(path, with_named, values)

    by_model = {model: full(values) for model, values in content.get("recipe_for", {}).items()}
    return {"recipe": full(content.get("recipe", {})), "recipe_for": by_model}


def _lungs(path: object, given: Any) -> LungNetwork:
    keys = {field.name: field.default for field in fields(LungNetwork)}
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise UserError(f"{path}: lungs must be a table with suite and model, both text")
    for key in given:
        if key not in keys:
            raise UnknownName(f"key of lungs in {path}", key, keys)
    return LungNetwork(**given)


def _matrix(path: object, given: dict[str, Any]) -> dict[str, list]:
    _check_axes(path, given, AXES)
    matrix = DEFAULTS | given
    missing = [axis for axis in AXES if not matrix.get(axis)]
    if missing:
        raise UserError(f"{path}: the matrix has no {', '.join(missing)}")
    return {axis: matrix[axis] for axis in AXES}


def _blocks(path: object, given: Mapping[str, Any]) -> dict[str, list[dict[str, list]]]:
    """A model's own axes, as a list of blocks also where the file has one table."""
    by_model = {m: [blocks] if isinstance(blocks, dict) else blocks for m, blocks in given.items()}
    for model, blocks in by_model.items():
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise UserError(
                f"{path}: matrix_for.{model} must be a table or several, not {blocks!r}"
            )
        for block in blocks:
            _check_axes(path, block, BLOCK_AXES)
            if empty := [axis for axis, values in block.items() if not values]:
                raise UserError(f"{path}: matrix_for.{model} has no {', '.join(empty)}")
    return by_model


def _check_axes(path: object, given: dict[str, Any], axes: Iterable[str]) -> None:
    for axis, values in given.items():
        if axis not in axes:
            raise UnknownName(f"axis in {path}", axis, axes)
        if not isinstance(values, list) or not all(type(v) is AXES[axis] for v in values):
            raise UserError(f"{path}: {axis} must be a list of {AXES[axis].__name__}")
        for value in values:
            said_of(path, CHECKS.get(axis, str), value)

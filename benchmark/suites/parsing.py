"""The text of a suite file as a suite, every value checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from benchmark.errors import UnknownName, UserError, in_toml
from benchmark.protocols import find
from benchmark.suites.axes import AXES, BLOCK_AXES, CHECKS, DEFAULTS
from benchmark.suites.ensembles import read_ensembles
from benchmark.suites.families import DEFAULT, read_families
from benchmark.suites.reading import read_toml, said_of
from benchmark.suites.suite import ALL_MODELS, LungNetwork, Suite
from benchmark.training.recipe import check_recipe, make_recipe
from benchmark.training.recipes import with_named

KEYS = {"title", "description", "run_all", "budget_minutes", "matrix", "matrix_for", "recipe",
        "recipe_for", "ensembles", "lungs", "families"}  # fmt: skip
TABLES = ("matrix", "matrix_for", "recipe", "recipe_for")
"""Keys that are tables."""


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
            raise UserError(f"{path}: {key} must be a table, not {in_toml(value)}")
    if type(run_all := content.get("run_all", True)) is not bool:
        raise UserError(f"{path}: run_all must be true or false, not {in_toml(run_all)}")
    budget = content.get("budget_minutes", 1)
    if type(budget) not in (int, float) or not 0 < budget < math.inf:
        raise UserError(
            f"{path}: budget_minutes must be a number above zero, not {in_toml(budget)}; a suite "
            "without it has no budget"
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
                f"{path}: matrix_for.{model} must be a table or several, not {in_toml(blocks)}"
            )
        for block in blocks:
            _check_axes(f"{path}, matrix_for.{model}", block, BLOCK_AXES)
            if empty := [axis for axis, values in block.items() if not values]:
                raise UserError(f"{path}: matrix_for.{model} has no {', '.join(empty)}")
    return by_model


def _check_axes(where: object, given: dict[str, Any], axes: Iterable[str]) -> None:
    for axis, values in given.items():
        if axis not in axes:
            raise UnknownName(f"axis in {where}", axis, axes)
        if not isinstance(values, list) or not all(type(v) is AXES[axis] for v in values):
            wanted = {int: "whole numbers", str: "texts"}[AXES[axis]]
            raise UserError(f"{where}: {axis} must be a list of {wanted}, not {in_toml(values)}")
        for value in values:
            said_of(where, CHECKS.get(axis, str), value)

"""Named recipes: one TOML file each, found by name. Imports no framework.

A suite says ``name`` among the values of a recipe and may say others beside it, which win. A spec
has all values and the name, so that a file that changes later changes no spec that was run. A file
has ``title``, ``description``, ``source`` (whose practice it follows) and ``[values]``, those of
:class:`benchmark.training.recipe.Recipe` that differ from its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import UnknownName, UserError, in_toml
from benchmark.training.recipe import Recipe, make_recipe
from tfds_builders.encodings import NoText, utf8_text

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe as its file has it.

    Attributes:
        title, description, source: for people.
        values: its values, the name not among them.
    """

    title: str
    description: str
    source: str
    values: Mapping[str, Any]


def names(folder: Path = FOLDER) -> list[str]:
    """Every named recipe, in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.toml"))


@cache
def find(name: str, folder: Path = FOLDER) -> NamedRecipe:
    """The recipe called ``name``.

    Raises:
        UnknownName: there is none, or its file has an unknown key; lists the choices.
        UserError: its file cannot be read, or lacks something.
    """
    if name not in (known := names(folder)):
        raise UnknownName("recipe", name, known)
    path = folder / f"{name}.toml"
    try:
        content = tomllib.loads(utf8_text(path.read_bytes()))
    except (tomllib.TOMLDecodeError, NoText) as error:
        raise UserError(f"{path}: {error}") from None
    keys = {field.name: dict if field.name == "values" else str for field in fields(NamedRecipe)}
    for key in content:
        if key not in keys:
            raise UnknownName(f"key in {path}", key, keys)
    if wrong := [key for key, kind in keys.items() if not isinstance(content.get(key), kind)]:
        raise UserError(f"{path}: lacks {', '.join(wrong)} (or has them of a wrong type)")
    if "name" in content["values"]:
        raise UserError(f"{path}: a recipe is named by its file, not by a value")
    make_recipe(content["values"])
    return NamedRecipe(**content)


def with_named(values: Mapping[str, Any], folder: Path = FOLDER) -> dict[str, Any]:
    """Values of a recipe, above those of the named one that they name, if any.

    Raises:
        UnknownName: there is no recipe of that name.
        UserError: the name is no text, or the recipe's file is at fault.
    """
    if not (name := values.get("name", "")):
        return dict(values)
    if not isinstance(name, str):
        raise UserError(f"recipe: name must be text, not {in_toml(name)}")
    return {**find(name, folder).values, **values}


def differing(said: Mapping[str, Any]) -> dict[str, Any]:
    """Of the recipe of a spec its name, and the values that the named recipe does not have.

    All of it where it has no name, or one that is not known here.
    """
    if (name := said.get("name", "")) not in names():
        return dict(said)
    usual = {field.name: field.default for field in fields(Recipe) if field.name != "precision"}
    own = {**usual, **find(name).values}
    return {key: value for key, value in {**usual, **said}.items() if value != own.get(key)}

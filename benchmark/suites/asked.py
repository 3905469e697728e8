"""Suites that a person asks for by naming axes: to run at once, or as a file to edit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from benchmark.spec import MATRIX
from benchmark.suites.parsing import parse_suite
from benchmark.suites.suite import Suite

TEXT = """title = {title}
description = {description}

[matrix]
{axes}

[recipe]
# How to train; its values, and the named recipes, are in docs/suites.md.
{recipe}"""


def suite_text(
    matrix: Mapping[str, Sequence[str | int]], recipe: str = "", *, title: str, description: str
) -> str:
    """The file of a suite.

    Args:
        matrix: values of its axes; those without any are left out, which means the usual ones.
        recipe: name of a recipe; empty for the usual values.
    """
    axes = "\n".join(f"{axis} = {_written(list(v))}" for axis, v in matrix.items() if v)
    named = f"name = {_written(recipe)}\n" if recipe else ""
    return TEXT.format(
        title=_written(title), description=_written(description), axes=axes, recipe=named
    )


def matrix_suite(matrix: Mapping[str, Sequence[str | int]], recipe: str = "") -> Suite:
    """The suite of a command line without a file; its rows say that they are of such a one.

    Raises:
        UnknownName, UserError: a value cannot be, or an axis that has no usual values lacks some.
    """
    text = suite_text(matrix, recipe, title="Asked for on the command line", description="")
    return parse_suite(MATRIX, "command line", text)


def _written(value: str | list) -> str:
    return json.dumps(value, ensure_ascii=False)  # such texts and lists are TOML, too

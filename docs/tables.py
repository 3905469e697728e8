"""Write the tables of the pages that tell what a suite may name: ``python docs/tables.py``.

They are made of what the files of an axis and the kinds of ensembles say of themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.kinds.ensemble import ways
from benchmark.report.dictionary import dictionary
from benchmark.task import KINDS
from benchmark.training.imbalance import AXIS as POLICIES
from benchmark.training.recipes import find as find_recipe
from benchmark.training.recipes import names as recipe_names
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.weight_sources import AXIS as SOURCES
from benchmark.training.weight_sources import written

FOLDER = Path(__file__).parent
Table = list[tuple[str, ...]]
"""Lines of cells, the header first."""


def policies() -> Table:
    """The axis ``imbalance``."""

    def tasks(names: Sequence[str]) -> str:
        return "all" if set(names) == set(KINDS) else ", ".join(names)

    return [("policy", "what it does", "tasks")] + [
        (f"`{name}`", _said(policy.card["description"]), tasks(policy.card["tasks"]))
        for name, policy in POLICIES.discover().items()
    ]


def augmentations() -> Table:
    """The axis ``augmentation``."""
    return [("augmentation", "what it does", "moves masks")] + [
        (f"`{name}`", _said(policy.card["description"]), "yes" if policy.card["masks"] else "no")
        for name, policy in AUGMENTATIONS.discover().items()
    ]


def schemes() -> Table:
    """The axis ``scheme``, and the ``weights`` that each begins from, the usual ones first."""
    found: Table = [("scheme", "what it does", "begins from `weights`")]
    for name, scheme in SCHEMES.discover().items():
        card = scheme.card
        fit = [s for s in SOURCES.discover().values() if s.card["gives"] in card["begins_from"]]
        fit.sort(key=lambda source: source.name != card["usual"])
        weights = ", ".join(f"`{written(source)}`" for source in fit)
        found.append((f"`{name}`", _said(card["description"]), weights))
    return found


def recipes() -> Table:
    """What a suite may give as the ``name`` of a recipe."""
    found: Table = [("recipe", "what it is for", "values", "sources")]
    for name in recipe_names():
        recipe = find_recipe(name)
        values = ", ".join(f"{key} = {value}" for key, value in recipe.values.items())
        found.append((f"`{name}`", _said(recipe.description), f"`{values}`", recipe.source))
    return found


def ensembles() -> Table:
    """What a suite may give as the ``kind`` of an ensemble."""
    found: Table = [("kind", "what it does", "needs")]
    for name, (kind, way) in ways().items():
        saved = "saved weights" if kind.needs_weights else "saved predictions"
        images = ", images" if kind.needs_weights or way.trains else ""
        found.append((f"`{name}`", _said(way.description), saved + images))
    return found


def columns() -> Table:
    """Every column of tables and files."""
    found: Table = [("column", "above it", "what it holds")]
    for each in dictionary():
        found.append((f"`{each.name}`", each.header.replace("|", "/"), each.meaning))
    return found


PAGES: dict[str, tuple[Callable[[], Table], ...]] = {
    "suites.md": (policies, augmentations, schemes, recipes),
    "ensembles.md": (ensembles,),
    "columns.md": (columns,),
}


def texts() -> dict[str, str]:
    """Name of a page -> its text, with its tables as the code has them."""
    return {name: _filled(name, [table() for table in tables]) for name, tables in PAGES.items()}


def _filled(name: str, tables: Sequence[Table]) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for header, *lines in tables:
        rule = "|" + "---|" * len(header)
        made = "".join(f"{line}\n" for line in (_line(header), rule, *map(_line, lines)))
        pattern = rf"^{re.escape(_line(header))}\n(\|.*\n)*"
        text, n = re.subn(pattern, lambda _, table=made: table, text, flags=re.MULTILINE)
        assert n == 1, f"{name} has {n} tables that begin with {_line(header)}"
    return text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said(description: str) -> str:
    return description[0].lower() + description[1:].removesuffix(".")


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

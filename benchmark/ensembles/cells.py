"""Cells of ensembles: made from their members' cells, and back."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from benchmark.ensembles.declaration import Ensemble
from benchmark.errors import UserError
from benchmark.suites.cell import Cell

_OWN = ("model", "seed", "ensemble")
_VARIANT = ("resolution", "preprocessing", "normalisation", "imbalance", "weights", "augmentation")


def ensemble_cells(
    ensemble: Ensemble,
    members: Mapping[str, Sequence[Cell]],
    fixed: Container[str],
    training: Callable[[Cell], Mapping[str, Any]],
) -> list[Cell]:
    """The cells of an ensemble: one for each variant and seed of its members.

    Args:
        members: cells of each member on one data set. A member with one variant only, such as a
            model that sees no image, stands beside every variant of the others.
        fixed: members without chance in them; their one seed stands beside every seed.
        training: gives the fields of an ensemble's own cell that are about what it trains itself,
            from the cell of a member.

    Raises:
        UserError: a member is not run in a variant in which another one is.
    """
    leading = max(
        members,
        key=lambda name: (members[name][0].resolution > 0, name not in fixed, len(members[name])),
    )
    cells = []
    for each in members[leading]:
        base = replace(each, model=ensemble.name, **training(each))
        told = {
            name: _differences(base, _partner(each, candidates, name in fixed), name in fixed)
            for name, candidates in members.items()
        }
        cells.append(replace(base, ensemble=ensemble.rule | {"members": told}))
    return cells


def member_cells(cell: Cell) -> dict[str, Cell]:
    """The cells that an ensemble's cell is made of, by name of their model, sorted."""
    return {
        name: replace(cell, **{"ensemble": None, "model": name} | differences)
        for name, differences in sorted(cell.ensemble["members"].items())
    }


def _partner(cell: Cell, candidates: Sequence[Cell], fixed: bool) -> Cell:
    """The candidate of the same variant and seed."""
    one_variant = len({_variant(candidate) for candidate in candidates}) == 1
    for candidate in candidates:
        same = one_variant or _variant(candidate) == _variant(cell)
        if same and (fixed or candidate.seed == cell.seed):
            return candidate
    raise UserError(
        f"an ensemble of {cell.model} and {candidates[0].model} cannot be made: there is no cell "
        f"of {candidates[0].model} with {', '.join(map(str, _variant(cell)))}, seed {cell.seed}"
    )


def _variant(cell: Cell) -> tuple:
    return tuple(getattr(cell, axis) for axis in _VARIANT)


def _differences(base: Cell, member: Cell, fixed: bool) -> dict[str, Any]:
    """What tells a member from its ensemble, so that the cells of all seeds say the same."""
    values = {
        field.name: getattr(member, field.name)
        for field in fields(Cell)
        if field.name not in _OWN and getattr(member, field.name) != getattr(base, field.name)
    }
    return values | ({"seed": member.seed} if fixed else {})

"""What predictions made elsewhere must not do to a results folder: asked before one is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from benchmark.errors import UserError
from benchmark.kinds.external_run import Entry
from benchmark.records.one_model import (
    another_model,
    first_alike,
    same_predictions,
    several_without_chance,
)
from benchmark.records.predictions import Predictions
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.scoring.stored import predictions_of


def check_entries(
    entries: Sequence[Entry], results: Results, ours: Collection[str], *, replace: bool
) -> None:
    """Refuse entries of one name that cannot stand beside what is there, or beside each other.

    Args:
        entries: of one call, of different seeds.
        results: the folder that they are to be entered into; nothing in it is changed.
        ours: names of models and ensembles that are trained here.
        replace: whether earlier entries of the same name and seed give way.

    Raises:
        UserError: the name is of a model that is trained here, or taken; seeds are not of one model
            as far as is known; one without chance has several; or two have the same predictions.
    """
    there = [row for row in results.rows() if row.done]
    trained = {row.spec.model for row in there if row.external is None}
    first = entries[0].row
    _refuse_our_name(first.spec.model, {*ours, *trained})
    called = {row.spec_id: row for row in there if row.config_id == first.config_id}
    ids = [entry.row.spec_id for entry in entries]
    if not replace:
        _refuse_taken([called[spec_id] for spec_id in ids if spec_id in called])
    others = [row for spec_id, row in called.items() if spec_id not in ids]
    together = [entry.row for entry in entries] + others
    _refuse_another_model(together)
    _refuse_chance(together)
    _refuse_copies(entries, others, results)


def _refuse_our_name(name: str, ours: Collection[str]) -> None:
    if name.casefold() in {each.casefold() for each in ours}:
        raise UserError(
            f"{name!r} is the name of a model that is trained here: give another one by --name, or "
            "what was made elsewhere would pass for it"
        )


def _refuse_taken(taken: Sequence[Row]) -> None:
    if taken:
        seeds = ", ".join(str(row.spec.seed) for row in taken)
        raise UserError(
            f"the name {taken[0].spec.model!r} is taken on this data set, seed {seeds}. Give "
            "another one by --name, another --seed of the same model, or --replace the entry"
        )


def _refuse_another_model(together: Sequence[Row]) -> None:
    if why := another_model(together):
        raise UserError(f"{_named(together)}: {why}; give another model its own --name")


def _refuse_chance(together: Sequence[Row]) -> None:
    if why := several_without_chance(together):
        raise UserError(
            f"{_named(together)}: {why}; one with chance is entered without --deterministic"
        )


def _named(together: Sequence[Row]) -> str:
    return repr(together[0].spec.model)


def _refuse_copies(entries: Sequence[Entry], others: Sequence[Row], results: Results) -> None:
    rows = [*(entry.row for entry in entries), *others]
    tests = [entry.predictions.part("test") for entry in entries]
    tests += [_test_of(row, results) for row in others]
    if alike := first_alike(tests):
        one, other = (rows[place] for place in alike)
        raise UserError(
            f"{_named([one])}: {same_predictions(one, other)}; then enter one of them, with "
            "--deterministic"
        )


def _test_of(row: Row, results: Results) -> Predictions:
    return predictions_of(results, row).part("test")

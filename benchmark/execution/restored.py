"""A finished row's network, with the weights that its run saved."""

from __future__ import annotations

import keras

from benchmark.ensembles.members import Member
from benchmark.execution.image_model import fresh_model
from benchmark.models import ModelFile, NotApplicable
from benchmark.records.store import Results
from benchmark.task import Task


def restored(
    name: str, member: Member, model_file: ModelFile, task: Task, results: Results
) -> keras.Model:
    """The network of an ensemble's member as it was trained.

    Raises:
        NotApplicable: its weights are not there; says how to get them.
    """
    check_saved(name, member, results)
    model = fresh_model(member.cell, model_file, task)
    model.load_weights(results.weights_path(member.cell.cell_id))
    return model


def check_saved(name: str, member: Member, results: Results) -> None:
    """Raise a NotApplicable where the weights of a member are not there."""
    path = results.weights_path(member.cell.cell_id)
    if not path.is_file():
        raise NotApplicable(
            f"the weights of its member {name} are not in {path.parent}: they are not published "
            f"with a row. Run it again: --rerun all --filter model={name}"
        )

"""A finished row's network, with the weights that its run saved."""

from __future__ import annotations

from pathlib import Path

import keras

from benchmark.ensembles.members import Member
from benchmark.execution.image_model import fresh_model
from benchmark.execution.starting_weights import check_saved_weights
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
    path = check_saved(name, member, results)
    model = fresh_model(member.spec, model_file, task)
    model.load_weights(path)
    return model


def check_saved(name: str, member: Member, results: Results) -> Path:
    """The saved weights of a member.

    Raises:
        NotApplicable: they are not there.
        UserError: they are not those that its run saved.
    """
    path = results.weights_path(member.spec.spec_id)
    if not path.is_file():
        raise NotApplicable(
            f"the weights of its member {name} are not in {path.parent}: they are not published "
            f"with a row. Run it again: --rerun all --filter model={name}"
        )
    check_saved_weights(member.row, path)
    return path

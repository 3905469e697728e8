"""The rows that an ensemble is made of: what they are now, and their predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.data.prepared import ManifestPart
from benchmark.ensembles.selection import best_members
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.models import NotApplicable
from benchmark.records.predictions import Predictions, read_predictions
from benchmark.records.row import Made, Row
from benchmark.records.store import Results
from benchmark.spec import Spec


class MembersDiffer(UserError):
    """Predictions that do not belong together; the text names the file and the first fault."""


@dataclass(frozen=True)
class Member:
    """A finished row and its predictions of all splits."""

    row: Row
    predictions: Predictions

    @property
    def spec(self) -> Spec:
        """What it was asked to be."""
        return self.row.spec

    @property
    def used(self) -> Made:
        """What of it an ensemble stands on."""
        row = self.row
        return Made(
            spec_id=row.spec_id,
            predictions_sha256=row.predictions_sha256,
            weights_sha256=row.weights_sha256,
        )


Members = dict[str, Member]
"""By name of their model."""


def read_members(spec: Spec, results: Results, parts: Mapping[str, ManifestPart]) -> Members:
    """The members of an ensemble by name, each with predictions of exactly these images.

    Raises:
        NotApplicable: a member has not been run or did not finish; it is named with its reason.
        MembersDiffer: a member's predictions are of other images, or not those that its run wrote.
    """
    return {name: _read(name, each, results, parts) for name, each in spec.members.items()}


def best_of(members: Members, k: int) -> Members:
    """The ``k`` best members by validation, best first."""
    best = best_members({name: member.predictions for name, member in members.items()}, k)
    return {name: members[name] for name in best}


def _read(name: str, spec_id: str, results: Results, parts: Mapping[str, ManifestPart]) -> Member:
    row = results.read_row(spec_id)
    if row is None:
        raise NotApplicable(f"waits for its member {name} (spec {spec_id}), not run yet")
    if not row.done:
        ending = row.status.replace("_", " ")
        raise NotApplicable(f"its member {name} (spec {spec_id}) is {ending}: {row.reason}")
    path = results.predictions_of(row)
    predictions = read_predictions(path, row.dataset.task.kind)
    if sha256_of_file(path) != row.predictions_sha256:
        raise MembersDiffer(
            f"{path}: the predictions of member {name} were changed after its run; run it again "
            f"with --rerun all --filter model={name}"
        )
    for split, part in parts.items():
        _check_images(
            f"{path}: member {name}, {split}:", predictions.part(split).image_id, part.image_id
        )
    return Member(row, predictions)


def _check_images(whose: str, found: np.ndarray, wanted: np.ndarray) -> None:
    """Rows are joined by position, so the ids must be the same, one by one."""
    if np.array_equal(found, wanted):
        return
    strange, missing = sorted({*found} - {*wanted}), sorted({*wanted} - {*found})
    fault = "the same ones in another order, or one twice"
    if strange or missing:
        fault = f"{len(missing)} are missing, {len(strange)} are not expected"
        fault += f", such as {str((strange or missing)[0])!r}"
    raise MembersDiffer(f"{whose} its images are not those of the ensemble: {fault}")

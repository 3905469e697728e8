"""An ensemble about to be run: its members' predictions and, where it needs them, networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.indexed_images import Images
from benchmark.data.prepared import SPLITS
from benchmark.ensembles.members import Member, Members, read_members
from benchmark.kinds.ensemble import EnsembleFile
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import NotApplicable
from benchmark.spec import MEMBER
from benchmark.training.starting_weights import check_saved_weights

if TYPE_CHECKING:  # a vote needs no Keras
    import keras


@dataclass(frozen=True)
class EnsembleJob:
    """The job of an ensemble's spec, and its members by name of their model."""

    job: SpecJob
    members: Members

    @classmethod
    def of(cls, job: SpecJob) -> EnsembleJob:
        """The job with its members' predictions.

        Raises:
            NotApplicable: a member did not finish.
            benchmark.ensembles.members.MembersDiffer: predictions of one are of other images.
        """
        parts = {split: job.data[split].part for split in SPLITS}
        with job.phases.phase("read"):
            return cls(job, read_members(job.spec, job.context.results, parts))

    @property
    def file(self) -> EnsembleFile:
        """What stands for its model file."""
        assert isinstance(self.job.model_file, EnsembleFile)  # planned so for every ensemble
        return self.job.model_file

    def images(self, member: Member) -> dict[str, Images]:
        """The images of each split as a member sees them, uint8 (N, S, S)."""
        return self.job.images(member.spec)

    def saved(self, name: str) -> Path:
        """The saved weights of a member.

        Raises:
            NotApplicable: they are not there; says how to get them.
            UserError: they are not those that its run saved.
        """
        row = self.members[name].row
        path = self.job.context.results.weights_path(row.spec_id)
        if not path.is_file():
            raise NotApplicable(
                f"the weights of its member {name} are not in {path.parent}: they are not "
                f"published with a row. Run it again: --rerun all --filter model={name}"
            )
        check_saved_weights(row, path)
        return path

    def network(self, name: str) -> keras.Model:
        """The network of a member as it was trained; raises as :meth:`saved` does."""
        from benchmark.training.network import fresh_model, load_weights

        path, file = self.saved(name), self.file.models[name]
        model = fresh_model(self.members[name].spec, file, self.job.prepared.task)
        load_weights(model, path)
        return model

    def told(self, outcome: Outcome) -> Outcome:
        """An outcome with what the members had to do with it."""
        outcome.made_from |= {MEMBER + name: member.used for name, member in self.members.items()}
        marks = {mark for member in self.members.values() for mark in member.row.watermarks}
        outcome.watermarks += sorted(marks)
        return outcome

    @property
    def parameters(self) -> int:
        """Of all members together."""
        return parameters(self.members)


def parameters(members: Members) -> int:
    """Of these members together."""
    return sum(member.row.model.parameters or 0 for member in members.values())

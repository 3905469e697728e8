"""What a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.errors import UserError
from benchmark.machine.devices import Device
from benchmark.models import ModelFile
from benchmark.planning.shards import Shard
from benchmark.records.door import OtherFormat
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.training.starting_weights import WeightSources


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made from; of the machines that carry it out only what they cannot do.

    Attributes:
        model_files: every known model by name.
        prepared: facts of each data set the suites name, or why there are none.
        results: where rows of earlier runs are.
        limit: at most so many images of each split; None for all.
        weights_dirs: folders of published weight files, beside the usual ones.
        precision: Keras dtype policy in place of the recipes' own; None for these.
        no_test: whether test images are left alone.
        devices: accelerators of the slots, as far as they are known; none on CPUs.
        shard: the part of the specs that is planned; None for all.
    """

    model_files: Mapping[str, ModelFile]
    prepared: Mapping[str, Prepared | NotPrepared]
    results: Results
    limit: int | None = None
    weights_dirs: tuple[Path, ...] = ()
    precision: str | None = None
    no_test: bool = False
    devices: tuple[Device, ...] = ()
    shard: Shard | None = None

    @cached_property
    def written(self) -> dict[str, int]:
        """When each row was written; see :meth:`Results.written`."""
        return self.results.written()

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The rows that there are, by id; a damaged file is as none.

        Raises:
            OtherFormat: another version of this package wrote a row.
        """
        self.written  # noqa: B018, of before they are read: another run may write one meanwhile
        left_out: list[UserError] = []
        rows = {row.spec_id: row for row in self.results.rows(left_out)}
        for error in left_out:
            if isinstance(error, OtherFormat):
                raise error
        return rows

    @cached_property
    def weights(self) -> WeightSources:
        """Where specs take their first weights from."""
        return WeightSources(self.results, self.weights_dirs)

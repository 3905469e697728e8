"""Which trained network finds the lungs for a preprocessing variant. Imports no TensorFlow.

Of the networks in the results folder the one with the best validation Dice is taken, never one
whose training images may be in the test set it would prepare. A spec names it among what it
requires, so that its id tells whose masks it stands on.
"""

from __future__ import annotations

from functools import cache, cached_property

from msgspec.structs import replace

from benchmark.data import preprocessing as variants
from benchmark.data.prepared import Prepared
from benchmark.execution.code import is_current
from benchmark.models import discover
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.scoring.overlap import ALL
from benchmark.scoring.stored import stored_mask_scores
from benchmark.spec import LUNGS, Spec, requirement

HOW = "Train one: cxr-bench run --suite lungs"


class LungNetworks:
    """The trained segmentation networks of a results folder."""

    def __init__(self, results: Results):
        self._results = results
        # A suite asks a thousand times about a few variants; each answer reads their files.
        self._needs_lungs = cache(lambda name: variants.find(name).needs_lungs)

    def resolve(self, spec: Spec, prepared: Prepared) -> Spec:
        """The spec with the network that its preprocessing needs, where one is needed and there."""
        needed = self._needed(spec.preprocessing) and not prepared.holds_masks
        network = self._best(prepared) if needed else None
        if network is None:
            return spec
        return replace(spec, requires={**spec.requires, LUNGS: requirement(network.spec)})

    def why_none(self, spec: Spec, prepared: Prepared) -> str | None:
        """Why a spec has no network, and how to get one; None where it needs none or has one."""
        if LUNGS in spec.requires or not self._needed(spec.preprocessing):
            return None
        start = f"preprocessing {spec.preprocessing} needs lung masks, and"
        if not self._trained:
            return f"{start} no network in {self._results.folder} makes any. {HOW}"
        safe = [row for row in self._trained if _is_safe(row, prepared)]
        if not safe:
            sets = ", ".join(sorted({row.spec.dataset for row in self._trained}))
            return (
                f"{start} the networks here are trained on {sets}, which may hold test images of "
                f"{prepared.name}. {HOW}"
            )
        return (
            f"{start} the weights of {', '.join(row.spec_id for row in safe)} are not in "
            f"{self._results.folder / 'weights'}: they are not published with a row. "
            f"{HOW} --rerun all"
        )

    def _needed(self, preprocessing: str) -> bool:
        return bool(preprocessing) and self._needs_lungs(preprocessing)

    def _best(self, prepared: Prepared) -> Row | None:
        usable = [
            row
            for row in self._trained
            if _is_safe(row, prepared) and self._results.weights_path(row.spec_id).is_file()
        ]
        return max(usable, key=self._validation_dice, default=None)

    def _validation_dice(self, row: Row) -> tuple[float, str]:
        validation = stored_mask_scores(self._results, row).splits["validation"]
        return validation[ALL].overlaps["dice"], row.spec_id

    @cached_property
    def _trained(self) -> list[Row]:
        """Full runs of this package's models, as these are now, that saved weights."""
        known = discover()
        return [
            row
            for row in self._results.rows()
            if row.holds_masks
            and row.done
            and not row.watermarks
            and row.weights_sha256
            and row.spec.model in known
            and is_current(row, known[row.spec.model])
        ]


def _is_safe(row: Row, prepared: Prepared) -> bool:
    return prepared.name.partition("/")[0] not in (row.dataset.unsafe_for or ())

"""Which trained network finds the lungs for a preprocessing variant. Imports no TensorFlow.

A suite says ``lung_masked``; the cell says ``lung_masked@<cell id of the network's row>``, so that
its id tells whose masks it stands on. Of the networks in the results folder the one with the best
validation Dice is taken, never one whose training images may be in the test set it would prepare.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from benchmark.data import preprocessing as variants
from benchmark.data.prepared import Prepared
from benchmark.models import discover
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.scoring.overlap import ALL
from benchmark.scoring.stored import stored_scores

SEPARATOR = "@"
HOW = "Train one: cxr-bench run --suite lungs"


def unresolved(preprocessing: str) -> str:
    """The name of a variant without the network that makes its masks."""
    return preprocessing.partition(SEPARATOR)[0]


def network_of(preprocessing: str) -> str:
    """Cell id of the network that makes a variant's masks; empty where none does."""
    return preprocessing.partition(SEPARATOR)[2]


class LungNetworks:
    """The trained segmentation networks of a results folder."""

    def __init__(self, results: Results):
        self._results = results
        # A suite asks a thousand times about a few variants; each answer reads their files.
        self._needs_lungs = cache(lambda name: variants.find(name).needs_lungs)

    def resolve(self, variant: dict[str, Any], prepared: Prepared) -> dict[str, Any]:
        """Fields of a cell, with the network in ``preprocessing`` where one is needed and there."""
        name = variant["preprocessing"]
        needed = name and not prepared.holds_masks and self._needs_lungs(name)
        network = self._best(prepared) if needed else None
        if network is None:
            return variant
        return variant | {"preprocessing": f"{name}{SEPARATOR}{network['cell_id']}"}

    def why_none(self, preprocessing: str, prepared: Prepared) -> str | None:
        """Why a cell's variant has no network, and how to get one; None where it needs none."""
        needed = preprocessing and self._needs_lungs(unresolved(preprocessing))
        if not needed or network_of(preprocessing):
            return None
        start = f"preprocessing {preprocessing} needs lung masks, and"
        if not self._trained:
            return f"{start} no network in {self._results.folder} makes any. {HOW}"
        safe = [row for row in self._trained if _is_safe(row, prepared)]
        if not safe:
            sets = ", ".join(sorted({row["cell"]["dataset"] for row in self._trained}))
            return (
                f"{start} the networks here are trained on {sets}, which may hold test images of "
                f"{prepared.name}. {HOW}"
            )
        return (
            f"{start} the weights of {', '.join(row['cell_id'] for row in safe)} are not in "
            f"{self._results.folder / 'weights'}: they are not published with a row. "
            f"{HOW} --rerun all"
        )

    def _best(self, prepared: Prepared) -> Row | None:
        usable = [
            row
            for row in self._trained
            if _is_safe(row, prepared) and self._results.weights_path(row["cell_id"]).is_file()
        ]
        return max(usable, key=self._validation_dice, default=None)

    def _validation_dice(self, row: Row) -> tuple[float, str]:
        return stored_scores(self._results, row)["splits"]["validation"][ALL]["dice"], row[
            "cell_id"
        ]

    @cached_property
    def _trained(self) -> list[Row]:
        """Full runs of this package's models, as these are now, that saved weights."""
        rows = [row for row in self._results.rows() if is_segmentation(row)]
        done = [row for row in rows if row["status"] == "done" and not row["watermarks"]]
        current = {name: file.sha256 for name, file in discover().items()}
        return [
            row
            for row in done
            if row.get("weights_sha256")
            and current.get(row["cell"]["model"]) == row["model"]["sha256"]
        ]


def _is_safe(row: Row, prepared: Prepared) -> bool:
    return prepared.name.partition("/")[0] not in row["dataset"]["unsafe_for"]

"""Which rows of the table belong to a config, and what they say about its findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tfds_builders import alignment
from tfds_builders.padchest.table import Row

FRONTAL = ("PA", "AP", "AP_horizontal")
ALL = (*FRONTAL, "L", "COSTAL", "UNK")
_METASTASIS = "Lung Metastasis"
_NORMAL = "normal"
_UNUSABLE = ("exclude", "suboptimal study")


@dataclass(frozen=True)
class Selection:
    """What a config takes from the table.

    Attributes:
        labels: finding to the published labels, any one of which makes it present.
        binary: True for one finding against ``normal`` alone.
        projections: those taken.
        physician: True for rows labelled by physicians only.
    """

    labels: Mapping[str, tuple[str, ...]]
    binary: bool
    projections: tuple[str, ...]
    physician: bool

    def excludes(self, row: Row) -> str:
        """Why a row is not taken, "" where it is; the first rule that applies."""
        if self.physician and row.method != "Physician":
            return "not labelled by a physician"
        if row.projection not in self.projections:
            return f"projection {row.projection}"
        for label in _UNUSABLE:
            if label in row.labels:
                return f"labelled {label}"
        if not row.labels:
            return "no label"
        if row.labels == {"unchanged"}:
            return "only labelled unchanged"
        return self._unfit(row) if self.binary else ""

    def _unfit(self, row: Row) -> str:
        (wanted,) = self.labels.values()
        said = row.labels - {"unchanged"}
        present = not said.isdisjoint(wanted)
        if present and _NORMAL in said:
            return f"both {_NORMAL} and {wanted[0]}"
        if not present and said != {_NORMAL}:
            return f"neither {wanted[0]} nor {_NORMAL} alone"
        return ""

    def targets(self, row: Row) -> np.ndarray:
        """(F,) uint8, 1 where one of the finding's labels is among the row's."""
        present = [not row.labels.isdisjoint(any_of) for any_of in self.labels.values()]
        return np.array(present, np.uint8)


def metastasis(projections: tuple[str, ...], physician: bool) -> Selection:
    """Lung metastasis against normal."""
    labels = {_METASTASIS: alignment.load().labels("padchest", _METASTASIS)}
    return Selection(labels, True, projections, physician)


def findings(projections: tuple[str, ...], physician: bool) -> Selection:
    """Every finding that the alignment table has for the set, without the absence of any."""
    known = alignment.load().known_by("padchest")
    labels = {f.name: f.labels["padchest"] for f in known if f.name != "No Finding"}
    return Selection(labels, False, projections, physician)

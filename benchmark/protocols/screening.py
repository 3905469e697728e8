"""Screening: training never meets the class that the test is about, ``without:<finding>``.

The splits stay those of the set, so patients stay apart. Training and validation lose the images of
the withheld class and tell normal from the other classes; the test keeps normal images and those of
the withheld class, and no other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import structs

from benchmark.data.facts import Withheld
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UnknownName, UserError
from benchmark.protocols._derived import derive
from benchmark.protocols.base import SplitProtocol
from benchmark.spec import Spec

VERSION = 1
PREFIX = "without:"
PATTERN = f"{PREFIX}<finding>"
NAMES = (PATTERN,)
ANOMALY = "anomaly"
"""The one finding of the task under such a protocol: 0 normal, 1 any other class."""
NORMAL = ("normal", "no finding")
"""What data sets call the class of images without any finding, in small letters."""


class Screening(SplitProtocol):
    """One class is kept for the test."""

    version = VERSION
    asks_findings = False
    splits_of_set = False  # weights that learnt on the whole set have met the withheld class

    @property
    def withheld(self) -> str:
        """The class that is kept for the test."""
        return self.name.removeprefix(PREFIX)

    def title(self, dataset: str) -> str:
        """Says the withheld class."""
        return f"{dataset} without {self.withheld}"

    def apply(self, prepared: Prepared) -> Prepared:
        """The set with one finding, :data:`ANOMALY`.

        Raises:
            UnknownName: the set has no such class to withhold; lists the choices.
            UserError: it has no exclusive findings, no normal class, or no third class to train on.
        """
        withheld, normal = self.withheld, _normal(prepared)
        known = [name for name in prepared.facts.findings if name not in (normal, withheld)]
        if withheld not in prepared.facts.findings or withheld == normal:
            raise UnknownName(f"finding to withhold from {prepared.name}", withheld, known)
        if not known:
            raise UserError(f"{prepared.name} has no class left to train on without {withheld!r}")
        told = Withheld(withheld=withheld, normal=normal, findings=prepared.facts.findings)
        split = f"{prepared.facts.split_source}; {normal} against {', '.join(known)} in training "
        split += f"and validation, {normal} against {withheld} (never trained on) in test"
        facts = structs.replace(
            prepared.facts, findings=[ANOMALY], kind="binary", split_source=split, screening=told
        )
        screened = replace(prepared, facts=facts)
        data = _data(screened)
        truth = data["test"].part.targets[:, 0].tolist()
        return replace(screened, derived=derive(prepared.derived, data, [ANOMALY], truth))

    def data(self, spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
        """The images of each split; targets (N, 1) are 0 for normal images and 1 for others."""
        return _data(prepared)

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """The withheld class; the split says it already."""
        return {"withheld": self.withheld}


def parse(name: str) -> Screening | None:
    """The protocol that withholds a class; whether there is such a class, the set knows."""
    return Screening(name) if name.startswith(PREFIX) else None


def _data(prepared: Prepared) -> dict[str, SplitData]:
    told = prepared.facts.screening
    assert told is not None  # `apply` said it
    whole = replace(prepared, facts=structs.replace(prepared.facts, findings=told.findings))
    return {split: _split(whole, split, told) for split in SPLITS}


def _split(whole: Prepared, split: str, told: Withheld) -> SplitData:
    part = whole.part(split)
    of_class = dict(zip(told.findings, part.targets.T > 0, strict=True))
    normal, withheld = of_class[told.normal], of_class[told.withheld]
    kept = normal | withheld if split == "test" else ~withheld
    kept &= part.labelled.all(axis=1)
    one = {"targets": (~normal).astype(np.float32)[:, None], "labelled": part.labelled[:, :1]}
    return SplitData(replace(part, **one), (split,)).take(np.flatnonzero(kept))


def _normal(prepared: Prepared) -> str:
    if prepared.facts.kind != "multiclass":
        raise UserError(
            f"{prepared.name} is a {prepared.facts.kind} set: a class can only be withheld "
            "where every image has exactly one."
        )
    found = [name for name in prepared.facts.findings if name.lower() in NORMAL]
    if not found:
        raise UserError(
            f"{prepared.name} has no class of normal images (one called {' or '.join(NORMAL)}), "
            "so nothing can be told from normal."
        )
    return found[0]

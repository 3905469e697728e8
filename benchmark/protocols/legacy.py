"""Protocols of earlier systems, repeated with their faults: never ranked with others.

Each is a section of ``legacy.toml``: split by image, or as published with its leaks.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.hashing import canonical_json, sha256
from benchmark.protocols._by_image import by_image
from benchmark.protocols.base import SplitProtocol, own_splits
from benchmark.records.facts import LeakageStatus
from benchmark.spec import Spec

VERSION = 1
FILE = Path(__file__).with_suffix(".toml")
AS_PUBLISHED = "as_published"
BEFORE_SPLIT = "before_split"
WATERMARK = "legacy protocol: kept for comparison with older results, known to leak or to mislead"


@dataclass(frozen=True)
class Claim:
    """What a source says of one of its models (``"*"``: of all), with its numbers in [0, 1]."""

    model: str
    text: str
    f1: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class LegacyProtocol(SplitProtocol):
    """How a source split its images and what it counted as a decision.

    Attributes:
        name: key of the file, ``legacy_s0`` ...
        heading: for people.
        source: which source system, ``S0`` ... ``S4``.
        split: ``"by_image"`` or ``"as_published"``.
        decision: ``"argmax"``, or the probability from which an image counts as positive.
        twin: data set on which the same models run with patients kept apart.
        copies: whether copies of rare classes are made ``"before_split"`` or of ``"train"``.
        fractions: share of all images by split; validation images are the test images where
            validation has none.
        random_state: of the shuffle.
        faults: what is wrong with the protocol, one sentence each.
        claims: what the source says it reached.
    """

    heading: str
    source: str
    split: str
    decision: str | float
    twin: str
    copies: str
    faults: tuple[str, ...]
    fractions: dict[str, float] = field(default_factory=dict)
    random_state: int = 0
    claims: tuple[Claim, ...] = ()

    version = VERSION
    watermark = WATERMARK
    allows_leak = True
    may_choose_on_test = True
    splits_of_set = False

    @property
    def rule(self) -> dict[str, Any]:
        """What distinguishes it from another protocol, as plain values."""
        keys = ("split", "fractions", "random_state", "copies", "decision")
        return {key: getattr(self, key) for key in keys}

    @property
    def copies_first(self) -> bool:
        """Whether the source copied images and then split them."""
        return self.copies == BEFORE_SPLIT

    def claim(self, model: str) -> Claim | None:
        """What the source says of a model; None where it says nothing."""
        named = {claim.model: claim for claim in self.claims}
        return named.get(model)

    def data(self, spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
        """The images of each split; all splits of the set are taken together.

        Copies that are made before the split have ids of their own, ``<image id>~flip_lr``,
        ``...~2`` where one comes again.

        Raises:
            UserError: a split would be empty, or the spec's policy is for another kind of task.
        """
        if self.split == AS_PUBLISHED:
            return own_splits(prepared)
        copied = self._copied(spec)
        return by_image(self.name, self.fractions, self.random_state, copied, prepared)

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """What it changes; the images and the rule fix the test set between them."""
        origin = [prepared.manifest_sha256, self.rule, self._copied(spec)]
        return {
            "legacy": True,
            "legacy_name": self.name,
            "rule": self.rule,
            "split": f"{self.heading} ({self.split}), as in source system {self.source}",
            "test_digest": sha256(canonical_json(origin)),
        }

    def leakage(
        self, data: dict[str, SplitData], status: LeakageStatus, reasons: list[str]
    ) -> tuple[LeakageStatus, list[str]]:
        """The leakage status, counted on the split that was really used."""
        found = []
        for a, b in combinations(SPLITS, 2):
            for what, names in (("patient", _patients), ("image", _originals)):
                n = len(set(names(data[a])) & set(names(data[b])))
                found += [f"{n} {what}{'s' if n != 1 else ''} in both {a} and {b}"] if n else []
        return ("leak", found) if found else (status, reasons)

    def _copied(self, spec: Spec) -> str:
        """The policy whose copies are made before the split; empty where none are."""
        return spec.imbalance if self.copies_first else ""


def _read(name: str, values: dict[str, Any]) -> LegacyProtocol:
    claims = tuple(Claim(**claim) for claim in values.pop("claims", ()))
    heading, faults = values.pop("title"), tuple(values.pop("faults"))
    return LegacyProtocol(name=name, heading=heading, faults=faults, claims=claims, **values)


PROTOCOLS = {
    name: _read(name, values)
    for name, values in tomllib.loads(FILE.read_text(encoding="utf-8")).items()
}
"""Every legacy protocol by name."""
NAMES = tuple(PROTOCOLS)


def parse(name: str) -> LegacyProtocol | None:
    """The legacy protocol called so."""
    return PROTOCOLS.get(name)


def claims_about(model: str) -> list[tuple[str, Claim]]:
    """Source system and claim of everyone who names this very model, whatever the protocol."""
    found = [(protocol.source, protocol.claim(model)) for protocol in PROTOCOLS.values()]
    return [(source, claim) for source, claim in found if claim]


def _patients(data: SplitData) -> np.ndarray:
    return data.part.patient_id


def _originals(data: SplitData) -> np.ndarray:
    """What tells an image, whichever copy of it this is."""
    return data.part.image_id if data.rows is None else data.rows

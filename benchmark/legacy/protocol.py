"""The file of legacy protocols, read and checked. Imports no TensorFlow."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import UnknownName
from benchmark.probes.protocol import PATTERN as PROBES
from benchmark.screening.protocol import PATTERN as SCREENING

VERSION = 1
"""Of how a set is split under legacy protocols; raised where an existing name begins to
give other images, targets or splits."""

FILE = Path(__file__).with_name("protocols.toml")


@dataclass(frozen=True)
class Claim:
    """What a source says of one of its models (``"*"``: of all), with its numbers in [0, 1]."""

    model: str
    text: str
    f1: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class LegacyProtocol:
    """How a source split its images and what it counted as a decision.

    Attributes:
        name: key of the file, ``legacy_s0`` ...
        title: for people.
        source: which source system, ``S0`` ... ``S4``.
        split: ``"by_image"`` or ``"as_published"``.
        decision: ``"argmax"``, or the probability from which an image counts as positive.
        twin: data set on which the same models run under the honest protocol.
        copies: whether copies of rare classes are made ``"before_split"`` or of ``"train"``.
        fractions: share of all images by split; validation images are the test images where
            validation has none.
        random_state: of the shuffle.
        faults: what is wrong with the protocol, one sentence each.
        claims: what the source says it reached.
    """

    name: str
    title: str
    source: str
    split: str
    decision: str | float
    twin: str
    copies: str
    faults: tuple[str, ...]
    fractions: dict[str, float] = field(default_factory=dict)
    random_state: int = 0
    claims: tuple[Claim, ...] = ()

    @property
    def rule(self) -> dict[str, Any]:
        """What distinguishes it from another protocol, as plain values."""
        keys = ("split", "fractions", "random_state", "copies", "decision")
        return {key: getattr(self, key) for key in keys}

    def claim(self, model: str) -> Claim | None:
        """What the source says of a model; None where it says nothing."""
        named = {claim.model: claim for claim in self.claims}
        return named.get(model)


@cache
def protocols() -> dict[str, LegacyProtocol]:
    """Every legacy protocol by name."""
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: LegacyProtocol(
            **values
            | {
                "name": name,
                "faults": tuple(values["faults"]),
                "claims": tuple(Claim(**claim) for claim in values.get("claims", ())),
            }
        )
        for name, values in content.items()
    }


def find_protocol(name: str) -> LegacyProtocol:
    """The legacy protocol called ``name``.

    Raises:
        UnknownName: there is none; lists the choices.
    """
    if name not in protocols():
        raise UnknownName("protocol", name, [*protocols(), SCREENING, PROBES])
    return protocols()[name]


def is_legacy(name: str) -> bool:
    """Whether a spec's protocol is one of these: its faults are then meant."""
    return name in protocols()

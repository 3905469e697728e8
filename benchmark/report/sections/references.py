"""Published numbers, kept as data: shown beside the measured ones, never ranked with them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("references.toml")


@dataclass(frozen=True)
class Reference:
    """A published result, not reproduced here.

    Attributes:
        dataset, protocol, model, result: as the source words them.
        source: where the number was published.
        per_finding_auc: finding -> AUC in [0, 1], where the source gives it.
    """

    dataset: str
    protocol: str
    model: str
    result: str
    source: str
    per_finding_auc: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """A known limit of such results, with its source."""

    text: str
    source: str


def references() -> list[Reference]:
    """All published results, in the order of the file."""
    return [Reference(**entry) for entry in _content()["reference"]]


def limits() -> list[Limit]:
    """What is known to be wrong with results of this kind."""
    return [Limit(**entry) for entry in _content()["limit"]]


def _content() -> dict:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))

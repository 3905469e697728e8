"""A run: one finished row with its scores, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from benchmark.records.row import Row
from benchmark.records.scores import Scores
from benchmark.report.gathering.thresholds import FROZEN, decided
from benchmark.spec import Spec

MIXED = "mixed"


@dataclass(frozen=True)
class Run:
    """One finished row and its scores, from the prediction file as it is now.

    Attributes:
        remade: roles of what it was made from that has been made anew since.
        members: of an ensemble the specs of its members; None of one whose row is not there.
    """

    row: Row
    scores: Scores
    remade: tuple[str, ...] = ()
    members: tuple[Spec | None, ...] = ()

    @classmethod
    def of(cls, row: Row, scores: Scores, known: Mapping[str, Row]) -> Run:
        """With what is known of it from the rows beside it, by their spec ids."""
        return cls(row, scores, row.remade(known), members_of(row, known))

    @property
    def made_from(self) -> frozenset[str]:
        """Spec ids of the rows that it was made from."""
        return frozenset(self.row.spec.required_ids.values())

    @property
    def edited(self) -> bool:
        """True where the prediction file is not the one that the run wrote."""
        return self.scores.predictions_sha256 != self.row.predictions_sha256


def shown_spec(spec: Spec, members: Collection[Spec | None]) -> Spec:
    """A spec as it is told: an ensemble's own has scheme and weights of one of its members.

    This one has ``mixed`` where they differ, and nothing where it is not known.

    Args:
        spec: what is told.
        members: specs of its members, None of one whose row is not there.
    """

    def of_all(axis: str) -> str:
        every = {getattr(member, axis) for member in members if member} - {""}
        if len(every) > 1:
            return MIXED
        return "" if None in members else getattr(spec, axis)

    return replace(spec, scheme=of_all("scheme"), weights=of_all("weights"))


def members_of(row: Row, known: Mapping[str, Row]) -> tuple[Spec | None, ...]:
    """The specs of the members of an ensemble, from the rows beside it by their spec ids."""
    found = (known.get(spec_id) for spec_id in row.spec.members.values())
    return tuple(member.spec if member else None for member in found)


def few_scores(row: Row) -> str:
    """That predictions made elsewhere have few different scores; empty where nothing says so."""
    different = row.external.few_scores if row.external else None
    if different is None:
        return ""
    return (
        f"{different} different scores, as shares of votes have: images with the same one rank as "
        "equal, which tends to lower an AUC"
    )


def remarks_on(run: Run) -> Iterator[str]:
    """What a reader must know of how its scores came about, beyond the header."""
    scores = run.scores
    if few := few_scores(run.row):
        yield few
    if scores.macro_undefined:
        yield f"no AUC and no F1, {scores.macro_undefined}"
    for split in ("train", "validation"):
        if split not in scores.splits:
            yield f"no {split} predictions, so what needs them is undefined"
    if scores.threshold_source != "argmax" and (how := decided(scores, run.row)) != FROZEN:
        yield f"decisions {how}"
    for split in ("train", "validation"):
        short = [f for f in scores.macro_findings if f not in scores.supported.get(split, ())]
        if short and split in scores.splits:
            yield f"the gap to {split} leaves out {', '.join(short)}, too few patients there"
    if lost := scores.undefined_resamples.get("test"):
        yield f"intervals of F1 leave out {lost} resamples in which a finding lost a class"

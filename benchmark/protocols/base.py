"""What a protocol is, and what it may change of a data set.

One file a family of protocols; the file's name is the family's, files that begin with ``_`` are
none. A file has

- ``parse(name)``: the protocol of that name, a :class:`SplitProtocol`; None where the name is of
  another family;
- ``NAMES``: how its names are written, for messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.records.facts import LeakageStatus
from benchmark.spec import PUBLISHED, Spec

Answers = tuple[list[tuple["SplitProtocol", Prepared]], dict[str, str]]
"""Protocols with the set as each sees it; and ``<data set>@<protocol>`` -> why one is left out."""


@dataclass(frozen=True)
class SplitProtocol:
    """A protocol; what a family does not override is as the data set itself has it.

    Attributes:
        name: as suites and specs write it.
        version: of the images, targets and splits that it gives; raised where an existing name
            begins to give others. None where it changes none.
        watermark: why its rows are never ranked with others; empty where they may be.
        allows_leak: whether a leaking set may be run under it: its faults are meant.
        may_choose_on_test: whether validation images may be the test images.
        asks_findings: whether its targets are the data set's own findings, all of them.
        splits_of_set: whether weights that were trained under it on a set have not seen the test
            images that the set is published with.
        place: orders the tables of attribute prediction of a set.
    """

    name: str
    version: ClassVar[int | None] = None
    watermark: ClassVar[str] = ""
    allows_leak: ClassVar[bool] = False
    may_choose_on_test: ClassVar[bool] = False
    asks_findings: ClassVar[bool] = True
    splits_of_set: ClassVar[bool] = True
    place: ClassVar[int] = 0

    @property
    def ranked(self) -> bool:
        """Whether its rows may be ranked with others."""
        return not self.watermark

    @property
    def splits(self) -> str:
        """Name of the protocol whose splits these are; equal ones keep the same images apart."""
        return PUBLISHED if self.splits_of_set else self.name

    @property
    def copies_first(self) -> bool:
        """Whether copies of an imbalance policy are made before the split, and so are tested."""
        return False

    @property
    def withheld(self) -> str | None:
        """The class that training never sees; None where there is none."""
        return None

    @property
    def attribute(self) -> str | None:
        """The metadata field that is asked for in place of findings; None where none is."""
        return None

    def title(self, dataset: str) -> str:
        """What a table under it is called, given the name of the data set. Plain text."""
        return f"{dataset} under {self.name}"

    def apply(self, prepared: Prepared) -> Prepared:
        """The set with the task, counts and test set that the protocol gives it.

        Raises:
            UserError: the protocol cannot be applied to this set.
        """
        return prepared

    def answers(self, prepared: Prepared) -> Answers:
        """The protocols that the name stands for on a set: itself, or those that can be applied.

        Raises:
            UserError: as :meth:`apply`.
        """
        return [(self, self.apply(prepared))], {}

    def data(self, spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
        """The images of each split.

        Args:
            spec: whose imbalance policy may make copies.
            prepared: as :meth:`apply` gives it.

        Raises:
            UserError: the set cannot be split so.
        """
        return own_splits(prepared)

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """What tells its rows from those of other protocols.

        Keys of :class:`benchmark.records.facts.ProtocolFacts`, in place of those of the set.
        """
        return {"split": f"{prepared.facts.split_source}; {self.name}"}

    def leakage(
        self, data: dict[str, SplitData], status: LeakageStatus, reasons: list[str]
    ) -> tuple[LeakageStatus, list[str]]:
        """The leakage status and its reasons for the split that was really used.

        Args:
            data: the images of each split.
            status: of the set's own split, which holds where nothing is found here.
            reasons: of that status.
        """
        return status, reasons


def own_splits(prepared: Prepared) -> dict[str, SplitData]:
    """The splits that a set has."""
    return {split: SplitData(prepared.part(split), (split,)) for split in SPLITS}

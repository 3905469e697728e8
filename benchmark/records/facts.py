"""What a row says of its data set, its protocol and its model. Imports no TensorFlow.

Fields that come later are optional, so that earlier rows stay readable; what was never recorded is
None.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from benchmark.hashing import canonical_json, sha256
from benchmark.spec import ID_LENGTH, Count, Id, Number, Sha256

LeakageStatus = Literal["clean", "suspected", "leak"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all records have in common: nothing unknown in them, and nobody changes one."""


class LaterFields(Record, frozen=True, omit_defaults=True):
    """A record of which some fields are left out where they say nothing."""


def every_field(held: Any) -> Any:
    """A record and all in it as plain values, with the fields that its file leaves out."""
    if isinstance(held, msgspec.Struct):
        held = msgspec.structs.asdict(held)
    if isinstance(held, dict):
        return {name: every_field(value) for name, value in held.items()}
    return [*map(every_field, held)] if isinstance(held, list | tuple) else held


class SplitCounts(Record, frozen=True):
    """Images, patients, and positive images of each finding of one split."""

    images: Count
    patients: Count
    positives: dict[str, Count]


class TaskFacts(Record, frozen=True):
    """The findings that are asked for, and of which kind they are."""

    findings: list[str]
    kind: Literal["binary", "multilabel", "multiclass", "segmentation"]


class ProbeFacts(Record, frozen=True):
    """The field that a probe asks for, its values, and images of other values by split."""

    field: str
    values: list[str]
    left_out: dict[str, dict[str, Count]]


PATIENTS_UNKNOWN = (
    "which images are of one patient is not known: images of one patient may lie on both sides of "
    "a split, and scores may be too good"
)
"""The reason for the leakage status of a set that does not say."""


class DatasetFacts(LaterFields, frozen=True):
    """What a row says about its data set.

    Attributes:
        image_source: stored as ``rendition``: ``"original"``, or how the copy was resized.
        unsafe_for: of a set of masks, builders whose test images may be among its own.
        fraction, listed: of a copy that is a part of its set: how much of how many images.
    """

    task: TaskFacts
    label_version: str
    projections: list[str]
    simulated: bool
    redistributable: bool
    licence: str
    citation: str
    image_source: str = msgspec.field(name="rendition")
    leakage_status: LeakageStatus = msgspec.field(name="verdict")
    reasons: list[str]
    quarantined: Count
    unsafe_for: list[str] | None = None
    probe: ProbeFacts | None = None
    fraction: Number | None = None
    listed: Count | None = None

    @property
    def patients_unknown(self) -> bool:
        """Whether nobody knows which images are of one patient; each is counted as one."""
        return PATIENTS_UNKNOWN in self.reasons


class LegacyRule(Record, frozen=True):
    """What distinguishes a legacy protocol from others (see :mod:`benchmark.protocols`)."""

    split: str
    fractions: dict[str, Number]
    random_state: Count
    copies: str
    decision: Literal["argmax"] | Number


class ProtocolFacts(LaterFields, frozen=True):
    """What two rows must share to stand in one table; ``id`` is a hash of all the rest.

    Resamples of the test patients are drawn from the id, so a key that comes later is left out
    where it says nothing: intervals of earlier rows stay what they are.

    Attributes:
        test_digest: which test images, patients and targets these are.
        legacy_name, rule: of a legacy protocol.
        withheld: the class that a screening protocol keeps for the test.
        probe: the field that is asked for in place of findings.
        mask_definition, mask_size, test_masks: of masks.
        cross: True for a network's predictions on another data set.
    """

    id: Id
    dataset: str
    dataset_version: str
    split: str
    findings: list[str]
    label_version: str
    projections: list[str]
    image_source: str = msgspec.field(name="rendition")
    test_digest: Sha256
    limit: int | None
    legacy: bool
    legacy_name: str | UnsetType = UNSET
    rule: LegacyRule | UnsetType = UNSET
    withheld: str | UnsetType = UNSET
    probe: str | UnsetType = UNSET
    mask_definition: str | UnsetType = UNSET
    mask_size: Count | UnsetType = UNSET
    test_masks: Sha256 | UnsetType = UNSET
    cross: bool | UnsetType = UNSET

    @classmethod
    def of(cls, facts: dict[str, Any]) -> ProtocolFacts:
        """The protocol of facts by their stored names, with the id that follows from them."""
        made = msgspec.convert(facts | {"id": "0" * ID_LENGTH}, cls)
        return msgspec.structs.replace(made, id=made.own_id())

    def contradiction(self, name: str) -> str:
        """What in it does not go with the protocol's name in the spec, in words."""
        if not self.legacy == bool(self.legacy_name) == bool(self.rule):
            return "legacy protocols have a name and a rule, others have neither"
        for fact in (self.legacy_name, self.withheld, self.probe):
            if fact and not name.endswith(fact):
                return f"protocol {name} of its spec does not go with {fact}"
        return ""

    def own_id(self) -> str:
        """The id that follows from the other facts."""
        facts = msgspec.to_builtins(self)
        del facts["id"]
        return sha256(canonical_json(facts))[:ID_LENGTH]


class ModelFacts(Record, frozen=True):
    """What a row says about its model; ``parameters`` is None where it could not be built."""

    title: str
    reference: str
    deterministic: bool
    parameters: Count | None

"""A row: what was run, with which code, where, on what, and how it ended. Imports no TensorFlow.

The JSON schema that follows from these types is in ``docs/records.md``. Fields that come later are
optional, so that earlier rows stay readable; what was never recorded is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from benchmark.hashing import canonical_json, sha256
from benchmark.spec import ID_LENGTH, NETWORK, Id, Sha256, Spec

ROW_SCHEMA = 2
MEMORY_FALLBACK = "memory fallback: trained in smaller parts of a batch than was planned"
WITHOUT_TEST = "without test: no test image was predicted, to choose on validation"
Status = Literal["done", "failed", "not_runnable"]
LeakageStatus = Literal["clean", "suspected", "leak"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all records have in common: nothing unknown in them, and nobody changes one."""


class LaterFields(Record, frozen=True, omit_defaults=True):
    """A record of which some fields are left out where they say nothing."""


class Failure(LaterFields, frozen=True):
    """Why a spec did not finish.

    Attributes:
        fallback: the spec that was tried in its place.
        at_planning: whether it was refused before anything was run; it is run once that is over.
    """

    reason: str
    detail: str = ""
    fallback: Id | None = None
    at_planning: bool = False


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
    fraction: float | None = None
    listed: Count | None = None

    @property
    def patients_unknown(self) -> bool:
        """Whether nobody knows which images are of one patient; each is counted as one."""
        return PATIENTS_UNKNOWN in self.reasons


class LegacyRule(Record, frozen=True):
    """What distinguishes a legacy protocol from others (see :mod:`benchmark.protocols`)."""

    split: str
    fractions: dict[str, float]
    random_state: int
    copies: str
    decision: Literal["argmax"] | float


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
    mask_size: int | UnsetType = UNSET
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


class Accelerator(Record, frozen=True):
    """The accelerators that a worker could use, all alike."""

    name: str
    count: Count
    memory_gb: float | None
    driver: str | None


class KerasSettings(Record, frozen=True):
    """Keras' global settings, as they were fixed before the spec was run."""

    floatx: str
    epsilon: float
    image_data_format: str


class EnvironmentFacts(LaterFields, frozen=True):
    """Where a spec was run. What an environment does not have, or nobody recorded, is None.

    Attributes:
        backend: of Keras.
        device: ``"cpu"``, ``"gpu"`` or ``"tpu"``.
        threads: CPU cores that the worker could use.
        machine: the processor's instruction set, ``"x86_64"``.
        cpu: its name.
        cores, memory_gb: of the machine.
        packages: versions of what computes, by name.
        devices: that one network was trained on at a time.
    """

    backend: str | None
    device: str | None
    accelerator: Accelerator | None
    threads: Count | None
    machine: str | None
    cpu: str | None
    cores: Count | None
    memory_gb: Count | None
    system: str | None
    python: str
    packages: dict[str, str]
    keras: KerasSettings | None
    devices: Annotated[int, msgspec.Meta(ge=1)] = 1


class Speed(LaterFields, frozen=True):
    """How fast a network was trained, and what it took of its accelerators.

    Attributes:
        images_per_second: of the training steps but the first of each stage, with the wait for
            images and without evaluation.
        waiting: share of that time in which images were waited for.
        device_memory_mb: the most memory taken of one accelerator; on JAX by the worker so far.
        sharing: specs that had the accelerators at the same time: of more than one, times say
            little.
    """

    images_per_second: float | None = None
    waiting: float | None = None
    device_memory_mb: Count | None = None
    sharing: Annotated[int, msgspec.Meta(ge=1)] = 1


class History(LaterFields, frozen=True):
    """What happened epoch by epoch; ``stages`` names each stage of several and its epochs."""

    best_epoch: Count
    loss: list[float]
    val_auc: list[float | None] | None = None
    val_dice: list[float | None] | None = None
    val_loss: list[float] | None = None
    stages: list[tuple[str, int]] | None = None


class WeightFile(LaterFields, frozen=True):
    """A weight file that was loaded; ``as_published`` is None where no hash of it is published."""

    name: str
    sha256: Sha256
    as_published: bool | None = None


class StartingWeights(LaterFields, frozen=True):
    """The weights that a network began with.

    Attributes:
        source: where published ones come from -> their licence.
        features: how those of a frozen backbone were computed.
    """

    files: list[WeightFile]
    source: dict[str, str] = {}
    features: str = ""


class PenaltyFacts(Record, frozen=True):
    """How strongly a logistic regression was penalised, as validation had it.

    Lists have an entry for each regression: one of all findings that are exclusive, else one each.

    Attributes:
        strengths: what was tried.
        validation_auc: by strength; empty where nothing could be fitted.
        chosen: of the strengths; None where nothing could be fitted.
        constant: findings that are always or never present in training.
    """

    strengths: list[float]
    validation_auc: list[list[float | None]]
    chosen: list[float | None]
    constant: list[str]


class Made(LaterFields, frozen=True):
    """What another row left that this one was made from: predictions, weights, or both."""

    spec_id: Id
    predictions_sha256: Sha256 | None = None
    weights_sha256: Sha256 | None = None

    def differs(self, row: Row) -> bool:
        """Whether that row has other predictions or weights now, as far as both are known."""
        pairs = (
            (self.predictions_sha256, row.predictions_sha256),
            (self.weights_sha256, row.weights_sha256),
        )
        return any(then and now and then != now for then, now in pairs)


class ScreeningRule(Record, frozen=True):
    """Above which score, and below which confidence, an image is called unlike normal ones."""

    score: float
    confidence: float


class Screened(Record, frozen=True):
    """What one way of screening finds; None without an image of that kind."""

    sensitivity: float | None
    specificity: float | None


WAYS = {"score", "confidence", "either"}
"""By which an anomaly screen flags an image."""


class ScreeningFacts(Record, frozen=True):
    """What an anomaly screen was made of, and its rule, frozen on validation.

    Attributes:
        images: normal training images that were looked at.
        map: height and width of the feature map; ``channels`` of it were drawn.
        normal_passed: share of normal validation images that the rule lets pass.
        validation, test: by ``"score"``, ``"confidence"`` and ``"either"``.
    """

    images: Count
    map: list[int]
    channels: Count
    temperature: float
    rule: ScreeningRule
    normal_passed: float
    validation: dict[str, Screened]
    test: dict[str, Screened]

    def __post_init__(self) -> None:
        if not self.validation.keys() & self.test.keys() >= WAYS:
            raise ValueError(f"it was screened by {', '.join(sorted(WAYS))}, and lacks one of them")


class EnsembleFacts(LaterFields, frozen=True):
    """What an ensemble chose.

    Attributes:
        used: the members that count, best first where they were chosen.
        findings: that a specialist's second model was trained on.
        confused_on_validation: images that its first model confused.
    """

    used: list[str]
    findings: list[str] | None = None
    confused_on_validation: int | None = None
    screening: ScreeningFacts | None = None


class LungFacts(Record, frozen=True):
    """The network that found the lungs, and by split the images whose mask was unusable."""

    network: Id
    left_whole: dict[str, Count]


class ExternalFacts(Record, frozen=True):
    """The file of predictions that another tool made, and the splits that it holds."""

    file: str
    sha256: Sha256
    splits: list[str]


class TrainedOn(Record, frozen=True):
    """Of predictions on another data set: what the network was trained on.

    Attributes:
        findings: common name -> findings of the network, and of the data set.
    """

    dataset: str
    scheme: str
    weights: str
    findings: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]


ABOVE_ZERO = ("learning_rate", "batch_size", "epochs", "patience", "accumulate", "head_epochs",
              "finetune_factor")  # fmt: skip
NOT_BELOW = ("warmup_steps", "warmup_share", "clip_norm", "weight_decay", "label_smoothing",
             "ema_epochs")  # fmt: skip
"""Numbers of a recipe."""


def _odd_number(recipe: Mapping[str, Any]) -> str:
    """Which number of a recipe can be none, in words."""
    for key in (*ABOVE_ZERO, *NOT_BELOW):
        value = recipe.get(key, 1)
        if isinstance(value, str) or not (value > 0 or (value == 0 and key in NOT_BELOW)):
            return f"its recipe's {key} cannot be {str(value)[:40]!r}"
    return ""


def watermarks_of(spec: Spec) -> list[str]:
    """Why a row is not to be ranked with full ones, as far as its spec says it."""
    limited = [f"limited to {spec.limit} images of each split"] if spec.limit else []
    fallback = [MEMORY_FALLBACK] if spec.memory_fallback else []
    return limited + fallback + ([WITHOUT_TEST] if spec.no_test else [])


class Row(LaterFields, frozen=True):
    """One finished or failed spec.

    Attributes:
        suite: that it was run for.
        watermarks: why it is not to be ranked with full rows.
        code: component -> version that shaped the numbers; a row of other versions is stale.
        code_version, commit: of the whole package.
        determinism: how far the spec repeats itself, in words.
        finished: ISO 8601, UTC.
        predictions_sha256: of its prediction file; None where it did not finish.
        weights_sha256: of the weights that it saved; None where it saved none, or before these
            were recorded.
        phases: wall-clock seconds of each phase; ``profile`` where they went.
        speed: of its training; None where no network was trained by gradient, or before this was
            recorded.
        made_from: by role what other rows left that this one was made from.
    """

    schema: Annotated[int, msgspec.Meta(ge=ROW_SCHEMA, le=ROW_SCHEMA)]
    spec_id: Id
    config_id: Id
    suite: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{1,100}$")]
    status: Status
    error: Failure | None
    spec: Spec
    dataset: DatasetFacts
    protocol: ProtocolFacts
    watermarks: list[str]
    model: ModelFacts
    counts: dict[str, SplitCounts]
    code: dict[str, str]
    code_version: str
    commit: str | None
    environment: EnvironmentFacts
    determinism: str | None
    finished: str
    predictions_sha256: Sha256 | None
    weights_sha256: Sha256 | None
    history: History | None
    phases: dict[str, float]
    profile: dict[str, float] | None
    peak_memory_mb: Count | None
    made_from: dict[str, Made] = {}
    starting_weights: StartingWeights | None = None
    speed: Speed | None = None
    penalty: PenaltyFacts | None = None
    ensemble: EnsembleFacts | None = None
    lungs: LungFacts | None = None
    external: ExternalFacts | None = None
    trained_on: TrainedOn | None = None

    @property
    def done(self) -> bool:
        """Whether it finished, so that it has predictions."""
        return self.status == "done"

    @property
    def reason(self) -> str:
        """Why it did not finish; empty where it did."""
        return self.error.reason if self.error else ""

    @property
    def holds_masks(self) -> bool:
        """Whether its predictions are masks; such rows have a table of their own."""
        return self.dataset.task.kind == "segmentation"

    def remade(self, rows: Mapping[str, Row]) -> tuple[str, ...]:
        """The roles of what it was made from that was made anew since, with another outcome.

        Args:
            rows: of the results folder, by spec id; what is not there counts as it was.
        """
        return tuple(
            role
            for role, made in self.made_from.items()
            if (now := rows.get(made.spec_id)) and made.differs(now)
        )

    def contradiction(self) -> str:
        """What in it does not fit together, in words; empty where all does."""
        expected = {
            "spec_id": (self.spec_id, self.spec.spec_id),
            "config_id": (self.config_id, self.spec.config_id),
            "protocol.id": (self.protocol.id, self.protocol.own_id()),
            "protocol.dataset": (self.protocol.dataset, self.spec.dataset),
            "protocol.dataset_version": (self.protocol.dataset_version, self.spec.dataset_version),
            "protocol.limit": (self.protocol.limit, self.spec.limit),
        }
        for name, (said, follows) in expected.items():
            if said != follows:
                return f"{name} is {said}, but {follows} follows from its contents"
        if self.done != (self.predictions_sha256 is not None) or self.done == bool(self.error):
            return f"status {self.status} does not go with its predictions_sha256 and error"
        if self.protocol.findings != self.dataset.task.findings:
            return "the findings of protocol and data set differ"
        if lost := [mark for mark in watermarks_of(self.spec) if mark not in self.watermarks]:
            return f"its watermarks lack {lost[0]!r}"
        if bool(self.spec.members) != bool(self.spec.ensemble):
            return "it has members and declares no ensemble, or the other way round"
        if problem := self.protocol.contradiction(self.spec.protocol):
            return problem
        if problem := _odd_number(self.spec.recipe):
            return problem
        if self.done and ("test" in self.counts) == self.spec.no_test:
            return "it is done, but counts no test images where it has some, or the other way round"
        if self.trained_on and NETWORK not in self.spec.requires:
            return "it is of a network on another data set, and does not say of which"
        if self.trained_on and any(
            set(names) != set(self.protocol.findings) for names in self.trained_on.findings
        ):
            return "findings that two data sets share are not those of its protocol"
        if self.holds_masks != (self.spec.kind == "masks"):
            return f"kind {self.spec.kind} does not go with a {self.dataset.task.kind} task"
        return ""

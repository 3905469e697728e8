"""What a row says of how it was made: where, how fast, from what, and what was chosen on the way.

Fields that come later are optional, so that earlier rows stay readable; what was never recorded is
None. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from benchmark.records.facts import LaterFields, Record
from benchmark.spec import Count, CountFromOne, Dataset, Id, Model, Number, Sha256, Variant


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


class Accelerator(Record, frozen=True):
    """The accelerators that a worker could use, all alike."""

    name: str
    count: Count
    memory_gb: Number | None
    driver: str | None


class KerasSettings(Record, frozen=True):
    """Keras' global settings, as they were fixed before the spec was run."""

    floatx: str
    epsilon: Number
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
    devices: CountFromOne = 1


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

    images_per_second: Number | None = None
    waiting: Number | None = None
    device_memory_mb: Count | None = None
    sharing: CountFromOne = 1


class History(LaterFields, frozen=True):
    """What happened epoch by epoch; ``stages`` names each stage of several and its epochs."""

    best_epoch: Count
    loss: list[Number]
    val_auc: list[Number | None] | None = None
    val_dice: list[Number | None] | None = None
    val_loss: list[Number] | None = None
    stages: list[tuple[str, Count]] | None = None


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
    source: dict[str, str] = msgspec.field(default_factory=dict)
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

    strengths: list[Number]
    validation_auc: list[list[Number | None]]
    chosen: list[Number | None]
    constant: list[str]


class ScreeningRule(Record, frozen=True):
    """Above which score, and below which confidence, an image is called unlike normal ones."""

    score: Number
    confidence: Number


class Screened(Record, frozen=True):
    """What one way of screening finds; None without an image of that kind."""

    sensitivity: Number | None
    specificity: Number | None


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
    map: list[Count]
    channels: Count
    temperature: Number
    rule: ScreeningRule
    normal_passed: Number
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

    used: list[Model]
    findings: list[str] | None = None
    confused_on_validation: Count | None = None
    screening: ScreeningFacts | None = None


class LungFacts(Record, frozen=True):
    """The network that found the lungs, and by split the images whose mask was unusable."""

    network: Id
    left_whole: dict[str, Count]


class ExternalFacts(LaterFields, frozen=True):
    """The file of predictions that another tool made, and the splits that it holds.

    ``few_scores``: how many different ones test images have of a finding at most, where these are
    few but more than the two of decisions, as shares of readers' votes are; else left out.
    """

    file: str
    sha256: Sha256
    splits: list[str]
    few_scores: Count | None = None


class TrainedOn(Record, frozen=True):
    """Of predictions on another data set: what the network was trained on.

    Attributes:
        findings: common name -> findings of the network, and of the data set.
    """

    dataset: Dataset
    scheme: Variant
    weights: Variant
    findings: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]

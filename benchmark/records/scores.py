"""Scores of a row: what was computed from its predictions, and nothing else. No TensorFlow.

Undefined numbers are None. How each is computed: :func:`benchmark.scoring.score` and
:func:`benchmark.scoring.overlap.score_masks`.
"""

from __future__ import annotations

from typing import Literal

from benchmark.records.facts import LaterFields, Record
from benchmark.spec import Count, Number, Sha256

Metrics = dict[str, Number | None]
Interval = tuple[Number, Number]


class FindingScores(Record, frozen=True):
    """One finding on one split: its support, and the metrics by name."""

    n: Count
    n_positive: Count
    n_positive_patients: Count
    n_negative_patients: Count
    metrics: Metrics


class SplitScores(Record, frozen=True):
    """One split.

    Attributes:
        metrics: macro averages by name.
        undefined: metric -> how many of the macro findings leave it undefined.
        confusion: by finding (tn, fp, fn, tp); of exclusive findings a matrix with a line for each
            true one.
    """

    n_images: Count
    n_patients: Count
    metrics: Metrics
    undefined: dict[str, Count]
    per_finding: dict[str, FindingScores]
    confusion: dict[str, list[Count]] | list[list[Count]]


class Gap(LaterFields, frozen=True):
    """Train minus test of a metric, and its two parts; ``constant``: of calling all positive."""

    value: Number | None
    train_minus_validation: Number | None
    validation_minus_test: Number | None
    constant: Number | None = None


class RuleScores(Record, frozen=True):
    """Accuracy and F1 of one split by the rule of a legacy protocol."""

    accuracy: Number | None
    f1: Number | None


class SubgroupGap(Record, frozen=True):
    """The largest difference in AUC between two subgroups of one axis, the better one first.

    Its interval counts all pairs of subgroups that were looked at.
    """

    axis: str
    better: str
    worse: str
    value: Number
    interval: Interval


class Scores(LaterFields, frozen=True):
    """Every number of a row of findings; see :func:`benchmark.scoring.score`.

    Attributes:
        predictions_sha256: of the prediction file that they were computed from.
        seed_text: that resamples were drawn from, the id of the row's protocol.
        validation_auc_error: standard error of the mean AUC on validation.
        test_digest: which test images, patients and targets these are, as the predictions have it;
            None without a test, or before it was computed.
        two_valued: whether no macro finding has more than two different scores, and one has two, as
            where predictions are decisions. Left out where it is not so.
    """

    scorer_version: int
    predictions_sha256: Sha256
    seed_text: str
    kind: Literal["binary", "multilabel", "multiclass"]
    findings: list[str]
    macro_findings: list[str]
    excluded: dict[str, str]
    macro_undefined: str | None
    supported: dict[str, list[str]]
    thresholds: dict[str, Number]
    threshold_source: Literal["validation", "fixed", "argmax"]
    fixed_thresholds: list[str]
    splits: dict[str, SplitScores]
    gap: dict[str, Gap]
    intervals: dict[str, Interval | None]
    undefined_resamples: dict[str, Count]
    by_rule: dict[str, RuleScores] | None = None
    validation_auc_error: Number | None = None
    test_digest: Sha256 | None = None
    subgroup_gap: SubgroupGap | None = None
    two_valued: bool = False

    def __post_init__(self) -> None:
        if not {"validation", "test"} & self.splits.keys():  # its row says whether there is a test
            raise ValueError("there are no scores of the test split, nor of validation")
        if any(part.per_finding.keys() != set(self.findings) for part in self.splits.values()):
            raise ValueError("a split has scores of other findings")


class StoredInfluence(Record, frozen=True):
    """What each test patient adds to the macro AUC of a row, in the order of the patients' ids.

    ``value`` is None where that AUC is undefined; see :mod:`benchmark.scoring.influence`.
    """

    scorer_version: int
    predictions_sha256: Sha256
    value: Number | None
    of_patients: list[Number]


class MaskGroup(LaterFields, frozen=True):
    """Means over the images of one group of one split: Dice, IoU and pixel accuracy."""

    n_images: Count
    n_patients: Count
    overlaps: dict[str, Number]
    intervals: dict[str, Interval] | None = None


class MaskScores(Record, frozen=True):
    """Every number of a row of masks; ``splits`` by split and group (``"all"`` and pairings).

    ``predictions_sha256`` is of its mask file, ``seed_text`` as in :class:`Scores`.
    """

    scorer_version: int
    predictions_sha256: Sha256
    seed_text: str
    splits: dict[str, dict[str, MaskGroup]]

    def __post_init__(self) -> None:
        if "all" not in self.splits.get("test", {}):
            raise ValueError("there are no scores of all test images")


class ConfigurationIntervals(LaterFields, frozen=True):
    """Intervals of the means over the seeds of a configuration, as those of :class:`Scores`.

    ``predictions_sha256`` of each seed. ``alike`` are the places of two seeds that say the same of
    the same test images, see :func:`benchmark.records.one_model.first_alike`; left out where there
    are none, and by earlier versions.
    """

    scorer_version: int
    predictions_sha256: list[Sha256]
    seed_text: str
    intervals: dict[str, Interval | None]
    undefined_resamples: dict[str, Count]
    subgroup_gap: SubgroupGap | None = None
    alike: tuple[Count, Count] | None = None

    def __post_init__(self) -> None:
        if self.alike and max(self.alike) >= len(self.predictions_sha256):
            raise ValueError("there is no such seed")


class StoredComparison(Record, frozen=True):
    """What a :class:`benchmark.scoring.ranking.Comparison` holds but for whom it compares."""

    difference: Number | None
    se: Number | None
    degrees: float | None
    interval: Interval | None
    p: Number | None
    note: str


class StoredTable(Record, frozen=True):
    """How the configurations of a table compare: pairs, and how often each of a family is first.

    The latter in the order of their means.
    """

    pairs: dict[str, StoredComparison]
    first: dict[str, list[Number]]

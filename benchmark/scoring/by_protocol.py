"""Predictions scored as their protocol says, whatever they are: of findings, or masks."""

from __future__ import annotations

from itertools import chain

from msgspec import UNSET, structs

from benchmark.records.facts import ProtocolFacts
from benchmark.records.mask_counts import MaskCounts
from benchmark.records.predictions import Predictions
from benchmark.records.scores import MaskScores, Scores, SplitScores
from benchmark.scoring.by_rule import by_rule
from benchmark.scoring.digest import test_digest
from benchmark.scoring.gap import GAPS
from benchmark.scoring.metrics import METRICS
from benchmark.scoring.overlap import ALL, OVERLAPS, score_masks
from benchmark.scoring.scorecard import HEADLINES, SCORER_VERSION, score


def score_predictions(
    predictions: Predictions,
    protocol: ProtocolFacts,
    predictions_sha256: str,
    *,
    tested: bool = True,
) -> Scores:
    """Scores of findings, on the resamples of the protocol; with a legacy one's own numbers.

    Args:
        predictions: as their file holds them.
        protocol: that they are scored under.
        predictions_sha256: of the file.
        tested: whether they are to hold a test split, or none.

    Raises:
        ScoringError: they cannot be scored.
    """
    scores = score(
        predictions,
        predictions_sha256=predictions_sha256,
        seed_text=protocol.id,
        tested=tested,
    )
    if tested:
        scores = structs.replace(scores, test_digest=test_digest(predictions, protocol))
    if protocol.rule is UNSET:
        return scores
    return structs.replace(scores, by_rule=by_rule(predictions, protocol.rule.decision))


def score_counts(counts: MaskCounts, protocol: ProtocolFacts, counts_sha256: str) -> MaskScores:
    """Scores of masks, as :func:`score_predictions`."""
    return score_masks(counts, predictions_sha256=counts_sha256, seed_text=protocol.id)


def is_current(scores: Scores | MaskScores, protocol: ProtocolFacts, digest: str) -> bool:
    """Whether scores are what this version computes from a prediction file of this SHA-256."""
    known = (scores.scorer_version, scores.predictions_sha256, scores.seed_text)
    return known == (SCORER_VERSION, digest, protocol.id) and _is_whole(scores)


def _is_whole(scores: Scores | MaskScores) -> bool:
    """Whether all is there that is always computed; whoever forges a file may leave some out."""
    if isinstance(scores, MaskScores):
        groups = [group for of_split in scores.splits.values() for group in of_split.values()]
        return all(set(OVERLAPS) <= g.overlaps.keys() for g in groups) and all(
            ALL in of_split for of_split in scores.splits.values()
        )
    splits = scores.splits.values()
    of_findings = (each for split in splits for each in split.per_finding.values())
    named = {*scores.macro_findings, *scores.fixed_thresholds, *chain(*scores.supported.values())}
    return (
        all(set(HEADLINES) <= split.metrics.keys() for split in splits)
        and all(set(METRICS) <= each.metrics.keys() for each in of_findings)
        and set(GAPS) <= scores.gap.keys()
        and all(_has_confusion(split, scores) for split in splits)
        and named <= set(scores.findings)
        and scores.supported.keys() == scores.splits.keys()
    )


def _has_confusion(split: SplitScores, scores: Scores) -> bool:
    """Four numbers of each finding, or of exclusive ones a square."""
    found, findings = split.confusion, scores.findings
    exclusive = scores.kind == "multiclass"
    if isinstance(found, dict):
        shape = {finding: len(each) for finding, each in found.items()}
        return not exclusive and shape == dict.fromkeys(findings, 4)
    return exclusive and [len(line) for line in found] == [len(findings)] * len(findings)

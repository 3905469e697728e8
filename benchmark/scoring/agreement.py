"""Whether scores are of the images and findings that a row says it was measured on."""

from __future__ import annotations

from benchmark.records.facts import SplitCounts
from benchmark.records.row import Row
from benchmark.records.scores import MaskScores, Scores
from benchmark.scoring.overlap import ALL


def disagreement(row: Row, scores: Scores | MaskScores) -> str:
    """In what the predictions that were scored are not those of a row, in words; empty if none.

    Held against each other are findings, images, patients and positive images of every split; of
    masks the images. A prediction file that was edited since is another one than the row's, which
    reports say; it only has to be of the same findings, and with or without test as the row is.
    """
    if ("test" in scores.splits) == row.spec.no_test:
        return "with other splits"
    if isinstance(scores, Scores) and scores.findings != row.protocol.findings:
        return f"of other findings ({', '.join(scores.findings)})"
    if scores.predictions_sha256 != row.predictions_sha256:
        return ""
    scored = _of_masks(scores) if isinstance(scores, MaskScores) else _of_findings(scores)
    for split, found in scored.items():
        said = row.counts.get(split)
        if said is None or found != _comparable(said, scores):
            return f"of other {split} images or targets"
    return ""


def _of_findings(scores: Scores) -> dict[str, tuple]:
    return {
        split: (
            part.n_images,
            part.n_patients,
            {finding: each.n_positive for finding, each in part.per_finding.items()},
        )
        for split, part in scores.splits.items()
    }


def _of_masks(scores: MaskScores) -> dict[str, tuple]:
    return {split: (groups[ALL].n_images,) for split, groups in scores.splits.items()}


def _comparable(said: SplitCounts, scores: Scores | MaskScores) -> tuple:
    masks = isinstance(scores, MaskScores)
    return (said.images,) if masks else (said.images, said.patients, said.positives)

"""What the shape of a set's original files tells on its own, without opening one.

Per finding the AUC of the model ``geometry_only``, each image scored by one that was fitted to the
images of other patients (five folds, whatever the splits of the set), over the images whose shape
is known. Imports no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmark.data.prepared import Prepared
from benchmark.data.shapes import Shapes, obstacle
from benchmark.models import ModelFile, NotApplicable, discover, fit
from benchmark.scoring import influence
from benchmark.scoring.protocol import MINIMUM_PATIENTS, Support
from benchmark.task import Task

MODEL, FOLDS = "geometry_only", 5


@dataclass(frozen=True)
class FindingByShape:
    """One finding: AUC with its 95 % interval, and how many images it rests on."""

    finding: str
    auc: float
    low: float
    high: float
    images: int
    positive: int


@dataclass(frozen=True)
class ShapeAlone:
    """What the shape of the files tells.

    Attributes:
        nothing: why it tells nothing, in words; empty where it was asked.
        images, known: of the set, and how many of them have a known shape.
        findings: those with enough patients of both kinds.
        too_few: the others.
    """

    nothing: str
    images: int
    known: int = 0
    findings: list[FindingByShape] = field(default_factory=list)
    too_few: list[str] = field(default_factory=list)

    @property
    def basis(self) -> str:
        """The images that it rests on, where these are not all; else empty."""
        if self.nothing or self.known == self.images:
            return ""
        return f"the {self.known:,} of {self.images:,} images whose original size is known"


def shape_alone(prepared: Prepared) -> ShapeAlone:
    """Ask the shape of the files for every finding of a set."""
    manifest, shapes = prepared.manifest(), prepared.shapes
    images = len(manifest)
    if shapes is None or not shapes.known.any() or not shapes.vary:
        return ShapeAlone(_nothing(prepared, shapes), images)
    lines, model = manifest[shapes.known], discover()[MODEL]
    columns = shapes.columns(shapes.known)
    found: list[FindingByShape] = []
    too_few: list[str] = []
    for finding in prepared.facts.findings:
        labelled = lines[f"labelled:{finding}"].to_numpy() == 1
        targets = lines.loc[labelled, f"target:{finding}"].to_numpy(float)
        patients = lines.loc[labelled, "patient_id"].to_numpy(str)
        support = Support.of(targets, patients)
        if min(support.n_positive_patients, support.n_negative_patients) < MINIMUM_PATIENTS:
            too_few.append(finding)
            continue
        scores = _scores(model, {k: v[labelled] for k, v in columns.items()}, targets, patients)
        found.append(_measured(finding, targets, scores, patients))
    return ShapeAlone("", images, len(lines), found, too_few)


def _nothing(prepared: Prepared, shapes: Shapes | None) -> str:
    """Why nothing is told; what the files of a copy have now stands in for what is not known."""
    why = obstacle(prepared.name, shapes)
    different = prepared.manifest()[["width", "height"]].drop_duplicates().to_numpy()
    if shapes is None or shapes.known.any() or len(different) > 1:
        return why
    width, height = different[0]
    return f"all files have the same shape ({width} x {height} px), and {why}"


def _scores(
    model: ModelFile, shapes: dict[str, np.ndarray], targets: np.ndarray, patients: np.ndarray
) -> np.ndarray:
    """(N,) logits, each of a model that was fitted to other patients."""
    from sklearn.model_selection import StratifiedGroupKFold

    task, scores = Task(("finding",), "binary"), np.zeros(len(targets))
    for train, asked in StratifiedGroupKFold(FOLDS).split(targets, targets, patients):
        learnt = {name: values[train] for name, values in shapes.items()}
        truth = targets[train, None]
        try:
            predict = fit(model, learnt, truth, np.ones(truth.shape, bool), task)
        except NotApplicable:  # all of these have one shape: every image looks alike
            continue
        scores[asked] = predict({name: values[asked] for name, values in shapes.items()})[:, 0]
    return scores


def _measured(
    finding: str, targets: np.ndarray, scores: np.ndarray, patients: np.ndarray
) -> FindingByShape:
    codes = np.unique(patients, return_inverse=True)[1]
    found = influence.auc(targets, scores, codes)
    assert found is not None  # there are patients of both kinds, as the caller has seen to
    low, high = influence.bounded(found, _fewest(targets, codes))
    return FindingByShape(finding, found.value, low, high, len(targets), int(targets.sum()))


def _fewest(targets: np.ndarray, patients: np.ndarray) -> int:
    support = Support.of(targets, patients)
    return min(support.n_positive_patients, support.n_negative_patients)

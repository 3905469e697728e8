"""What one example and one data set's metadata look like, the same for every builder.

An example holds:
    image         (H, W, 1) uint8 or uint16, stored as the bytes that were published
    image_id      text, unique in the data set
    patient_id    text; everything with the same id stays in one split
    findings      (F,) uint8, 1 where the finding is present (multiclass: exactly one is)
    labelled      (F,) uint8, 1 where somebody or something decided about the finding
    age           int32 years, -1 where unknown
    sex           text, "F", "M" or "" where unknown
    view          text, "PA", "AP", "L", ... or "" where unknown
    label_source  text, who or what labelled the image

An example of a set of lung masks holds no findings, but:
    mask          (H, W, 1) uint8, of the image's size: 0 background, 127 ignore, 255 lung
    pairing       text, how image and mask were matched, "" where the source needs no matching
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

KINDS = ("binary", "multilabel", "multiclass")
SEGMENTATION = "segmentation"


def features(n_findings: int, dtype: type = np.uint8) -> tfds.features.FeaturesDict:
    """Features of one example.

    Encoded bytes (JPEG or PNG, mixed as they come) are stored untouched and decode to one
    channel; ``encoding_format`` only rules how arrays would be written.

    Args:
        n_findings: F, width of ``findings`` and ``labelled``.
        dtype: ``np.uint8``, or ``np.uint16`` for sets of more than 8 bits.
    """
    per_finding = tfds.features.Tensor(shape=(n_findings,), dtype=np.uint8)
    return tfds.features.FeaturesDict(
        {**_common(dtype), "findings": per_finding, "labelled": per_finding}
    )


def supervised(n_findings: int) -> tuple[str, str] | None:
    """What ``as_supervised=True`` gives: image and findings, where there is one finding.

    Of several, which of them are labelled would be lost.
    """
    return ("image", "findings") if n_findings == 1 else None


def mask_features(dtype: type = np.uint8) -> tfds.features.FeaturesDict:
    """Features of one example of a set of lung masks; see :func:`features`."""
    more = {"mask": _image(np.uint8), "pairing": tfds.features.Text()}
    return tfds.features.FeaturesDict({**_common(dtype), **more})


def _common(dtype: type) -> dict[str, tfds.features.FeatureConnector]:
    return {
        "image": _image(dtype),
        "image_id": tfds.features.Text(),
        "patient_id": tfds.features.Text(),
        "age": tfds.features.Scalar(dtype=np.int32),
        "sex": tfds.features.Text(),
        "view": tfds.features.Text(),
        "label_source": tfds.features.Text(),
    }


def _image(dtype: type) -> tfds.features.Image:
    return tfds.features.Image(shape=(None, None, 1), dtype=dtype, encoding_format="png")


class Metadata(tfds.core.MetadataDict):
    """What is saved as metadata.json, by which the set is found: nothing that JSON has no word for.

    Python writes ``NaN`` and ``Infinity`` all the same, and no other reader takes them.
    """

    def save_metadata(self, data_dir: Any) -> None:
        """Save it, as TFDS does; a ValueError where it could not be read back."""
        json.dumps(self, allow_nan=False)
        super().save_metadata(data_dir)


def metadata(
    *,
    findings: Sequence[str],
    kind: str,
    label_version: str,
    split_source: str,
    licence: str,
    citation: str,
    redistributable: bool,
    projections: Sequence[str] = (),
    original_size: int = 0,
    suspected: Sequence[dict] = (),
    simulated: bool = False,
    **more: object,
) -> Metadata:
    """Metadata of one builder config, saved by TFDS as metadata.json.

    Args:
        findings: names of the F findings, in the order of ``findings`` in the example.
        kind: ``"binary"`` (F = 1), ``"multilabel"`` or ``"multiclass"``; ``"segmentation"``
            (F = 0) for a set of lung masks.
        label_version: which issue of the labels; two versions are never one table.
        split_source: who made the split, in prose.
        licence: in short.
        citation: in short.
        redistributable: whether the images may be passed on.
        projections: the projections in the set, empty where unknown.
        original_size: pixels per side as published, 0 where it varies.
        suspected: ``{"splits": [a, b], "reason": str}`` for each pair of splits between which
            equal patient ids are an ambiguity of the source rather than a proven leak.
        simulated: True where no patient ever existed.
        more: further JSON-ready facts of this one builder.

    Raises:
        ValueError: unknown kind, or a number of findings that it does not allow.
    """
    if kind not in (*KINDS, SEGMENTATION):
        raise ValueError(f"kind {kind!r} is not one of {', '.join((*KINDS, SEGMENTATION))}")
    counted = {0: (SEGMENTATION,), 1: ("binary",)}.get(len(findings), ("multilabel", "multiclass"))
    if kind not in counted:
        raise ValueError(f"a {kind} set cannot have {len(findings)} finding(s)")
    return Metadata(
        findings=list(findings),
        kind=kind,
        label_version=label_version,
        projections=list(projections),
        original_size=original_size,
        split_source=split_source,
        suspected=[dict(pair) for pair in suspected],
        redistributable=redistributable,
        licence=licence,
        citation=citation,
        simulated=simulated,
        quarantined=[],
        converted=[],
        **more,
    )

"""Metadata that cannot be true, or that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

OLDEST = 120
SEXES = ("", "F", "M")
VIEWS = ("", "PA", "AP", "L", "AP_horizontal", "COSTAL")
"""Words of the data contract; a builder adds those it declares as its projections."""

_LISTED = 20


def implausible(manifest: pd.DataFrame, projections: list[str]) -> list[dict[str, Any]]:
    """What is wrong with the metadata.

    Args:
        manifest: DataFrame of :meth:`benchmark.data.prepared.Prepared.manifest`.
        projections: the views that the builder declares.

    Returns:
        One entry per kind of problem: ``problem``, ``count``, ``examples`` (image or patient ids).
    """
    age = manifest["age"]
    labelled = manifest.filter(regex="^labelled:")
    unlabelled = ~labelled.astype(bool).any(axis=1) & bool(labelled.shape[1])
    views = {*VIEWS, *projections}
    checks = {
        f"age above {OLDEST} years": manifest.loc[age > OLDEST, "image_id"],
        "negative age": manifest.loc[age < -1, "image_id"],
        "sex is none of F, M or empty": manifest.loc[~manifest["sex"].isin(SEXES), "image_id"],
        f"view is none of {', '.join(sorted(views)[1:])} or empty": manifest.loc[
            ~manifest["view"].isin(views), "image_id"
        ],
        "no finding is labelled": manifest.loc[unlabelled, "image_id"],
        "image id used twice": manifest.loc[manifest["image_id"].duplicated(), "image_id"],
        "patient of two sexes": _of_two_sexes(manifest),
    }
    return [
        {"problem": problem, "count": len(ids), "examples": ids.tolist()[:_LISTED]}
        for problem, ids in checks.items()
        if len(ids)
    ]


def _of_two_sexes(manifest: pd.DataFrame) -> pd.Series:
    known = manifest[manifest["sex"].isin(SEXES[1:])]
    sexes = known.groupby("patient_id")["sex"].nunique()
    return sexes.index[sexes > 1].to_series()

"""What the page of a configuration says about heat maps that were made, or were not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from benchmark.records.door import read_derived
from benchmark.records.facts import Count, LaterFields
from benchmark.report.blocks.content import Code, Content
from benchmark.report.blocks.tables import Block, Paragraph, Picture
from benchmark.report.blocks.text import number
from benchmark.report.gathering.configuration import Configuration
from benchmark.spec import Id, Sha256

RECORD = "gradcam.json"
VERSION = 3
"""Of the record and of how heat is computed."""
_HOW = (
    Code("cxr-bench report --gradcam"),
    " makes them where the weights, the prepared images and the model file are on disk.",
)
_LOCAL = "These images may not be passed on: keep this site on your machine."

_METHODS = {
    "Grad-CAM": "Grad-CAM",
    "HiResCAM": "Grad-CAM with a weight for every place (HiResCAM; this network flattens its map)",
}


class FindingHeat(LaterFields, frozen=True):
    """The heat maps of one finding.

    Attributes:
        figure: name of its figure.
        none: kinds of decisions of which there is no example.
        boxed: test images with a published box and any heat; the means over them are shares of
            the heat inside, and of the image that the boxes cover.
    """

    finding: str
    figure: str
    none: list[str]
    boxed: Count
    heat_inside: float | None = None
    area_inside: float | None = None


class HeatRecord(LaterFields, frozen=True):
    """Heat maps that were made, or were not.

    Attributes:
        private: whether the images may not be passed on.
        problem: why there are none.
        map: height and width of the layer that heat is computed on.
    """

    version: int
    spec_id: Id
    seed: Count
    predictions_sha256: Sha256
    private: bool
    problem: str = ""
    method: Literal["Grad-CAM", "HiResCAM"] = "Grad-CAM"
    layer: str = ""
    map: tuple[int, int] | None = None
    findings: tuple[FindingHeat, ...] = ()


def gradcam_section(configuration: Configuration, folder: Path, path: str) -> list[Block]:
    """The heat maps in a folder, or why there are none.

    Args:
        configuration: whose page it is.
        folder: where :func:`benchmark.report.html.gradcam.explain` writes.
        path: from the page to that folder.
    """
    another = ("The heat maps were made by another release and are not shown. ", _HOW)
    if not (folder / RECORD).is_file():
        return _said(("No heat maps were made. ", _HOW))
    record = read_derived(folder / RECORD, HeatRecord)
    if record is None:
        return _said(another)
    if record.predictions_sha256 != configuration.runs[0].scores.predictions_sha256:
        return _said(("The heat maps are of other predictions and are not shown. ", _HOW))
    if record.problem:
        return _said(f"No heat maps: {record.problem}.")
    return list(_maps(record, path)) if record.version == VERSION else _said(another)


def _said(content: Content) -> list[Block]:
    return [Paragraph(content)]


def _maps(record: HeatRecord, path: str) -> Iterator[Block]:
    if record.private:
        yield Paragraph(_LOCAL, notice=True)
    height, width = record.map or (0, 0)
    yield Paragraph(
        f"{_METHODS[record.method]} of seed {record.seed}, from layer {record.layer}, a "
        f"map of {height} × {width} cells: what speaks for the finding in this image, scaled to "
        "its own maximum. "
        "Test images, called as their run decides: those with a published box first, "
        "then by a hash of their id; not chosen by eye. Heat shows what a score hangs on, not "
        "that the reason is right."
    )
    for each in record.findings:
        finding = each.finding
        alt = f"Grad-CAM for {finding}: true and false positives and negatives, bare and with heat."
        caption = f"{finding}. {_boxes(each)}{_none(each)}"
        yield Picture(f"{path}/{each.figure}", alt, caption, broad=True)


def _none(each: FindingHeat) -> str:
    return f" There is no {' and no '.join(each.none)}." if each.none else ""


def _boxes(each: FindingHeat) -> str:
    if not each.boxed:
        return "No published boxes."
    return (
        f"Blue: published boxes. Of the heat, {number(each.heat_inside)} lies inside; the boxes "
        f"cover {number(each.area_inside)} of the image (means over {each.boxed} test "
        "images with a box and any heat)."
    )

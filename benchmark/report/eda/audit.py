"""The audit on the page of a data set: its verdict, its answers, and pairs to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmark.report.blocks.content import Strong
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Details,
    Notes,
    Paragraph,
    text_column,
)
from benchmark.report.blocks.values import Cell
from benchmark.report.eda.audit_answers import answers
from benchmark.report.eda.figures_grey import Alike

Answer = tuple[str, str, list[str]]
"""A question of the audit, what was found, and where."""
MOST = 12
"""Pairs that are shown."""
MEANING = {
    "clean": "no patient and no image was found in two splits",
    "suspected": "a known ambiguity may put patients or images into two splits",
    "leak": "patients or images stand in two splits",
}
SIGNS = {"clean": "●", "suspected": "▲", "leak": "■"}  # told apart without colours, too


def verdict(found: Mapping[str, Any]) -> Block:
    """One line: the status, and the counts that it rests on."""
    status = found["verdict"]
    counts = [f"{question}: {answer}" for question, answer, _ in answers(dict(found))]
    counts = [
        each for each in counts if not each.endswith((": none", ": 0", "0 groups", "0 kinds"))
    ]
    said = f": {MEANING[status]}. {'; '.join(counts[:4])}."
    return Paragraph((Strong(f"{SIGNS[status]} {status}"), said), css=f"verdict {status}")


def section(found: Mapping[str, Any]) -> Iterator[Block]:
    """Every question of the audit with its answer, and the reasons of the verdict."""
    rows = list(answers(dict(found)))
    columns: list[Column[Answer]] = [
        text_column("Question", lambda row: row[0]),
        text_column("Answer", lambda row: Cell(row[1])),
    ]
    yield DataTable.of(columns, rows, title="Audit", sortable=False)
    if found["reasons"]:
        yield Details("What the status rests on", (Notes(tuple(found["reasons"])),))
    if found["near"] is None:
        yield Paragraph("The pixels were not looked at, so that no copies can be found.")


def pairs(
    found: Mapping[str, Any], manifest: pd.DataFrame, images: Mapping[str, np.ndarray]
) -> tuple[list[Alike], DataTable | None]:
    """Images that are, or may be, one: what matters most first.

    Args:
        found: what the audit found.
        manifest: one line an image, in the order of the images of each split.
        images: split -> uint8 (N, S, S).

    Returns:
        The pairs, and a table that names them.
    """
    chosen = list(_chosen(found))[:MOST]
    if not chosen:
        return [], None
    place = {image: (s, k) for s in images for k, image in enumerate(_ids(manifest, s))}
    patient = dict(zip(manifest["image_id"], manifest["patient_id"], strict=True))
    shown = []
    for number, (ids, what) in enumerate(chosen, 1):
        (a, first), (b, second) = (place[each] for each in ids)
        title = f"{number}: {what}\n{a}" + (f" and {b}" if a != b else "")
        shown.append(Alike(np.asarray(images[a][first]), np.asarray(images[b][second]), title))
    columns: list[Column[tuple[int, list[str], str]]] = [
        text_column("Pair", lambda row: str(row[0])),
        text_column("Images", lambda row: ", ".join(row[1])),
        text_column("Patients", lambda row: ", ".join(dict.fromkeys(patient[i] for i in row[1]))),
        text_column("What", lambda row: row[2]),
    ]
    numbered = [(number, ids, what) for number, (ids, what) in enumerate(chosen, 1)]
    return shown, DataTable.of(columns, numbered, title="Pairs", sortable=False, wrapping=True)


def _ids(manifest: pd.DataFrame, split: str) -> list[str]:
    return manifest.loc[manifest["split"] == split, "image_id"].tolist()


def _chosen(found: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Copies across splits, other copies of different patients, then what only looks alike."""
    near = (found["near"] or {}).get("pairs", [])
    for each in sorted(near, key=lambda pair: (len(set(pair["splits"])) < 2, -pair["correlation"])):
        if len(set(each["splits"])) > 1 or not each["same_patient"]:
            turned = f", {each['turned']}" if each["turned"] else ""
            yield each["images"], f"copy, correlation {each['correlation']:.2f}{turned}"
    for group in found["exact"]["members"]:
        if len(set(group["splits"])) > 1 or len(set(group["patients"])) > 1:
            yield group["images"][:2], "identical files"
    for each in found["doubtful"] or []:
        turned = f", {each['turned']}" if each["turned"] else ""
        yield each["images"], f"alike, correlation {each['correlation']:.2f}{turned}"

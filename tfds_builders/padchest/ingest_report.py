"""What became of every row of the table: nothing is lost without a number beside it.

``listed = sum(excluded) + absent + quarantined + examples``, always.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tfds_builders.images import Checked
from tfds_builders.ingest_report import IngestReport, Item
from tfds_builders.padchest import labels
from tfds_builders.padchest.raw import Images
from tfds_builders.padchest.selection import Selection
from tfds_builders.padchest.table import Refused, Row

_MOST_UNKNOWN = 50


@lru_cache(maxsize=1)
def known_bad() -> dict[str, str]:
    """Published images known to be ``"missing"`` from the archives or ``"broken"``, by name."""
    path = Path(__file__).with_name("known_bad.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        return {line["image_id"]: line["problem"] for line in csv.DictReader(file, delimiter="\t")}


class ListedImages:
    """The account of the rows of one preparation, kept in what becomes the metadata.

    Attributes:
        rows: ``listed``; ``excluded``, rule to number; ``absent``, images that this copy lacks;
            ``absent_by_folder``; ``quarantined``; ``examples``.
        copy: ``listed``, the images that the config takes; ``absent``, those of them that this
            copy lacks; ``fraction``, the part of them that it has.
        unknown_labels: label that was never published to number of rows: a misspelt label makes
            no finding present, so it must be seen.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {
            "listed": 0,
            "excluded": {},
            "absent": 0,
            "absent_by_folder": {},
            "quarantined": 0,
            "examples": 0,
        }
        self.copy: dict[str, float] = {"listed": 0, "absent": 0, "fraction": 0.0}
        self.unknown_labels: dict[str, int] = {}

    def count(self, what: str) -> None:
        """One row more for ``"listed"``, ``"absent"``, ``"quarantined"`` or ``"examples"``."""
        self.rows[what] += 1

    def sift(
        self, listed: Iterable[Row | Refused], selection: Selection, ingest: IngestReport
    ) -> Iterator[Row]:
        """Rows that a config takes; the others are counted, broken ones quarantined."""
        for row in listed:
            self.count("listed")
            if isinstance(row, Refused):
                self.count("quarantined")
                ingest.refuse(row.file, row.reason)
                continue
            self._note_unknown(row)
            rule = selection.excludes(row)
            if rule:
                _add(self.rows["excluded"], rule)
            else:
                yield row

    def present(self, rows: Iterable[Row], found: Images, ingest: IngestReport) -> list[Row]:
        """Rows whose image this copy has, in the order in which they are cheap to read.

        A partial copy is nothing wrong, so what it lacks is only counted; what is known to be
        missing from the publication is quarantined by name.
        """
        rank = {name: place for place, name in enumerate(found.places)}
        wanted, present = list(rows), []
        for row in wanted:
            if row.image_id in rank:
                present.append(row)
            elif known_bad().get(row.image_id) == "missing":
                self.count("quarantined")
                ingest.refuse(row.image_id, "missing (known: not in the published archives)")
            else:
                self.count("absent")
                _add(self.rows["absent_by_folder"], row.folder)
        fraction = round(len(present) / max(len(wanted), 1), 6)
        self.copy = {"listed": len(wanted), "absent": self.rows["absent"], "fraction": fraction}
        return sorted(present, key=lambda row: rank[row.image_id])

    def _note_unknown(self, row: Row) -> None:
        for label in sorted(row.labels - labels.known()):
            room = label in self.unknown_labels or len(self.unknown_labels) < _MOST_UNKNOWN
            _add(self.unknown_labels, label if room else "(others)")


class RowIngestReport(IngestReport):
    """The account of the images, which counts their rows too."""

    def __init__(self, listed_images: ListedImages):
        super().__init__()
        self._ledger = listed_images

    def take(self, item: Item, checked: Checked) -> None:
        """Account for an image that was read and checked."""
        self._ledger.count("quarantined" if checked.data is None else "examples")
        if checked.data is None and item.name in known_bad():
            checked = replace(checked, reason=f"{checked.reason} (known: broken as published)")
        super().take(item, checked)


def _add(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1

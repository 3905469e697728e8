"""Takes the images of a copy in, split by split, and keeps account of every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from tfds_builders.archives import Content
from tfds_builders.chestxray14.labels import Entry
from tfds_builders.chestxray14.plan import Plan
from tfds_builders.chestxray14.raw import Copy
from tfds_builders.errors import DatasetError
from tfds_builders.images import Checked
from tfds_builders.ingest_report import IngestReport, Item


@dataclass
class TableIngestReport(IngestReport):
    """Reads the copy once for each split, as TFDS writes one split after another.

    The first pass sees every file and accounts for it; the later ones know what is there, read
    only that, and stop behind the last of it. A few images are in memory at a time.

    Attributes:
        copy: where the images are.
        plan: what is wanted.
        facts: what becomes the metadata; ``listed``, ``absent`` and ``fraction`` (how much of what
            the tables list is there), ``boxes`` and ``impossible_ages`` are kept up to date.
    """

    copy: Copy = field(kw_only=True)
    plan: Plan = field(kw_only=True)
    facts: dict = field(kw_only=True)
    _place: dict[str, str] = field(default_factory=dict)
    _surveyed: bool = False
    _refused: set[tuple[str, str]] = field(default_factory=set)
    _second: Counter = field(default_factory=Counter)
    _noted: list[tuple[str, str]] = field(default_factory=list)
    _noted_before: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def contents(self, split: str) -> Iterator[tuple[Item, Content]]:
        """One pass: the wanted files in the order of the copy, and what is refused on the way.

        It runs ahead of the checks; what it notes waits for the next file to be taken, so that the
        account is in the order of the copy.
        """
        entries = self.plan.entries[split]
        left = {name for name in entries if name in self._place} if self._surveyed else None

        def wanted(file: str) -> bool:
            name = _name(file)
            if not self._surveyed:
                self._account(file, name)
            return name in entries and self._place[name] == file

        for file, content in self.copy.stream(wanted) if left != set() else ():
            self._noted_before.setdefault(file, []).extend(self._noted)
            self._noted = []
            yield Item(file, entries.get(_name(file))), content
            if left is not None and wanted(file):
                left.discard(_name(file))
                if not left:
                    break

    def survey(self) -> None:
        """Account for every file without reading an image."""

        def unread(file: str) -> bool:
            self._account(file, _name(file))
            return False

        for file, refusal in self.copy.stream(unread):
            self.refuse(file, str(refusal))
        self._close_survey()

    def items(self, split: str) -> list[Item]:
        """After the survey: the files of a split, in the order of the copy."""
        entries = self.plan.entries[split]
        return [Item(file, entries[name]) for name, file in self._place.items() if name in entries]

    def refuse(self, file: str, reason: str) -> None:
        """Leave a file out, once: each pass over an archive meets its bad members again."""
        if (file, reason) not in self._refused:
            self._refused.add((file, reason))
            super().refuse(file, reason)

    def take(self, item: Item, checked: Checked) -> None:
        """Account for an image that was read and checked, and for what was noted before it."""
        self._refuse_all(self._noted_before.pop(item.name, ()))
        super().take(item, checked)
        if checked.data is not None:
            self._note_facts(item.facts)

    def close(self, split: str, admitted: int) -> None:
        """Account for a split of which every image was taken.

        Raises:
            DatasetError: none was admitted.
        """
        self._close_survey()
        listed = {name for part in self.plan.entries.values() for name in part}
        there = len(listed & self._place.keys())
        self.facts.update(
            listed=len(listed),
            absent=len(listed) - there,
            fraction=round(there / len(listed), 6) if listed else 0.0,
        )
        if not admitted:
            raise DatasetError(
                f"chestxray14: no readable image is left for the split {split!r}, of "
                f"{len(self.plan.entries[split])} that the tables list. The copy holds {there} "
                f"images of this config, and {len(self.quarantined)} files were refused, e.g. "
                f"{self.quarantined[-1:]}. Add more of the published images."
            )

    def _note_facts(self, entry: Entry) -> None:
        boxes = self.plan.boxes.get(entry.image_id, ())
        self.facts["boxes"] += [asdict(box) for box in boxes]
        if entry.age_as_written:
            impossible = {"file": entry.image_id, "age": entry.age_as_written}
            self.facts["impossible_ages"].append(impossible)

    def _account(self, file: str, name: str) -> None:
        first = self._place.setdefault(name, file)
        if first != file:
            self._second[file.split("/")[0], first.split("/")[0]] += 1
        elif name not in self.plan.listed:
            self._noted.append((file, f"not listed in {self.plan.source}"))
        elif name in self.plan.unassigned:
            self._noted.append((file, self.plan.unassigned[name]))

    def _refuse_all(self, noted: Iterable[tuple[str, str]]) -> None:
        for file, reason in noted:
            self.refuse(file, reason)

    def _close_survey(self) -> None:
        self._refuse_all(self._noted)
        self._noted = []
        if not self._surveyed:
            self._surveyed = True
            for name in self.copy.strays:
                self.refuse(name, "not named like an archive of the set: an unfinished download?")
            for (place, first), count in self._second.items():
                self.refuse(place, f"{count} images are in {first} too; those are used")


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]

"""Takes the images of a copy in, split by split, and keeps account of every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tfds_builders import images
from tfds_builders.chestxray14.labels import Entry
from tfds_builders.chestxray14.plan import Plan
from tfds_builders.chestxray14.raw import Copy
from tfds_builders.errors import Unreadable


@dataclass
class Reception:
    """Reads the copy once for each split, as TFDS writes one split after another.

    The first pass sees every file and accounts for it; the later ones know what is there, read
    only that, and stop behind the last of it. A few images are in memory at a time.

    Attributes:
        copy: where the images are.
        plan: what is wanted.
        intake: takes the account of files that are quarantined or converted.
    """

    copy: Copy
    plan: Plan
    intake: images.Intake = field(default_factory=images.Intake)
    _place: dict[str, str] = field(default_factory=dict)
    _surveyed: bool = False
    _refused: set[tuple[str, str]] = field(default_factory=set)
    _second: Counter = field(default_factory=Counter)
    _noted: list[tuple[str, str]] = field(default_factory=list)

    def images(self, split: str) -> Iterator[tuple[Entry, bytes]]:
        """Images of one split that can be used, in the order of the copy."""
        entries = self.plan.entries[split]
        for (file, noted), checked in images.check_all(self._read(entries), self.intake.dtype):
            self._refuse_all(noted)
            image = self._admit(file, checked)
            if image is not None:
                yield entries[_name(file)], image
        self._refuse_all(self._noted)
        self._close_survey()

    def _read(self, entries: dict[str, Entry]) -> Iterator[tuple[tuple, bytes | Unreadable]]:
        """One pass: (file, what was noted on the way to it) and content of each wanted file.

        It runs ahead of the checks; the notes keep the account in the order of the copy.
        """
        left = {name for name in entries if name in self._place} if self._surveyed else None

        def wanted(file: str) -> bool:
            name = _name(file)
            if not self._surveyed:
                self._account(file, name)
            return name in entries and self._place[name] == file

        for file, content in self.copy.stream(wanted) if left != set() else ():
            noted, self._noted = self._noted, []
            yield (file, noted), content
            if left is not None and wanted(file):
                left.discard(_name(file))
                if not left:
                    break

    def facts(self) -> dict:
        """For the metadata: how much of what the tables list is there.

        ``listed`` counts the images that the config takes, ``absent`` those of them that the copy
        has not, ``fraction`` is the part that it has.
        """
        listed = {name for part in self.plan.entries.values() for name in part}
        there = len(listed & self._place.keys())
        return {
            "listed": len(listed),
            "absent": len(listed) - there,
            "fraction": round(there / len(listed), 6) if listed else 0.0,
        }

    def _admit(self, file: str, checked: images.Checked) -> bytes | None:
        if checked.data is None:
            self._refuse(file, checked.reason)
            return None
        return self.intake.admit(file, checked)

    def _refuse_all(self, noted: list[tuple[str, str]]) -> None:
        for file, reason in noted:
            self._refuse(file, reason)

    def _refuse(self, file: str, reason: str) -> None:
        # Each pass over an archive meets its bad members again.
        if (file, reason) not in self._refused:
            self._refused.add((file, reason))
            self.intake.refuse(file, reason)

    def _account(self, file: str, name: str) -> None:
        first = self._place.setdefault(name, file)
        if first != file:
            self._second[file.split("/")[0], first.split("/")[0]] += 1
        elif name not in self.plan.listed:
            self._noted.append((file, f"not listed in {self.plan.source}"))
        elif name in self.plan.unassigned:
            self._noted.append((file, self.plan.unassigned[name]))

    def _close_survey(self) -> None:
        self._surveyed = True
        for (place, first), count in self._second.items():
            self._refuse(place, f"{count} images are in {first} too; those are used")


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]

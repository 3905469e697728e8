"""The account of what went into a data set and what did not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tfds_builders.errors import DatasetError
from tfds_builders.images import Checked


class Item(NamedTuple):
    """One image of a split, before it is read.

    Attributes:
        name: of its file, unique in the split.
        facts: what else is known of it; can be pickled.
    """

    name: str
    facts: Any = None


def refusal(file: str, reason: str) -> dict[str, str]:
    """``{"file", "reason"}`` of a file left out; bytes that are no text are shown escaped."""
    return {"file": file.encode(errors="backslashreplace").decode(), "reason": reason}


@dataclass
class IngestReport:
    """Keeps the account; a builder with more to count extends it.

    Attributes:
        quarantined: ``{"file", "reason"}`` of each file left out.
        converted: ``{"file", "reason"}`` of each file that entered with other bytes, with how it
            stored a pixel, ``bits`` and ``channels``, where that is known.
    """

    quarantined: list[dict] = field(default_factory=list)
    converted: list[dict] = field(default_factory=list)

    def refuse(self, file: str, reason: str) -> None:
        """Leave a file out, and say why."""
        self.quarantined.append(refusal(file, reason))

    def take(self, item: Item, checked: Checked) -> None:
        """Account for an image that was read and checked."""
        if checked.data is None:
            self.refuse(item.name, checked.reason)
        elif checked.reason:
            stored = checked.header._asdict() if checked.header else {}
            self.converted.append({"file": item.name, "reason": checked.reason, **stored})

    def close(self, split: str, admitted: int) -> None:
        """Account for a split of which every image was taken, ``admitted`` of them into the set.

        Raises:
            DatasetError: none was admitted.
        """
        if not admitted:
            raise DatasetError(
                f"no readable image is left for the split {split!r}: {len(self.quarantined)} files "
                f"were refused, e.g. {self.quarantined[-1:]}."
            )

"""Every file a person has of a set: the manual directory and the zip files lying in it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from tfds_builders.archives import Folder, Source, Zip
from tfds_builders.errors import DatasetError


class RawFiles:
    """Files by one name each: as below the folder, or ``<zip file>/<member>``.

    Images and masks of a set often come from two places, so all archives are read as one.

    Attributes:
        damaged: zip files that cannot be opened.
        refused: ``{"file", "reason"}`` of archive members that are not handed out.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.damaged: list[str] = []
        self.refused: list[dict] = []

    def __reduce__(self) -> tuple:
        return RawFiles, (self.folder,)  # another process looks for itself

    @cached_property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._places)

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: it cannot be read, with the reason.
        """
        source, inner = self._places[name]
        return source.read(inner)

    def listing(self) -> list[str]:
        """What lies there, one level of subfolders included, for an error message."""
        shown = {"/".join(name.split("/")[:2]) for name in self.names}
        return sorted(shown) + [f"{name} (damaged, download it again)" for name in self.damaged]

    @cached_property
    def _places(self) -> dict[str, tuple[Source, str]]:
        folder = Folder(self.folder)
        places: dict[str, tuple[Source, str]] = {name: (folder, name) for name in folder.names()}
        self.refused += folder.refused()
        for path in sorted(self.folder.glob("*.zip")):
            places |= self._inside(path)
        return places

    def _inside(self, path: Path) -> dict[str, tuple[Source, str]]:
        try:
            archive = Zip(path)
        except DatasetError:
            self.damaged.append(path.name)
            return {}
        self.refused += [
            {**entry, "file": f"{path.name}/{entry['file']}"} for entry in archive.refused()
        ]
        return {f"{path.name}/{name}": (archive, name) for name in archive.names()}

"""What a folder holds, read as its owner says; nothing is decoded yet."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath

from tfds_builders.archives import Folder
from tfds_builders.errors import DatasetError, LayoutError
from tfds_builders.image_folder import class_folders, dicom, table
from tfds_builders.image_folder.contents import Contents
from tfds_builders.image_folder.names import is_picture, is_service, is_text
from tfds_builders.image_folder.options import HEADER, Options
from tfds_builders.image_folder.patients import DAMAGED

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"GIF8", b"RIFF")

TREE = """\
    DIR/<class>/*.png                       two or more folders named like the classes
    DIR/train/<class>/*.png, DIR/test/...   the same, already split (validation may be missing)
    DIR/**/*.png and a table                with --csv FILE and the names of its columns
"""


def read(folder: Path, options: Options, pattern: re.Pattern | None = None) -> Contents:
    """Contents of a folder; without a pattern, patients of no column are left unknown.

    Raises:
        LayoutError: missing, empty, or neither class folders nor a table.
        DatasetError: it has to be said how something is meant, or a file or package is missing.
    """
    refuse_missing(folder)
    names = Folder(folder).names()
    of_dicom = dicom.dicom_files(folder, names)
    if of_dicom:
        dicom.refuse_without_pydicom(len(of_dicom))
    elif options.patients == HEADER:
        raise DatasetError(f"image_folder: --patients header, but {folder} holds no DICOM files.")

    by_content = of_dicom | {name for name in names if _begins_as_picture(folder, name)}

    def pictures(name: str) -> bool:
        return name in by_content or is_picture(name)

    if options.csv:
        contents = table.read(table_path(folder, options.csv), names, options, pattern, pictures)
        _refuse_damaged(contents)
        return contents
    contents = class_folders.read(names, pattern, options, pictures)
    if not contents.findings:
        found = sorted({"/".join(name.split("/")[:2]) for name in names})
        told = "; ".join([f"does not hold two classes of images{_kinds(names)}", *contents.notes])
        problem = told if found else "is empty"
        raise LayoutError("image_folder", f"{folder} {problem}.", TREE, found)
    return contents


def _begins_as_picture(folder: Path, name: str) -> bool:
    """True for files whose names promise nothing, e.g. without an extension, but are images."""
    if is_picture(name) or is_text(name) or is_service(name):
        return False
    try:
        with (folder / name).open("rb") as file:
            return file.read(8).startswith(_PICTURES)
    except OSError:
        return False


def _kinds(names: list[str]) -> str:
    """Which kinds of files there are that are not read."""
    kinds = Counter(PurePosixPath(name).suffix for name in names if not is_picture(name))
    shown = [f"{n} {kind or 'without an extension'}" for kind, n in kinds.most_common(3)]
    return f": its files are {', '.join(shown)}" if shown and kinds.total() == len(names) else ""


def refuse_missing(folder: Path) -> None:
    """Raise a LayoutError where there is no such folder."""
    if not folder.is_dir():
        raise LayoutError("image_folder", f"there is no folder {folder}.", TREE, [])


def table_path(folder: Path, said: str) -> Path:
    """Where the table lies: below the folder, or as its path says.

    Raises:
        DatasetError: it lies at neither place.
    """
    for path in (folder / said, Path(said).expanduser()):
        if path.is_file():
            return path
    looked_at = f"neither {folder / said} nor {Path(said).absolute()}"
    deeper = next((path for path in folder.rglob(Path(said).name) if path.is_file()), None)
    hint = f" Is it {deeper.relative_to(folder)}, in a folder below?" if deeper else ""
    raise DatasetError(f"image_folder: there is no table {said}: {looked_at}.{hint}")


def _refuse_damaged(contents: Contents) -> None:
    damaged = [entry for entry in contents.refused if entry["reason"].endswith(DAMAGED)]
    if damaged:
        raise DatasetError(
            f"image_folder: {damaged[0]['file']}: {damaged[0]['reason']}. So it is in "
            f"{len(damaged)} rows: export the table anew, with that column as text."
        )

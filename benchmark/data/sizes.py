"""A table of original sizes that a user has: which image had how many pixels before it was resized.

Any file of :mod:`benchmark.records.column_files`, e.g. CSV, with the columns ``image``, ``width``,
``height`` in pixels and, where known, ``spacing`` in mm.
An image is named by its id in the manifest, by the name of its file, in whatever folder, or by
that name without its ending; a width and height that are empty count as no line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from benchmark.errors import UserError
from benchmark.records.column_files import read_columns
from benchmark.records.tables import Limits, TableError
from tfds_builders.shapes import Shape, positive, whole

COLUMNS = ("image", "width", "height")
SPACING = "spacing"
MOST = 10**8
"""Lines: more than any file of its size holds."""


def read_sizes(path: Path, image_ids: Iterable[str]) -> dict[str, Shape]:
    """Image id -> its original shape, for the images of a set that a table names.

    Lines about images that are not in the set are left out: a table may be of more.

    Raises:
        UserError: the file is no such table, or a line holds no size, may mean several images, or
            contradicts an earlier one; the line is named.
    """
    named, found = _names(image_ids), dict[str, Shape]()
    for where, cells in _lines(path):
        told = _shape(where, cells)
        meant = _meant(cells["image"].strip(), named) if told else []
        if len(meant) > 1:
            raise UserError(
                f"{where}: {cells['image']} may be {' or '.join(sorted(meant)[:3])}; "
                "give the image's id in the manifest."
            )
        for image in meant:
            if told and found.setdefault(image, told) != told:
                raise UserError(f"{where}: {image} had another size further up.")
    if not found:
        raise UserError(
            f"{path}: no line gives the size of an image of this set. An image is named by its id "
            "in the manifest, e.g. "
            f"{', '.join([each for each, meant in named.items() if each in meant][:2])}, or by the "
            "name of its file."
        )
    return found


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each line stands, and its cells."""
    try:
        read = read_columns(path, COLUMNS[0], partial(_chosen, path), Limits(MOST))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except TableError as error:
        raise UserError(f"{path}: {error}") from None
    lines = zip(*(values.astype(str).tolist() for values in read.values.values()), strict=True)
    for number, cells in enumerate(lines, read.first):
        yield f"{path}, {read.word} {number}", dict(zip(read.values, cells, strict=True))


def _chosen(path: Path, names: list[str]) -> list[str]:
    if missing := [column for column in COLUMNS if column not in names]:
        raise UserError(
            f"{path}: a table of sizes has the columns {', '.join(COLUMNS)} and perhaps {SPACING}; "
            f"this one has no {', '.join(missing)}."
        )
    return [*COLUMNS, *(name for name in (SPACING,) if name in names)]


def _names(image_ids: Iterable[str]) -> dict[str, list[str]]:
    """Every way to name an image -> the images it may be; a whole id names one only."""
    ids, named = list(image_ids), defaultdict(list)
    for image in ids:
        file = PurePosixPath(image)
        for way in {file.name, file.stem}:
            named[way].append(image)
    return named | {image: [image] for image in ids}


def _meant(said: str, named: dict[str, list[str]]) -> list[str]:
    return named.get(said) or named.get(PurePosixPath(said.replace("\\", "/")).name, [])


def _shape(where: str, cells: dict[str, str]) -> Shape | None:
    width, height, spacing = (cells.get(k, "").strip() for k in ("width", "height", SPACING))
    if not (width or height):
        return None
    sides = whole(width), whole(height)
    if None in sides or (spacing and positive(spacing) is None):
        raise UserError(
            f"{where}: width and height are whole numbers of pixels and spacing is in mm, not "
            f"{', '.join(filter(None, (width, height, spacing)))}."
        )
    return Shape(*sides, positive(spacing))  # type: ignore[arg-type]  # both known

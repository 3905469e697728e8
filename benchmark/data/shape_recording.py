"""Finding out the original shapes of a prepared set's files; see :mod:`benchmark.data.shapes`.

In this order: what a user's table says (``prepare --sizes``), what the published tables say, and
the file itself, where the copy holds the originals. What a copy was resized from is never guessed.
How a file stores a pixel is known of files that still have their original size; of one that entered
the set with other bytes, the builder noted it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from benchmark.data.facts import FileNote
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.shapes import SHAPES, Shapes
from benchmark.records.door import write_record
from tfds_builders.images import Header, read_header
from tfds_builders.shapes import Shape


def record_shapes(prepared: Prepared, told: Mapping[str, Shape]) -> None:
    """Write ``shapes.json`` into a prepared set's folder.

    Args:
        told: image id -> its original shape, for those that tables know.
    """
    manifest = prepared.manifest()
    ids = manifest["image_id"].tolist()
    stored = [Shape(*pair) for pair in manifest[["width", "height"]].to_numpy().tolist()]
    shapes = [told.get(image) for image in ids]
    if _holds_originals(prepared):
        shapes = [known or own for known, own in zip(shapes, stored, strict=True)]
    unresized = {
        image
        for image, shape, own in zip(ids, shapes, stored, strict=True)
        if shape and shape[:2] == own[:2]
    }
    headers = _headers(prepared, unresized) if unresized else {}
    in_order = [headers.get(image) for image in ids]
    record = Shapes(
        manifest_sha256=prepared.manifest_sha256,
        image_id=ids,
        width=[shape and shape.width for shape in shapes],
        height=[shape and shape.height for shape in shapes],
        spacing=[shape and shape.spacing for shape in shapes],
        bits=[
            (shape and shape.bits) or (header and header.bits)
            for shape, header in zip(shapes, in_order, strict=True)
        ],
        bytes_a_pixel=[header and header.bits * header.channels / 8 for header in in_order],
    )
    write_record(prepared.path / SHAPES, record, readable=False)


def _holds_originals(prepared: Prepared) -> bool:
    """Whether the stored files have their original size; a user's own are taken as they are."""
    return prepared.image_source == "original" or prepared.facts.options is not None


def _headers(prepared: Prepared, wanted: set[str]) -> dict[str, Header | None]:
    """How the raw files of these images store a pixel."""
    from benchmark.data.decode import raw_examples

    found: dict[str, Header | None] = {}
    for split in SPLITS:
        for example in raw_examples(prepared.path, split).as_numpy_iterator():
            image = example["image_id"].decode()
            if image in wanted:
                found[image] = read_header(example["image"])
    return found | _noted(prepared.facts.converted, wanted)


def _noted(converted: list[FileNote], wanted: set[str]) -> dict[str, Header | None]:
    """The same of files that entered the set with other bytes; None where nobody noted it."""
    found: dict[str, Header | None] = {}
    for note in converted:
        image = note.file if note.file in wanted else PurePosixPath(note.file).name
        if image in wanted:
            found[image] = None
            if note.bits is not None and note.channels is not None:
                found[image] = Header(note.bits, note.channels)
    return found

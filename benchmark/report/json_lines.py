"""JSON files of one line per entry: quick to write, and a change shows as the lines it is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.hashing import canonical_json


def json_file(parts: Mapping[str, Sequence[bytes]]) -> bytes:
    """The file.

    Args:
        parts: name -> entries as :func:`json_line` writes them.
    """
    blocks = [f'"{name}":[\n'.encode() + b",\n".join(of) + b"\n]" for name, of in parts.items()]
    return b"{\n" + b",\n".join(blocks) + b"\n}\n"


def json_line(**values: object) -> bytes:
    """An entry of a JSON file."""
    return canonical_json(values)

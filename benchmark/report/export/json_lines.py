"""JSON files of one line per entry: quick to write, and a change shows as the lines it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from benchmark.hashing import canonical_json


def json_file(parts: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
    """The pieces of the file.

    Args:
        parts: name -> entries as :func:`json_line` writes them.
    """
    yield b"{\n"
    for place, (name, entries) in enumerate(parts.items()):
        yield b",\n" if place else b""
        yield f'"{name}":[\n'.encode()
        for number, entry in enumerate(entries):
            yield b",\n" if number else b""
            yield entry
        yield b"\n]"
    yield b"\n}\n"


def json_line(**values: object) -> bytes:
    """An entry of a JSON file."""
    return canonical_json(values)

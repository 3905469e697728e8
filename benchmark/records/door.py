"""The one door of record files: what is written is sealed, what is read back is checked.

A record file is JSON whose first key, ``content_sha256``, is the SHA-256 of the bytes behind it.
Whatever was changed after it was written is noticed, and named with what to do about it.
"""

from __future__ import annotations

import contextlib
import re
import threading
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmark.errors import TYPES, UserError
from benchmark.hashing import sha256
from benchmark.records.files import leads_elsewhere, write_atomic
from benchmark.records.tables import TableError, file_bytes
from benchmark.spec import PATTERNS

Record = TypeVar("Record")
_SEAL = re.compile(rb'\A\{\s*"content_sha256":\s*"([0-9a-f]{64})",')
_NAMED = re.compile("`({0}(?: \\| {0})*)`".format(f"(?:{'|'.join(TYPES)})"))
"""How msgspec names types."""
_DECODING = threading.Lock()
"""msgspec crashes where two threads decode a type, or types of one field, for the first time."""
_SCHEMA = re.compile(rb'"schema":\s*(\d{1,9})\b')
LARGEST = 1 << 28
"""Bytes of a record's file at most; that of a thousand configurations compared is a tenth of it."""
_TOLD = 300
"""Characters at most that are quoted of what the decoder says, which may quote the file."""


class RecordError(UserError):
    """A record file that cannot be used; the text names the file, the fault and what to do."""


class OtherFormat(RecordError):
    """A record file of another version of this package, which may read it very well."""


def sealed(record: Any, *, readable: bool = True) -> bytes:
    """The bytes of a record's file. Equal records, equal bytes.

    Args:
        record: a msgspec structure, or plain values.
        readable: indented, for files that people read; else compact.
    """
    text = msgspec.json.encode(record, order="sorted")
    body = msgspec.json.format(text, indent=1)[1:] + b"\n" if readable else text[1:] + b"\n"
    space = b"\n " if readable else b""
    colon = b": " if readable else b":"
    return b"{" + space + b'"content_sha256"' + colon + b'"' + sha256(body).encode() + b'",' + body


def write_record(path: Path, record: Any, *, readable: bool = True) -> None:
    """Write a record, whole or not at all."""
    write_atomic(path, sealed(record, readable=readable))


def read_record(path: Path, kind: type[Record], todo: str, *, schema: int | None = None) -> Record:
    """Read a record, checked against its seal and its type.

    Args:
        path: the file.
        kind: what it holds.
        todo: what to do where it cannot be used, a sentence.
        schema: of the current format, where files of an earlier one may be about.

    Raises:
        RecordError: it is missing, changed, of an earlier format, or not of that type.
    """
    return parse_record(record_bytes(path, todo), path, kind, todo, schema=schema)


def record_bytes(path: Path, todo: str) -> bytes:
    """The bytes of a record, or of a file that goes with one; see :func:`read_record`.

    Raises:
        RecordError: it is missing, too large, or no file.
    """
    try:
        return file_bytes(path, LARGEST)
    except FileNotFoundError:
        raise RecordError(f"{path}: cannot be read (it is not there). {todo}") from None
    except TableError as error:
        raise RecordError(f"{path}: {error}. {todo}") from None


def read_derived(path: Path, kind: type[Record]) -> Record | None:
    """A record that is made from other files; None where it is not there or cannot be used."""
    try:
        return read_record(path, kind, "It is made anew.")
    except RecordError:
        return None


def save_derived(path: Path, record: Any, folder: Path) -> None:
    """Write what :func:`read_derived` reads.

    It can be made anew, so a place that cannot be written to stays as it is; so does one that a
    link leads to out of ``folder``, to write nowhere but in the folder that was named.
    """
    with contextlib.suppress(OSError):
        if not leads_elsewhere(path.parent, folder):
            write_record(path, record, readable=False)


def parse_record(
    data: bytes, where: object, kind: type[Record], todo: str, *, schema: int | None = None
) -> Record:
    """The record in the bytes of a file; ``where`` names it in messages. See :func:`read_record`.

    Raises:
        RecordError: see there.
    """
    seal = _SEAL.match(data)
    if seal is None:
        found = _SCHEMA.search(data)
        if schema and found and int(found[1]) != schema:
            raise OtherFormat(
                f"{where}: written by another version of cxr-bench (format {int(found[1])}, this "
                f"one reads {schema}). {todo}"
            )
        raise RecordError(f"{where}: not a readable record, it has no content_sha256. {todo}")
    body = data[seal.end() :]
    if sha256(body) != seal[1].decode():
        raise RecordError(f"{where}: was changed after it was written. {todo}")
    try:
        with _DECODING:
            return msgspec.json.decode(b"{" + body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        said = in_words(str(error))[:_TOLD]
        raise RecordError(f"{where}: not a readable record ({said}). {todo}") from None


def in_words(said: str) -> str:
    """What the decoder says, with words in place of regular expressions and names of types."""
    for pattern, words in PATTERNS.items():
        said = said.replace(f"`str` matching regex {pattern!r}", f"a text of {words}")
    return _NAMED.sub(lambda types: " or ".join(TYPES[t] for t in types[1].split(" | ")), said)

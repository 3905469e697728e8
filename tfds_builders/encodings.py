"""Text as people's programs save it: UTF-8, or the "Unicode text" of a spreadsheet."""

from __future__ import annotations

import codecs

NO_TEXT = "no text in UTF-8; save it as such (spreadsheets: CSV UTF-8)"
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",  # first: one begins with another
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


def encoding(data: bytes) -> str:
    """Of a text by how it begins: a mark, or UTF-16 without one; else UTF-8, whatever it is."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    if data[:2].count(0) == 1:
        return "utf-16-be" if data[0] == 0 else "utf-16-le"
    return "utf-8-sig"


class NoText(ValueError):
    """Bytes that are no text in UTF-8; says what they are, where that shows, and what to do."""


def utf8_text(data: bytes) -> str:
    """A text in UTF-8, without its mark: what TOML and Python are.

    Raises:
        NoText: it is none; reads on behind "FILE is".
    """
    if (name := encoding(data)) != "utf-8-sig":
        raise NoText(f"text in {name[:6].upper()}, not in UTF-8; save it as UTF-8")
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise NoText(
            f"no text in UTF-8: line {line} has the byte 0x{byte:02X}, a letter of another "
            "encoding; save it as UTF-8"
        ) from None


def as_utf8(data: bytes) -> bytes:
    """The bytes of the same text in UTF-8; those that are it already are given back unread.

    Raises:
        UnicodeDecodeError: it is no text in the encoding that it begins as.
    """
    name = encoding(data)
    return data if name == "utf-8-sig" else data.decode(name).encode()

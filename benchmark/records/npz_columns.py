"""Columns of an NPZ file, as ``numpy.savez`` writes one. Pickled objects are never read."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from benchmark.records.tables import (
    LONGEST,
    Limits,
    TableError,
    check_names,
    check_size,
    file_bytes,
)

SUFFIX = ".npy"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What NumPy writes; the others cannot be decompressed piece by piece."""
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def arrays_of(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of an NPZ file that this package wrote. Pickled objects are never read.

    Raises:
        FileNotFoundError: it is not there.
        TableError: it cannot be read, or holds more than it can honestly hold.
    """
    data = file_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_size(sum(member.file_size for member in archive.infolist()), len(data))
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return dict(file)
    except (*DAMAGE, MemoryError) as error:
        raise TableError(f"not a readable NPZ file ({error})") from None


class NpzColumns:
    """One array a column, none of them read yet.

    Args:
        data: bytes of the file.

    Raises:
        TableError: it is no NPZ file, or holds more than can be a table of predictions.
    """

    def __init__(self, data: bytes):
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except DAMAGE as error:
            raise TableError(f"not a readable NPZ file ({error})") from None
        members = self._archive.infolist()
        if odd := [m.filename for m in members if not m.filename.endswith(SUFFIX)]:
            raise TableError(
                f"a zip file that holds {odd[0][:LONGEST]!r}, so no NPZ file (a workbook? Save it "
                "as CSV UTF-8)"
            )
        check_size(sum(member.file_size for member in members), len(data))
        self.names = [member.filename.removesuffix(SUFFIX) for member in members]
        check_names(self.names)

    def read(self, names: list[str], limits: Limits) -> dict[str, np.ndarray]:
        """(N,) text or numbers of these columns.

        Raises:
            TableError: one is damaged, longer than allowed, not flat, or neither text nor numbers.
        """
        return {name: self._column(name, limits) for name in names}

    def _column(self, name: str, limits: Limits) -> np.ndarray:
        member = self._archive.getinfo(f"{name}{SUFFIX}")
        if member.compress_type not in METHODS:
            raise TableError(f"{name}: compressed in a way that NumPy does not")
        try:
            with self._archive.open(member) as file:
                raw = file.read(member.file_size)
            values = _array(raw, limits)
            return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
        except TableError as error:
            raise TableError(f"{name}: {error}") from None
        except DAMAGE as error:
            raise TableError(f"{name}: not a readable array ({error})") from None


def _array(raw: bytes, limits: Limits) -> np.ndarray:
    """The array in the bytes of an NPY file: what its header says is checked, then looked at."""
    file = io.BytesIO(raw)
    read_header = HEADERS.get(npy.read_magic(file))
    if read_header is None:
        raise TableError("an array of an unknown format")
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        raise TableError("holds pickled objects, which are never read; save text as text")
    if dtype.kind not in "fiuUS" or len(shape) != 1:
        raise TableError(f"{dtype} of shape {shape}, not a flat array of text or numbers")
    limits.check_lines(shape[0])
    limits.check_text(dtype.itemsize // 4)  # of text, four bytes a character
    if shape[0] * dtype.itemsize != len(raw) - file.tell():
        raise TableError("is cut short")
    return np.frombuffer(raw, dtype, offset=file.tell())

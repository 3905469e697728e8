"""Arrays in files of which only the rows in use are in memory, however long they are.

A memory map would do, but the pages it has touched count as memory of the process for as long as it
is open; here nothing stays mapped from one access to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np


class OnDisk:
    """An ``.npy`` file, read where it is asked for.

    Attributes:
        path: the file.
        shape: of the whole array.
        dtype: of its elements.
    """

    def __init__(self, path: Path):
        self.path = path
        mapped = np.load(path, mmap_mode="r")
        self.shape, self.dtype = mapped.shape, mapped.dtype

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """A copy of these rows."""
        return np.array(np.load(self.path, mmap_mode="r")[rows])


def written(path: Path, rows: int, blocks: Iterable[np.ndarray]) -> OnDisk:
    """Write an array (rows, ...) block by block, so that it is never held whole.

    Args:
        path: of the NPY file.
        rows: of all blocks together.
        blocks: at least one, (n, ...) each and of one type.
    """
    with path.open("wb") as file:
        for number, block in enumerate(blocks):
            if not number:
                header = {
                    "descr": np.lib.format.dtype_to_descr(block.dtype),
                    "fortran_order": False,
                    "shape": (rows, *block.shape[1:]),
                }
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(block).data)
    return OnDisk(path)

"""How the C library keeps memory that was freed."""

from __future__ import annotations

import contextlib
import ctypes

LARGE = 6 * 2**20
"""Bytes of a block that is large: TFDS reads each file of records through one of 8 MiB."""
_M_MMAP_THRESHOLD = -3  # of mallopt(3)


def return_large_blocks() -> None:
    """From now on, give blocks of at least :data:`LARGE` back to the system when they are freed.

    The GNU C library raises its limit for that after the first such block is freed, and keeps the
    later ones in the pools of the threads that asked for them, up to eight pools a core. Then each
    file of records that is read makes the process larger by its buffer. Other C libraries are left
    alone.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, LARGE)

"""Large blocks go back to the system when they are freed."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
@pytest.mark.parametrize("asked", [False, True])
def test_a_freed_block_is_given_back_also_after_the_first(asked):
    """Freed below something that is still held, a block in a pool stays with the process."""
    code = f"""
        import ctypes
        from benchmark.data.allocation import return_large_blocks
        from benchmark.machine.memory import resident_memory_mb
        if {asked}:
            return_large_blocks()
        libc = ctypes.CDLL("libc.so.6")
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

        def take(size):
            block = libc.malloc(size)
            ctypes.memset(block, 1, size)
            return block

        libc.free(take(24 << 20))  # after this one, the library keeps blocks up to its size
        before = resident_memory_mb()
        blocks = [(take(8 << 20), take(100_000)) for _ in range(16)]
        for block, _ in blocks:
            libc.free(block)
        print(resident_memory_mb() - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (grown < 16) == asked

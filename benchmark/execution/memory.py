"""Peak memory of this process, per cell although a worker runs many."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path


def reset_peak_memory() -> None:
    """Start a new measurement; where the system cannot, the peak is the process's so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # see proc(5): resets VmHWM


def peak_memory_mb() -> int:
    """Largest resident size since :func:`reset_peak_memory`, in MiB."""
    return _status_mb("VmHWM:")


def resident_memory_mb() -> int:
    """Resident size now, in MiB."""
    return _status_mb("VmRSS:")


def _status_mb(field: str) -> int:
    """A field of proc(5)'s status; where there is none, the process's peak so far."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

"""Memory of processes, in MiB: what a spec took at most, and what there is to take."""

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
    return _own_status_mb("VmHWM:")


def resident_memory_mb() -> int:
    """Resident size now, in MiB."""
    return _own_status_mb("VmRSS:")


def own_memory_mb(pid: int) -> int:
    """Resident memory that a process has to itself, pages mapped from files not counted.

    0 where it cannot be found out, as when the process has ended.
    """
    return _status_mb(f"/proc/{pid}/status", "RssAnon:") or 0


def available_memory_mb() -> int | None:
    """Memory that can be taken without swapping, within the limit of this process's control group.

    None where it cannot be found out.
    """
    system = _status_mb("/proc/meminfo", "MemAvailable:")
    group = _group_mb("memory.max")
    free = None if group is None else group - (_group_mb("memory.current") or 0)
    known = [value for value in (system, free) if value is not None]
    return min(known) if known else None


def oom_kills() -> int | None:
    """Processes that the system has killed for want of memory; None where it does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that Python, NumPy or a framework found no memory, host's or device's.

    The frameworks' own errors are told by name: this must not import them.
    """
    name, text = type(error).__name__, str(error)
    exhausted = "ResourceExhausted" in name or "RESOURCE_EXHAUSTED" in text
    return isinstance(error, MemoryError) or exhausted or "OutOfMemory" in name


def _group_mb(name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max" for no limit
        return int(Path("/sys/fs/cgroup", name).read_text()) // 2**20
    return None


def _own_status_mb(field: str) -> int:
    found = _status_mb("/proc/self/status", field)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 if found is None else found


def _status_mb(file: str, field: str) -> int | None:
    """A field of proc(5), given there in KiB; None where there is none."""
    with contextlib.suppress(OSError):
        for line in Path(file).read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) // 1024
    return None

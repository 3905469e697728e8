"""Memory of processes, in MiB: what a spec took at most, and what there is to take."""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from pathlib import Path

from benchmark.machine import control_groups
from benchmark.machine.control_groups import enclosing


def reset_peak_memory() -> None:
    """Start a new measurement; where the system cannot, the peak is the process's so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # see proc(5): resets VmHWM


def peak_memory_mb() -> int | None:
    """Largest resident size since :func:`reset_peak_memory`; None where the system does not say."""
    found = _of_process("self", "VmHWM:")
    return _largest_resident_mb() if found is None else found


def resident_memory_mb() -> int:
    """Resident size now; the largest so far, or 0, where the system says no more."""
    found = _of_process("self", "VmRSS:")
    return (_largest_resident_mb() or 0) if found is None else found


def own_memory_mb(pid: int) -> int:
    """Resident memory that a process and those it has started have to themselves.

    Pages mapped from files are not counted, and what a process shares with the one that it was
    forked from is counted once. A process whose parent has ended belongs to the leader of its
    session. 0 where it cannot be found out, as when the process has ended.
    """
    started = _started_by(pid)
    if not started:
        return _of_process(pid, "RssAnon:") or 0
    return sum(_part_mb(each) for each in (pid, *started))


def available_memory_mb() -> int | None:
    """Memory that can be taken without swapping, within the limits of this process's groups.

    The page cache counts as free, on the machine and in a group: it gives way. None where nothing
    can be found out.
    """
    machine = _numbers(control_groups.ROOT / "proc/meminfo").get("MemAvailable:")
    known = [machine // 2**10] if machine is not None else []
    for folder in enclosing("memory"):
        free = _free_bytes(folder)
        known += [] if free is None else [free // 2**20]
    return min(known) if known else None


def oom_kills() -> int | None:
    """Processes that the system has killed for want of memory; None where it does not say.

    Those of this process's own control group where it counts them, else those of the machine.
    """
    names = ("memory.events", "memory.oom_control")
    files = [folder / name for folder in enclosing("memory") for name in names]
    files.append(control_groups.ROOT / "proc/vmstat")
    counts = [numbers["oom_kill"] for file in files if "oom_kill" in (numbers := _numbers(file))]
    return counts[0] if counts else None


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that Python, NumPy or a framework found no memory, host's or device's.

    The frameworks' own errors are told by name: this must not import them.
    """
    name, text = type(error).__name__, str(error)
    exhausted = "ResourceExhausted" in name or "RESOURCE_EXHAUSTED" in text
    return isinstance(error, MemoryError) or exhausted or "OutOfMemory" in name


def _free_bytes(group: Path) -> int | None:
    """Bytes below a group's limit, its page cache counted as free; None without a limit."""
    limits = _present(group, "memory.max", "memory.high", "memory.limit_in_bytes")
    used = _present(group, "memory.current", "memory.usage_in_bytes")
    if not limits or not used:
        return None
    counts = _numbers(group / "memory.stat")
    kinds = ("inactive_file", "active_file")  # "total_": with the groups inside, in version 1
    cached = sum(counts.get(f"total_{kind}", counts.get(kind, 0)) for kind in kinds)
    return max(0, min(limits) - max(0, used[0] - cached))


def _present(group: Path, *names: str) -> list[int]:
    """The numbers in those of the files that are there and hold one, and not ``max``."""
    found = []
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            found.append(int((group / name).read_text()))
    return found


def _started_by(pid: int) -> set[int]:
    """Processes that one has started, and those in turn."""
    children: defaultdict[int, set[int]] = defaultdict(set)
    for file in (control_groups.ROOT / "proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):  # it has ended meanwhile
            _, parent, _, session, *_ = file.read_text().rpartition(")")[2].split()
            for above in (int(parent), int(session)):
                children[above].add(int(file.parent.name))
    found: set[int] = set()
    ahead = [pid]
    while ahead:
        new = children[ahead.pop()] - found - {pid}
        found |= new
        ahead += new
    return found


def _part_mb(pid: int) -> int:
    """Memory of its own of one process of several: a page is divided among those that have it."""
    part = _numbers(control_groups.ROOT / f"proc/{pid}/smaps_rollup").get("Pss_Anon:")
    return (_of_process(pid, "RssAnon:") or 0) if part is None else part // 2**10


def _of_process(pid: int | str, field: str) -> int | None:
    """A field of ``/proc/<pid>/status``, given there in KiB; None where there is none."""
    found = _numbers(control_groups.ROOT / f"proc/{pid}/status").get(field)
    return None if found is None else found // 2**10


def _largest_resident_mb() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    in_a_mb = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // in_a_mb


def _numbers(file: Path) -> dict[str, int]:
    """Name -> number of the lines of a file of the system that begin so; empty without one."""
    with contextlib.suppress(OSError):
        words = (line.split() for line in file.read_text().splitlines())
        return {each[0]: int(each[1]) for each in words if len(each) > 1 and each[1].isdigit()}
    return {}

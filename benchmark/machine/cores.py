"""CPU cores that there are to compute with."""

from __future__ import annotations

import contextlib
import math
import os

from benchmark.machine.control_groups import enclosing


def usable_cores() -> int:
    """CPU cores that this process may use at once, at least 1.

    Those that it is bound to, or fewer where a control group has a quota of CPU time, as with
    ``docker run --cpus 2``: of more threads than that, some would only be made to wait. No id
    depends on it.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        bound = len(os.sched_getaffinity(0))
    else:
        bound = os.cpu_count() or 1
    return math.ceil(min(bound, _quota()))


def _quota() -> float:
    """Cores' worth of CPU time that the control groups grant; infinite without a limit."""
    granted = [math.inf]
    for folder in enclosing("cpu"):
        for files in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
            with contextlib.suppress(OSError, ValueError):  # not there, or "max" for no limit
                quota, period = " ".join((folder / name).read_text() for name in files).split()
                granted += [int(quota) / int(period)] if int(quota) > 0 else []
    return min(granted)

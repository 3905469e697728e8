"""Whether a spec takes more memory of a larger set: one of some images and one of all.

What is measured is the memory that a fresh worker has to itself. Pages of views that are mapped
from files are not its own: the system takes them back when it needs them.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Measure
from benchmarks.planned import one_model, plan_of

SIZE, FEW = 224, 1_000
GOAL = 1.1
"""Of the same spec, the C library keeps now more, now less of what was freed."""
_EVERY = 0.02  # seconds between two looks


def measure(dataset: str, data_dir: Path, runs: int) -> list[Measure]:
    """One epoch of the smallest model, which leaves most to the images; the median of runs."""
    few, some = _median(dataset, data_dir, FEW, runs)
    most, every = _median(dataset, data_dir, None, runs)
    what = f"memory of a spec of {every:,} images, linear at {SIZE} px"
    beside, ratio = f"{some:,} images", most / few
    return [Measure(what, most, "MiB", ratio, few, beside, f"<= {GOAL}", ratio <= GOAL)]


def _median(dataset: str, data_dir: Path, limit: int | None, runs: int) -> tuple[float, int]:
    peaks = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            peak, images = _peak(dataset, data_dir, Path(folder), limit)
        peaks.append(peak)
    return statistics.median(peaks), images


def _peak(dataset: str, data_dir: Path, folder: Path, limit: int | None) -> tuple[float, int]:
    from benchmark.machine.environment import current
    from benchmark.scheduling.runner import run_plan
    from benchmark.scheduling.slots import Folders

    suite = one_model("linear", dataset, SIZE, {"epochs": 1, "patience": 1})
    plan = plan_of(suite, data_dir, folder, limit)
    folders = Folders(data_dir, folder / "cache", folder / "results")
    with _watched() as seen:
        ended = run_plan(plan, folders, current())
    if ended["done"] != 1:
        raise RuntimeError(f"the spec of {dataset} was not done: {dict(ended)}")
    counts = plan.specs[0].prepared.counts.values()
    return max(seen), sum(min(split.images, limit or split.images) for split in counts)


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Gets the memory of this process's children, MiB, again and again."""
    from benchmark.machine.memory import own_memory_mb

    seen, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(_EVERY):
            lists = Path("/proc/self/task").glob("*/children")
            children = [int(pid) for each in lists for pid in each.read_text().split()]
            seen.append(max(map(own_memory_mb, children), default=0.0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()

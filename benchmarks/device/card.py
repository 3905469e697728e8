"""What NVIDIA's driver says of the card: its memory by process, and the energy it has used."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager


def ask(*arguments: str) -> list[list[str]]:
    """The answer of ``nvidia-smi`` as a table; empty where there is none."""
    command = ["nvidia-smi", *arguments, "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.split(", ") for line in told.stdout.strip().splitlines()]


def name() -> str | None:
    """Name, memory and driver of the first card."""
    found = ask("--query-gpu=name,memory.total,driver_version")
    return "{}, {} MiB, driver {}".format(*found[0]) if found else None


def joules() -> float | None:
    """Energy that the first card has used since its driver was loaded; None if it is not told."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
    except Exception:  # no such package, no such card, or a card that does not count
        return None


class Memory:
    """The most memory of the card that was seen in use, in MiB: of all, and by process."""

    def __init__(self):
        self.used = 0
        self.by_process: dict[int, int] = {}

    def look(self) -> None:
        """Look once."""
        for (used,) in ask("--query-gpu=memory.used")[:1]:
            self.used = max(self.used, int(used))
        for pid, used in ask("--query-compute-apps=pid,used_memory"):
            if used.isdigit():
                self.by_process[int(pid)] = max(self.by_process.get(int(pid), 0), int(used))


@contextmanager
def watched(every: float = 1.0):
    """Look at the card's memory as long as the block runs; gives a :class:`Memory`."""
    memory, ended = Memory(), threading.Event()

    def look() -> None:
        while not ended.is_set():
            memory.look()
            ended.wait(every)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()

"""A made-up machine: what ``/proc`` and ``/sys`` say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.machine import control_groups

MB = 2**20
V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "".join(
    f"3{i} 31 0:{i} {{root}} /sys/fs/cgroup/{names} rw - cgroup cgroup rw,{names}\n"
    for i, names in enumerate(("cpu,cpuacct", "memory"))
)


class Machine:
    """Files below a folder that stands for ``/``."""

    def __init__(self, root: Path):
        self.root = root

    def has(self, path: str, text: str | int) -> None:
        """Write a file of the system; a number gets the line that it stands in."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n" if isinstance(text, int) else text)

    def is_in(self, path: str, *, version: int = 2, root: str = "/") -> None:
        """Put this process into a control group; ``root`` is the one that is mounted."""
        if version == 2:
            self.has("proc/self/mountinfo", "23 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + V2)
            self.has("proc/self/cgroup", f"0::{path}\n")
        else:
            self.has("proc/self/mountinfo", V1.format(root=root))
            self.has(
                "proc/self/cgroup", f"9:memory:{path}\n4:cpu,cpuacct:{path}\n1:name=systemd:/\n"
            )

    def has_group(self, path: str, **files: str | int) -> None:
        """A group of version 2; ``memory_max=...`` is its ``memory.max``."""
        for name, text in files.items():
            self.has(f"sys/fs/cgroup{path}/{name.replace('_', '.', 1)}", text)

    def has_memory_group(self, path: str, **files: str | int) -> None:
        """A memory group of version 1; ``limit_in_bytes=...`` is ``memory.limit_in_bytes``."""
        for name, text in files.items():
            self.has(f"sys/fs/cgroup/memory{path}/memory.{name}", text)

    def has_process(
        self, pid: int, *, parent: int = 1, session: int = 1, name: str = "python",
        anon_mb: int | None = None, part_mb: int | None = None,
    ) -> None:  # fmt: skip
        """A process with memory of its own, and its part of what it shares with others."""
        self.has(f"proc/{pid}/stat", f"{pid} ({name}) S {parent} {pid} {session} 0 -1 4194560\n")
        if anon_mb is not None:
            status = f"Name:\t{name}\nVmRSS:\t{9 * anon_mb * 1024} kB\n"
            self.has(f"proc/{pid}/status", f"{status}RssAnon:\t{anon_mb * 1024} kB\n")
        if part_mb is not None:
            lines = f"00400000-7ffd [rollup]\nRss: 99999999 kB\nPss_Anon:\t{part_mb * 1024} kB\n"
            self.has(f"proc/{pid}/smaps_rollup", lines)


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    """A machine that says nothing yet."""
    monkeypatch.setattr(control_groups, "ROOT", tmp_path)
    return Machine(tmp_path)

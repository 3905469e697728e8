"""Full and read-only disks at every place that is written to, run by hand on Linux.

Each place in turn is a file system of its own, in the memory of this machine: full, or read-only.
What a command says there must be a sentence with the path and no trace, nothing half-written may
stay, and once there is room the same command must succeed. Exits with 1 where that is not so.

    python -m benchmarks.disks              # some minutes on two cores
    python -m benchmarks.disks weights      # only places whose name holds this

Mounts lie in a namespace of their own (see unshare(1)), which needs no rights of an administrator.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLI = [sys.executable, "-c", "from benchmark.cli import main; main()"]
SET = "thorax_phantom/small"
PREPARE = ["prepare", SET, "--data-dir", "data", "--cache-dir", "cache"]
FOLDERS = ["--data-dir", "data", "--cache-dir", "cache", "--results", "results"]
RUN = ["run", "--dataset", SET, "--models", "cnn", "--sizes", "32", "--seeds", "0", "--recipe",
       "short", *FOLDERS]  # fmt: skip
TABLE = ["leaderboard", "--results", "results"]
SHOW = ["show", f"cnn@{SET}", "--results", "results"]
REPORT = ["report", "--results", "results", "--out", "out"]
FULL, READ_ONLY = "No space left on device|no room", "Read-only file system"
OURS = re.compile(r"\.tmp|\.building-|\.audit-|incomplete\.")
"""Names of what is not complete."""


@dataclass(frozen=True)
class Place:
    """A folder on a disk in trouble, and what is done there.

    Attributes:
        folder: that is a file system of its own.
        command: that meets it.
        kilobytes: that it has room for; a folder that has to be there already, none.
        read_only: whether it is that, and not full.
        ends: exit code of the command.
        begins: what is there before: ``"nothing"``, ``"data"``, ``"rows"``.
    """

    folder: str
    command: list[str]
    kilobytes: int = 0
    read_only: bool = False
    ends: int = 2
    begins: str = "data"

    @property
    def name(self) -> str:
        """What and where."""
        return f"{self.command[0]}, {self.folder} {'read-only' if self.read_only else 'full'}"


PLACES = [
    Place("data", PREPARE, kilobytes=64, begins="nothing"),
    Place("data", PREPARE, kilobytes=484, begins="nothing"),
    Place("cache/views", RUN),
    Place("results", RUN),
    Place("results/claims", RUN),
    Place("results/logs", RUN, ends=0),
    Place("results/checkpoints", RUN, ends=0),
    Place("results/weights", RUN),
    Place("results/predictions", RUN),
    Place("results/scores", RUN),
    Place("results/rows", RUN),
    Place("results", TABLE, begins="rows"),
    Place("out", REPORT, begins="rows"),
    Place("data", PREPARE, read_only=True, ends=0),
    Place("data", RUN, read_only=True, ends=0),
    Place("cache", RUN, read_only=True),
    Place("results", RUN, read_only=True),
    Place("results", TABLE, read_only=True, begins="rows"),
    Place("results", SHOW, read_only=True, ends=0, begins="rows"),
    Place("results", REPORT, read_only=True, ends=0, begins="rows"),
]  # fmt: skip


def main() -> None:
    """Try every place, or those that are named, and print a line for each."""
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "-Urm", sys.executable, "-m", "benchmarks.disks",
                              "--inside", *sys.argv[1:]])  # fmt: skip
    wanted = [each for each in sys.argv[1:] if each != "--inside"]
    chosen = [p for p in PLACES if all(each in p.name for each in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        stock = _stock(Path(folder))
        faults = [_tried(place, Path(folder) / "here", stock) for place in chosen]
    print(f"{len(faults)} places, {sum(map(bool, faults))} with a fault")
    sys.exit(any(faults))


def _stock(folder: Path) -> dict[str, Path]:
    """Folders that places begin with."""
    stock = {name: folder / name for name in ("nothing", "data", "rows")}
    stock["nothing"].mkdir()
    stock["data"].mkdir()
    _say(PREPARE, stock["data"])
    shutil.copytree(stock["data"], stock["rows"])
    _say(RUN, stock["rows"])
    return stock


def _tried(place: Place, here: Path, stock: dict[str, Path]) -> str:
    """Do what is done at a place; returns what is wrong with how it ended, empty if nothing."""
    shutil.copytree(stock[place.begins], here)
    with _in_trouble(place, here):
        done = _say(place.command, here)
        wrong = _judged(place, done, here)
    again = _say(place.command, here)
    if not wrong and again.returncode:
        wrong = f"does not go on once it may: {again.stdout[-300:]}"
    said = next((line for line in done.stdout.splitlines() if "Error" in line), "")
    judged = f"FAULT {wrong}" if wrong else "good "
    print(f"{judged} {place.name}: exit {done.returncode}. {said}", flush=True)
    shutil.rmtree(here)
    return wrong


@contextlib.contextmanager
def _in_trouble(place: Place, here: Path) -> Iterator[None]:
    target = here / place.folder
    target.mkdir(parents=True, exist_ok=True)
    aside = shutil.copytree(target, here.with_name("aside"))
    size = f"size={place.kilobytes}k" if place.kilobytes else "size=100%"
    _mount("-t", "tmpfs", "-o", size, "tmpfs", str(target))
    try:
        shutil.copytree(aside, target, dirs_exist_ok=True)
        if place.read_only:
            _mount("-o", "remount,ro", str(target))
        elif not place.kilobytes:
            _leave_no_room(target)
        yield
    finally:
        subprocess.run(["umount", str(target)], check=True)
        shutil.rmtree(aside)


def _leave_no_room(folder: Path) -> None:
    """Shrink a file system in memory to what is in it."""
    used = sum(-(-file.stat().st_size // 4096) * 4 for file in folder.rglob("*") if file.is_file())
    _mount("-o", f"remount,size={max(used, 4)}k", str(folder))
    if not used:
        (folder / "all.there.is").write_bytes(bytes(4096))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _say(command: list[str], here: Path) -> subprocess.CompletedProcess[str]:
    """Run a command; what it says stands in ``stdout``, all of it."""
    return subprocess.run([*CLI, *command], cwd=here, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


def _judged(place: Place, done: subprocess.CompletedProcess[str], here: Path) -> str:
    said, reason = done.stdout, READ_ONLY if place.read_only else FULL
    if "Traceback" in said:
        return "a trace: " + said.strip().splitlines()[-1]
    if done.returncode != place.ends:
        return f"exit code {done.returncode} instead of {place.ends}: {said[-300:]}"
    if place.ends and not re.search(reason, said):
        return f"the reason is not said: {said[-300:]}"
    if place.ends and place.folder not in said:
        return f"the path is not said: {said[-300:]}"
    left = [str(path.relative_to(here)) for path in here.rglob("*") if OURS.search(path.name)]
    return f"half-written files are left: {left}" if left else ""


if __name__ == "__main__":
    main()

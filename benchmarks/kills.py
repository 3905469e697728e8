"""Kills a run at random moments, resumes it each time, and compares what comes out, run by hand.

In turn the runner alone, a worker alone, and both at once get SIGKILL at a random moment of a
suite on the embedded set. Without its worker a run goes on with another; without its runner the
next `cxr-bench run` goes on. When the suite is done, its prediction files and its leaderboard
(without cost) must be the bytes of an undisturbed run's; then everything is begun anew, until there
were as many kills as wanted. Exits with 1 where a byte differs.

    make kills                              # 30 kills of suite `phantom` (an hour on two cores)
    python -m benchmarks.kills --quick      # of a few specs on a small set (some minutes)
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

Moment = Callable[[subprocess.Popen], bool]
"""Returns when to kill a run; False where it has ended before that."""
CLI = [sys.executable, "-c", "from benchmark.cli import main; main()"]
QUICK = ["--dataset", "thorax_phantom/small", "--filter", "model=constant|linear|cnn,seed=0|1"]
VICTIMS = ("runner", "worker", "group")
A_ROUND = 6
"""About how many kills the suite lives through before it is done and begun anew."""
WORKER = b"benchmark.scheduling.worker"


@dataclass
class Bench:
    """A suite to run, and where.

    Attributes:
        folder: of everything; the data are made once, results and cache begin anew.
        arguments: of `cxr-bench run`.
        killed: the victims so far.
        run: the one that is to be disturbed.
    """

    folder: Path
    arguments: list[str]
    killed: list[str] = field(default_factory=list)
    run: subprocess.Popen | None = None

    def start(self, name: str) -> subprocess.Popen:
        """Begin or resume a run into a results folder of this name."""
        folders = {"results": name, "cache-dir": f"{name}-cache", "data-dir": "data"}
        options = [f"--{key}={self.folder / value}" for key, value in folders.items()]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*CLI, "run", *self.arguments, "--rerun", "failed", *options],
                stdout=log,
                stderr=log,
            )

    def finish(self, name: str) -> dict[str, bytes]:
        """Run to the end, undisturbed; returns the files that must not differ, by name."""
        if (self.run or self.start(name)).wait():
            raise SystemExit(f"the run failed; see {self.folder / name}.log")
        self.run = None
        results = self.folder / name
        subprocess.run(
            [*CLI, "leaderboard", "--no-cost", "--results", results],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        kept = [*results.glob("LEADERBOARD.md"), *results.glob("leaderboard.*")]
        kept += results.glob("predictions/*")
        return {str(path.relative_to(results)): path.read_bytes() for path in kept}

    def kill_once(self, name: str, victim: str, moment: Moment) -> bool:
        """Resume where nothing runs, and kill; False where the run was done before the moment."""
        run = self.run = self.run or self.start(name)
        if not moment(run):
            return False
        running = workers(run.pid)
        for pid in {"runner": [run.pid], "worker": running, "group": [run.pid, *running]}[victim]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if victim != "worker":  # else the run goes on
            run.wait()
            self.run = None
        _wait_for_end(running)
        if victim != "worker" or running:
            self.killed.append(victim)
        return True

    def forget(self, name: str) -> None:
        """Remove results and cache, to begin anew."""
        for folder in (name, f"{name}-cache"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)


def workers(runner: int) -> list[int]:
    """Process ids of a runner's workers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == runner and WORKER in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _wait_for_end(pids: list[int]) -> None:
    """A worker ends by itself when its runner has; nobody may have buried it yet."""
    while any(_state(pid) not in ("", "Z") for pid in pids):
        time.sleep(0.05)


def _state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _lasts(run: subprocess.Popen, seconds: float) -> bool:
    """Whether a run still goes on after so many seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(seconds)
        return False
    return True


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Names of files that are not there on both sides or have other bytes."""
    return sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))


def kill_and_compare(
    bench: Bench, expected: dict[str, bytes], kills: int, latest: float, seed: int
) -> list[str]:
    """Kill so many times, in rounds of the whole suite.

    Args:
        expected: files of an undisturbed run.
        latest: the most seconds from a resumption to the next kill.
        seed: of the moments.

    Returns:
        What differed, empty if nothing.
    """
    victims, draw = cycle(VICTIMS), random.Random(seed)
    wrong: list[str] = []
    while len(bench.killed) < kills:
        bench.forget("killed")
        going_on = True
        while going_on and len(bench.killed) < kills:
            victim, after = next(victims), draw.uniform(0, latest)
            going_on = bench.kill_once("killed", victim, partial(_lasts, seconds=after))
            told = f"killed the {victim}" if going_on else "the suite was done before"
            print(f"{len(bench.killed):3} after {after:5.1f} s: {told}", flush=True)
        differing = differences(expected, bench.finish("killed"))
        print(f"round complete: {len(differing)} of {len(expected)} files differ", flush=True)
        wrong += differing
    return wrong


def main() -> None:
    """Kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suite", default="phantom")
    parser.add_argument("--quick", action="store_true", help="a few specs on a small set")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), ["--suite", options.suite, *(QUICK if options.quick else [])])
        expected = bench.finish("undisturbed")
        begun = time.monotonic()
        wrong = differences(expected, bench.finish("again"))  # now that the data are made
        length = time.monotonic() - begun
        print(f"{len(expected)} files, {length:.0f} s undisturbed", flush=True)
        latest = 2 * length / A_ROUND
        wrong += kill_and_compare(bench, expected, options.kills, latest, options.seed)
        hidden = Path(folder, "killed").rglob(".*")
        leftovers = [str(p) for p in hidden if p.is_file() and p.name != ".gitignore"]
        kinds = ", ".join(f"{bench.killed.count(victim)} {victim}" for victim in VICTIMS)
    print(f"{len(bench.killed)} kills ({kinds}); files that differ: {wrong or 'none'}")
    print(f"hidden files left in the results: {[Path(p).name for p in leftovers] or 'none'}")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()

"""What a machine with an accelerator does with this package: versions, AUC, speed, memory.

    benchmarks/device.sh --data-dir DIR --out DIR

Parts run one after another, every measurement in a process of its own. What fails is recorded with
its error, and the next goes on; the file of results is written anew after every line that a
process tells. ``--quick`` is a rehearsal with tiny sizes, on a CPU too.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.device import card
from benchmarks.device.child import ERROR

SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""Memory is taken as it is needed, so that several processes may share a card."""
REPEATABLE = {
    "jax": {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"},
    "torch": {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
}
"""What more a backend can be asked from outside, so that the same spec gives the same bits."""
FIRST = "densenet121@224x64:mixed_bfloat16"
CASES = ["cnn@64x32", "cnn@224x32", "resnet50@64x32", "densenet121@64x32", "resnet50@224x32",
         "densenet121@224x32"]  # fmt: skip
FREE_GB = 4.0
"""Left of the card for the spec that is to run out of memory."""


class Findings:
    """All that was found out, as a JSON file that is complete at any time.

    What an earlier call found stays there until it is measured again.

    Raises:
        SystemExit: that was another card, or other code: one page is of one.
    """

    def __init__(self, path: Path, made: dict):
        self._path, self._began, self._lock = path, time.perf_counter(), threading.Lock()
        earlier = json.loads(path.read_text()) if path.exists() else {"made": made, "parts": {}}
        for fact in ("card", "code"):
            if (found := earlier["made"][fact]) != made[fact]:
                raise SystemExit(f"{path} is of another {fact} ({found}): choose another --out")
        self._found: dict = {"made": made, "parts": earlier["parts"]}

    def add(self, part: str, name: str, found: dict) -> None:
        """Keep a finding and write the file."""
        at = round(time.perf_counter() - self._began, 1)
        with self._lock:
            self._found["parts"].setdefault(part, {})[name] = found | {"at_s": at}
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(self._found, indent=1))
            temporary.replace(self._path)
        print(f"{at:7.1f} s  {part}: {name}: {json.dumps(found)[:300]}", flush=True)


class Measuring:
    """Starts the processes that measure.

    Args:
        options: of the command line.
        findings: gets what they tell.
    """

    def __init__(self, options, findings: Findings, folder: Path):
        self.options, self.findings, self.folder = options, findings, folder
        self._end = time.monotonic() + 60 * options.minutes

    def child(
        self, part: str, prefix: str, backend: str, command: list[str], seconds: float, **more: str
    ) -> None:
        """Run a process that tells what it finds, for so many seconds at most."""
        left = self._end - time.monotonic()
        if left < 5:
            self.findings.add(part, prefix, {ERROR: "left out: the time was up"})
            return
        environment = SHARED | os.environ | {"KERAS_BACKEND": backend} | more
        log = self.options.out / f"{part}.log".replace(" ", "-")
        before, begun = card.joules(), time.perf_counter()
        with (
            log.open("ab") as errors,
            subprocess.Popen(
                [sys.executable, *command],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            ) as process,
        ):
            killer = threading.Timer(min(seconds, left), process.kill)
            killer.start()
            for line in process.stdout:
                if line.startswith('{"name"'):
                    told = json.loads(line)
                    self.findings.add(part, f"{prefix} {told.pop('name')}", told)
            code = process.wait()
            killer.cancel()
        after = card.joules()
        ended = {"seconds": round(time.perf_counter() - begun, 1), "exit_code": code}
        if before is not None and after is not None:
            ended["joules"] = round(after - before)
        self.findings.add(part, f"{prefix} process", ended)

    def run(self, part: str, prefix: str, backend: str, what: str, folder: str, *given, **more):
        """A run of ``runs.py`` with a folder of its own."""
        command = ["-m", "benchmarks.device.runs", what, "--data-dir", str(self.options.data_dir)]
        command += ["--folder", str(self.folder / folder), "--dataset", self.options.dataset]
        if self.options.quick:
            given = (*given, "--epochs", "1")
        self.child(part, prefix, backend, [*command, *map(str, given)], 180, **more)


def facts(measuring: Measuring, backend: str) -> None:
    """Versions, arithmetic, and `cxr-bench doctor`."""
    for given in (["plain"], []):
        command = ["-m", "benchmarks.device.facts", *given]
        measuring.child("facts", backend, backend, command, 60)
    environment = SHARED | os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "doctor"]
    folders = ["--data-dir", str(measuring.options.data_dir)]
    folders += ["--results", str(measuring.folder / "doctor"), "--cache-dir", str(measuring.folder)]
    done = subprocess.run(
        [*command, *folders], capture_output=True, text=True, env=environment, timeout=240
    )
    lines = (done.stdout + done.stderr[-1500:]).splitlines()
    told = {"exit_code": done.returncode, "lines": lines}
    measuring.findings.add("facts", f"{backend} doctor", told)


def auc(measuring: Measuring, backends: list[str]) -> None:
    """The pneumonia suite's cnn; one of its specs again, and twice with what makes it repeatable.

    All side by side: this is not timed, and equal bits beside others are worth more.
    """
    seeds = 1 if measuring.options.quick else 3
    runs = []
    for backend in backends:
        repeatable = REPEATABLE.get(backend, {})
        runs += [(backend, "first", seeds, {}), (backend, "again", 1, {})]
        runs += [(backend, f"repeatable {i}", 1, repeatable) for i in (1, 2) if repeatable]
    threads = [
        threading.Thread(
            target=partial(measuring.run, **more),
            args=("auc", f"{backend} {name}", backend, "auc", f"auc {backend} {name}",
                  "--seeds", n),
        )
        for backend, name, n, more in runs
    ]  # fmt: skip
    for thread in threads:
        thread.start()
        if measuring.options.quick:
            thread.join()
    for thread in threads:
        thread.join()


def workers(measuring: Measuring, backend: str, jobs: list[int]) -> None:
    """Specs a minute with several workers on one device."""
    for n in jobs:
        seeds = n + 1 if measuring.options.quick else 12
        given = ("--seeds", seeds, "--jobs", n)
        measuring.run("workers", backend, backend, "workers", f"workers {backend} {n}", *given)


def memory(measuring: Measuring, backend: str) -> None:
    """A spec that does not fit beside what somebody else has taken; the next one does."""
    if card.name() is None:  # on a CPU it is the limit of the worker that is too small
        measuring.run("memory", backend, backend, "memory", f"memory {backend}",
                      "--memory-mb", 2500)  # fmt: skip
        return
    command = [sys.executable, "-m", "benchmarks.device.ballast", backend, str(FREE_GB)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ballast:
        taken = ballast.stdout.readline().strip() == b"taken"
        used = card.ask("--query-gpu=memory.used,memory.total")
        told = {"taken": taken, "used_of_total_mib": used}
        measuring.findings.add("memory", f"{backend} ballast", told)
        measuring.run("memory", backend, backend, "memory", f"memory {backend}")
        ballast.stdin.close()


def steps(measuring: Measuring, backend: str, cases: list[str], seconds: float) -> None:
    """Milliseconds a step."""
    if measuring.options.quick:
        cases = ["linear@32x8"]
    cache = {"JAX_COMPILATION_CACHE_DIR": str(measuring.options.kept / "xla")}
    command = ["-m", "benchmarks.device.steps", *cases]
    measuring.child("steps", backend, backend, command, seconds, **cache)


def parts(measuring: Measuring) -> dict[str, Callable[[], None]]:
    """What is done, in this order."""
    backends, found = measuring.options.backends, {}
    for backend in backends:
        found[f"facts-{backend}"] = partial(facts, measuring, backend)
    for backend in backends:
        found[f"first-{backend}"] = partial(steps, measuring, backend, [FIRST], 200)
    found["auc"] = partial(auc, measuring, backends)
    for backend in backends:
        found[f"memory-{backend}"] = partial(memory, measuring, backend)
    for backend in backends:
        found[f"workers-{backend}"] = partial(workers, measuring, backend, measuring.options.jobs)
    for backend in reversed(backends):  # JAX compiles for long
        found[f"steps-{backend}"] = partial(steps, measuring, backend, CASES, 260)
    return found


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="prepared sets")
    parser.add_argument("--dataset", default="kermany_pneumonia/internal")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path(tempfile.gettempdir()) / "cxr-device",
        help="for results and logs, and for compiled programs that another call may find again",
    )
    parser.add_argument("--backends", nargs="+", default=["jax", "torch"])
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--only", nargs="+", metavar="PART")
    parser.add_argument("--minutes", type=float, default=10.0, help="no part is begun behind them")
    parser.add_argument("--code", default="", help="which code this is, in words")
    parser.add_argument("--quick", action="store_true", help="tiny: only tries the script")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.kept.mkdir(parents=True, exist_ok=True)
    made = {
        "date": datetime.date.today().isoformat(),
        "card": card.name(),
        "code": options.code,
        "quick": options.quick,
        "command": sys.argv[1:],
    }
    findings = Findings(options.out / "device.json", made)
    folder = Path(tempfile.mkdtemp(prefix="runs-", dir=options.kept))
    work = parts(Measuring(options, findings, folder))
    if unknown := set(options.only or ()) - set(work):
        parser.error(f"--only {', '.join(unknown)}: choose from {', '.join(work)}")
    for name in options.only or work:
        try:
            work[name]()
        except Exception as error:
            findings.add("faults", name, {ERROR: f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()

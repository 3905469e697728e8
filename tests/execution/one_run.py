"""One run of several on a results folder, as a process: python one_run.py DATA RESULTS SLOTS LOG.

Its slots write a row in place of a training, and note in LOG which spec they began and did.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmark.data.prepared import load_prepared
from tests.execution.conftest import Bench, make_suite, write_row
from tests.execution.scripted import DONE, ScriptedExecutor

SEEDS = tuple(range(10))


def main(data_dir: str, results: str, slots: str, log: str) -> None:
    prepared = load_prepared("thorax_phantom/small", Path(data_dir))
    bench = Bench((prepared, Path(data_dir), Path(results) / "cache"), Path(results))
    plan = bench.plan(make_suite(["linear", "mlp"], seeds=SEEDS))
    planned = {each.spec.spec_id: each for each in plan.specs}

    def note(what: str, spec_id: str) -> None:
        with Path(log).open("a") as file:  # one short write: lines of several processes stay whole
            file.write(f"{what} {spec_id} {os.getpid()}\n")

    def ending(number, job):
        note("began", job.spec.spec_id)
        time.sleep(0.02)
        write_row(bench.results, planned[job.spec.spec_id])
        note("did", job.spec.spec_id)
        return DONE

    bench.run(plan, executor=ScriptedExecutor(int(slots), ending))


if __name__ == "__main__":
    main(*sys.argv[1:])

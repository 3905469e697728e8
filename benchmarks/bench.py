"""All speed measurements, each beside what it is compared with, as a page of Markdown.

    make bench
    python -m benchmarks.bench --quick --out page.md      # only tries the script
    python -m benchmarks.bench --only input               # one part again; writes no page

Every part runs in a process of its own. The page is for a quiet machine: nothing else may run.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import augmentation, finished, frozen, input_speed, jobs, spec_memory, spec_speed
from benchmarks.measure import HEAD, Measure, in_fresh_process

PAGE = Path(__file__).parent / "RESULTS.md"
TEXT = """# Measured speed

Written by `make bench` on {date}: {machine}, {versions}. Each line was measured beside what it is
compared with, in one run; a ratio is the median over pairs of runs that follow each other. For GPUs
and TPUs see [on an accelerator](DEVICE.md).

{table}

Scoring and leaderboard (`benchmarks/scoring.py`):

```
{scoring}
```

## Notes

{notes}
"""
NOTES = PAGE.with_name("NOTES.md")
"""What there is to say about lines whose aim was not reached; written by hand."""


def finished_cells(matrix: dict[str, list]) -> list[Measure]:
    """`cxr-bench run` where everything is done."""
    with tempfile.TemporaryDirectory() as folder:
        specs = finished.make_rows(Path(folder), matrix)
        took = min(finished.seconds(Path(folder), matrix) for _ in range(3))
    what = f"`cxr-bench run` on a suite of {specs:,} finished specs, leaderboard included"
    return [Measure(what, took, "s", goal="< 2 s", reached=took < 2)]


def frozen_backbone(options, model: str) -> list[Measure]:
    """A spec with a frozen backbone beside one pass of the backbone and the head's epochs."""
    least = in_fresh_process(frozen.least_cost, options, model)
    spec = in_fresh_process(frozen.cost_of_spec, options, model)
    ratio = spec["cpu"] / least["cpu"]
    what = f"frozen {model} at {options.size} px, {frozen.EPOCHS} epochs, processor time"
    beside = "one pass and the head"
    return [Measure(what, spec["cpu"], "s", ratio, least["cpu"], beside, "<= 1.3", ratio <= 1.3)]


def scoring(quick: bool) -> str:
    """What `benchmarks/scoring.py` prints."""
    few = ["--images", "500", "--resamples", "50", "--loop", "2", "--rows", "20"]
    command = [sys.executable, str(PAGE.with_name("scoring.py")), *(few if quick else [])]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def apart(work: Callable, *arguments) -> list[Measure]:
    """Measure in a fresh process."""
    return shown(in_fresh_process(work, *arguments))


def shown(measures: list[Measure]) -> list[Measure]:
    """The same, printed."""
    print(*(measure.line for measure in measures), sep="\n", flush=True)
    return measures


def parts(options) -> dict[str, Callable[[], list[Measure]]]:
    """What gives the lines of the table, by name."""
    dataset, data, quick = options.dataset, options.data_dir, options.quick
    images, pairs, drawn = (24, 1, 640) if quick else (3_000, 5, 60_000)
    few, models = (64, ["cnn"]) if quick else (1_024, None)
    return {
        "input": partial(apart, input_speed.measure, options.data, images, pairs, drawn),
        "augmentation": partial(apart, augmentation.measure, 320 if quick else 6_400, pairs),
        "training": partial(apart, spec_speed.measure, dataset, data, few, pairs, models),
        "suite": partial(
            apart, spec_speed.measure_share, dataset, data, 1 if quick else 10, models
        ),
        "jobs": partial(apart, jobs.measure, dataset, data, 1 if quick else 6, pairs),
        "memory": partial(apart, spec_memory.measure, dataset, data, 1 if quick else 3),
        "frozen": lambda: shown(frozen_backbone(options, "mobilenetv2")),
        "finished": partial(apart, finished_cells, finished.FEW if quick else finished.MATRIX),
    }


def page(measures: list[Measure], scored: str) -> str:
    """The page of results."""
    from benchmark.machine.environment import commit, current, environment_facts

    made = environment_facts(current())
    versions = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    return TEXT.format(
        date=datetime.date.today().isoformat(),
        machine=f"{made.cores} cores of {made.cpu}, {made.memory_gb} GB",
        versions=f"{versions}, commit {(commit() or 'unknown')[:12]}",
        table="\n".join([HEAD, *(measure.line for measure in measures)]),
        scoring=scored,
        notes=NOTES.read_text().strip() if NOTES.is_file() else "None.",
    )


def main() -> None:
    """Measure, print and write the page."""
    real = os.environ.get("CXR_BENCH_REAL_DATA")
    home = Path.home()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=real and Path(real), help="real X-rays")
    parser.add_argument("--dataset", default="thorax_phantom/default", help="to train on")
    parser.add_argument("--data-dir", type=Path, default=home / "tensorflow_datasets")
    parser.add_argument("--cache-dir", type=Path, default=home / ".cache/cxr-bench")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--only", metavar="PART", help="this part alone, printed")
    parser.add_argument("--quick", action="store_true", help="tiny: only tries the script")
    options = parser.parse_args()
    options.size, options.limit = 64, 100 if options.quick else 1_000  # for the frozen backbone
    work = parts(options)
    if options.only and options.only not in work:
        parser.error(f"--only {options.only}: choose from {', '.join(work)}")
    print(HEAD, flush=True)
    if options.only:
        work[options.only]()
        return
    measures = [line for part in work.values() for line in part()]
    text = page(measures, scoring(options.quick))
    options.out.write_text(text)
    print(f"Written: {options.out}")


if __name__ == "__main__":
    main()

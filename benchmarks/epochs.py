"""What an epoch of every model, size and scheme of a suite costs, run by hand before the suite is.

Each is trained for three short epochs in a process of its own, on the images of a data set of the
suite; the first one, in which everything is compiled, does not count. Processor seconds, so that
what else runs on the machine changes little; on one core they are about those of the clock.

    python -m benchmarks.epochs reference --limit 512 --data-dir DIR
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.measure import in_fresh_process
from benchmarks.planned import plan_of

EPOCHS = 3
Key = tuple[str, str, int]
"""Model, scheme and size; what an epoch costs depends on nothing else by much."""


def key_of(spec: Any) -> Key:
    return spec.model, spec.scheme, spec.resolution


def points(options: argparse.Namespace) -> tuple[dict[Key, Any], Counter[Key]]:
    """A spec that is trained by gradient for each key, and how many of the suite share it.

    Raises:
        SystemExit: there is none, on the data sets that are prepared here.
    """
    from benchmark.suites.files import load_suite

    own = options.suite.endswith(".toml")
    suite = load_suite(Path(options.suite) if own else options.suite)
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(suite, options.data_dir, Path(folder), options.limit)
    names = {name for name, _ in suite.datasets}  # not the set of a network that finds lungs
    trained = [p for p in plan.specs if p.spec.recipe and p.spec.dataset in names]
    if missing := names & plan.unprepared.keys():
        print(f"left out, not prepared here: {', '.join(sorted(missing))}", file=sys.stderr)
    if not trained:
        raise SystemExit(f"{suite.name}: nothing that is prepared here is trained by gradient")
    number = Counter(key_of(p.spec) for p in trained)
    return {key_of(p.spec): p for p in reversed(trained) if not p.spec.requires}, number


def seconds_of_image(options: argparse.Namespace, key: Key) -> float:
    """Processor seconds that an epoch takes for each image of the training split."""
    from msgspec import structs

    from benchmark.kinds.running import run_spec
    from benchmark.machine.environment import current
    from benchmark.records.store import Results
    from benchmark.training.context import Context
    from benchmark.training.network import configure_framework

    configure_framework(current())
    planned = points(options)[0][key]
    recipe = planned.spec.recipe | {"epochs": EPOCHS, "patience": EPOCHS, "head_epochs": 1}
    spec = structs.replace(planned.spec, recipe=recipe, augmentation="strong")
    ends: list[float] = []

    def note(event: dict) -> None:
        if event["event"] == "epoch":
            ends.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder) / "results")
        context = Context(options.data_dir, options.cache_dir, results, "speed", current())
        run_spec(spec, planned.model_file, context, note)
    return (ends[-1] - ends[-2]) / min(options.limit, planned.prepared.counts["train"].images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", help="a suite's name, or the path of a .toml")
    parser.add_argument("--limit", type=int, default=512)
    parser.add_argument("--data-dir", type=Path, default=Path("~/tensorflow_datasets").expanduser())
    parser.add_argument("--cache-dir", type=Path, default=Path("~/.cache/cxr-bench").expanduser())
    options = parser.parse_args()
    specs, number = points(options)
    print("| model | scheme | size | images/s | s an epoch | specs | hours at most |")
    print("|:--|:--|--:|--:|--:|--:|--:|")
    for key, planned in specs.items():
        rate = in_fresh_process(seconds_of_image, options, key)
        epoch = rate * planned.prepared.counts["train"].images
        hours = epoch * planned.spec.recipe["epochs"] * number[key] / 3600
        model, scheme, size = key
        print(f"| `{model}` | {scheme} | {size} | {1 / rate:,.0f} | {epoch:.1f} | {number[key]} "
              f"| {hours:.1f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

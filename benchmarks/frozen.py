"""What a spec with a frozen backbone costs, beside the least it could cost, run by hand.

The spec is run as in any suite, in a process of its own: views are there, features are not. The
least is one pass of the backbone over all images with ``predict``, and the same epochs of the head
with ``fit`` on features in memory. Wall-clock seconds and CPU seconds, which a busy machine
falsifies less; the aim is a ratio of at most 1.3.

    python -m benchmarks.frozen resnet50 mobilenetv2 --dataset kermany_pneumonia/internal
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import in_fresh_process
from benchmarks.planned import plan_of

EPOCHS = 10


def planned_spec(options, model: str, folder: Path):
    """The one spec of a suite with a frozen random backbone."""
    from benchmark.suites.axes import DEFAULTS
    from benchmark.suites.suite import Suite

    axes = {"datasets": [options.dataset], "models": [model], "resolutions": [options.size]}
    matrix = DEFAULTS | axes | {"seeds": [0], "scheme": ["frozen"], "weights": ["random"]}
    suite = Suite("speed", "", "", matrix, recipe={"epochs": EPOCHS, "patience": EPOCHS})
    return plan_of(suite, options.data_dir, folder, options.limit).specs[0]


def cost_of_spec(options, model: str) -> dict[str, float]:
    """Seconds of the spec without its views, and of its phases."""
    from benchmark.kinds.running import run_spec
    from benchmark.machine.environment import current
    from benchmark.training.context import Context
    from benchmark.training.network import configure_framework

    configure_framework(current())
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        (cache / "views").symlink_to((options.cache_dir / "views").resolve())
        planned = planned_spec(options, model, Path(folder))
        context = Context(options.data_dir, cache, planned_results(folder), "speed", current())
        with Clock() as clock:
            row = run_spec(planned.spec, planned.model_file, context, lambda event: None)
    phases = {f"  {name}": seconds for name, seconds in row.phases.items()}
    return {"wall": clock.wall, "cpu": clock.cpu} | phases


def least_cost(options, model: str) -> dict[str, float]:
    """Seconds of one pass over the images and of the head's epochs, by Keras alone."""
    from benchmark.data.prepared import SPLITS
    from benchmark.data.views import open_view
    from benchmark.machine.environment import current
    from benchmark.training.frozen import cut
    from benchmark.training.network import configure_framework, fresh_model

    configure_framework(current())
    planned = planned_spec(options, model, Path("nowhere"))
    images = {
        split: open_view(planned.prepared, split, options.size, "raw", options.cache_dir).images
        for split in SPLITS
    }
    images = {split: np.array(each[: options.limit]) for split, each in images.items()}
    targets = planned.prepared.part("train").targets[: options.limit]
    backbone, head = cut(fresh_model(planned.spec, planned.model_file, planned.prepared.task))
    with Clock() as clock:
        features = {
            split: backbone.predict(
                each[..., None].astype(np.float32) / 255, batch_size=64, verbose=0
            ).astype(np.float32)
            for split, each in images.items()
        }
        head.compile("adam", "mse")
        head.fit(features["train"], targets, batch_size=32, epochs=EPOCHS, verbose=0)
    return {"wall": clock.wall, "cpu": clock.cpu}


def planned_results(folder: str):
    """A results folder that is thrown away."""
    from benchmark.records.store import Results

    return Results(Path(folder) / "results")


class Clock:
    """Wall-clock and CPU seconds of a block."""

    def __enter__(self):
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def __exit__(self, *_):
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--dataset", default="thorax_phantom/default")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--data-dir", type=Path, default=Path("~/tensorflow_datasets").expanduser())
    parser.add_argument("--cache-dir", type=Path, default=Path("~/.cache/cxr-bench").expanduser())
    options = parser.parse_args()
    for model in options.models:
        least = in_fresh_process(least_cost, options, model)
        spec = in_fresh_process(cost_of_spec, options, model)
        print(f"{model} at {options.size} px, {EPOCHS} epochs, {options.limit} images a split")
        for kind in ("wall", "cpu"):
            whole, part = spec[kind], least[kind]
            print(f"  {kind}: spec {whole:.1f} s, least {part:.1f} s, ratio {whole / part:.2f}")
        phases = (f"{name.strip()} {value:.1f}" for name, value in spec.items() if " " in name)
        print(f"  phases: {', '.join(phases)}")


if __name__ == "__main__":
    main()

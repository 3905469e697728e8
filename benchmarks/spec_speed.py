"""What a spec costs over the bare training loop, and how much of it is not training.

The bare loop is ``model.fit`` on the same images as float arrays in memory, with the same
optimizer, precision, validation images and callback; both sides trace their step anew in every
pair. The share is of all specs of a suite, with the start of their worker.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measure import Measure, alternating
from benchmarks.planned import one_model, plan_of

SIZE, BATCH = 64, 32
MOST_SHARE = 0.15
MODELS = {"cnn": (1.05, 10, 1_024), "resnet50": (1.03, 2, 512)}
"""Highest ratio aimed at; epochs of a pair, and images of an epoch."""
SUITE, EPOCHS = "pneumonia", 10
"""Of which the share is measured."""


def measure(
    dataset: str, data_dir: Path, most: int, pairs: int, models: list[str] | None = None
) -> list[Measure]:
    """The training loop beside the bare one.

    Args:
        dataset: a prepared set.
        most: images of the training split that an epoch takes at most.
        pairs: measurements of both.
        models: of :data:`MODELS`; None for all.
    """
    from benchmark.machine.environment import current
    from benchmark.training.network import configure_framework

    configure_framework(current())
    with tempfile.TemporaryDirectory() as folder:
        return [
            _ratio(name, dataset, data_dir, Path(folder), most, pairs) for name in models or MODELS
        ]


def _ratio(name: str, dataset: str, data_dir: Path, folder: Path, most: int, pairs: int) -> Measure:
    goal, epochs, images = MODELS[name]
    planned = _planned(name, dataset, data_dir, folder, epochs)
    job = _job(planned, data_dir, folder, min(images, most))
    found = alternating(partial(_spec, job), partial(_bare, job), pairs)
    what = f"training {name} at {SIZE} px, {epochs} epochs of {len(job.train.images):,} images"
    aim = {"beside": "bare model.fit", "goal": f"<= {goal}", "reached": found.ratio <= goal}
    return Measure(what, found.ours, "s", found.ratio, found.theirs, cpu=found.cpu, **aim)


def _planned(name: str, dataset: str, data_dir: Path, folder: Path, epochs: int):
    recipe = {"epochs": epochs, "patience": epochs, "batch_size": BATCH}
    return plan_of(one_model(name, dataset, SIZE, recipe), data_dir, folder).specs[0]


def _job(planned, data_dir: Path, folder: Path, images: int):
    """What a spec's training gets, of so many images: whole batches, so that both see the same."""
    from benchmark.kinds.job import SpecJob
    from benchmark.machine.environment import current
    from benchmark.protocols import spec_data
    from benchmark.records.store import Results
    from benchmark.training.context import Context, Phases

    folders = (data_dir, folder / "cache", Results(folder / "results"))
    context = Context(*folders, "speed", current())
    data = spec_data(planned.spec, planned.prepared)
    whole = min(images, len(data["train"].part)) // BATCH * BATCH
    data["train"] = data["train"].take(np.arange(whole))
    facts = (planned.spec, planned.model_file, planned.prepared, data)
    job = SpecJob(*facts, context, Phases(), lambda event: None)
    return job.training(job.images())


def _model(job):
    from benchmark.training.network import fresh_model

    return fresh_model(job.spec, job.model_file, job.task)


def _spec(job) -> None:
    from benchmark.training.checkpoints import remove_checkpoints
    from benchmark.training.stage import train_whole

    job.context.compiled.forget_others("")
    train_whole(_model(job), job)
    remove_checkpoints(job.context.results.checkpoints, job.spec)


def _bare(job) -> None:
    """The loop as anyone would write it, with the callback that keeps the best epoch."""
    from benchmark.data.heartbeat import Heartbeat
    from benchmark.training.clock import TrainingClock
    from benchmark.training.fit import BestEpoch, validation_auc
    from benchmark.training.optimizer import compile_model

    x, y = _floats(job.train.images), np.asarray(job.train.targets, np.float32)
    seen = _floats(job.images["validation"])
    targets = np.where(job.validation.labelled, job.validation.targets, np.nan)

    def logits(model):
        return model.predict(seen, batch_size=BATCH * 2, verbose=0)

    by_auc = validation_auc(logits, targets, job.task, job.loss)
    model, epochs = _model(job), job.recipe.epochs
    compile_model(model, job.loss, job.recipe, len(x) // BATCH, job.context.environment.device)
    keeper = BestEpoch(by_auc, job.recipe, lambda *_: None, None, TrainingClock(Heartbeat()))
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[keeper])


def _floats(images) -> np.ndarray:
    return np.asarray(images[:], np.float32)[..., None] / 255


def measure_share(
    dataset: str, data_dir: Path, most: int, models: list[str] | None = None
) -> list[Measure]:
    """How much of the time of a suite's specs is neither training step nor waiting for batches.

    The suite is :data:`SUITE`, ensembles included, with one seed, and every spec in full.

    Args:
        dataset: a prepared set.
        most: epochs that a spec takes at most; none stops early.
        models: of the suite, without its ensembles; None for all.
    """
    from benchmark.machine.environment import current
    from benchmark.scheduling.profile import Profiler
    from benchmark.scheduling.runner import run_plan
    from benchmark.scheduling.slots import Folders
    from benchmark.suites.files import load_suite

    epochs, suite = min(EPOCHS, most), load_suite(SUITE)
    matrix = suite.matrix | {"datasets": [dataset], "resolutions": [SIZE], "seeds": [0]}
    recipe = suite.recipe | {"epochs": epochs, "patience": epochs}
    suite = replace(suite, matrix=matrix, recipe=recipe)
    if models:
        suite = replace(suite, matrix=matrix | {"models": models}, ensembles=())
    with tempfile.TemporaryDirectory() as folder:
        folders = Folders(data_dir, Path(folder) / "cache", Path(folder) / "results")
        plan, profiler = plan_of(suite, data_dir, Path(folder)), Profiler()
        ended = run_plan(plan, folders, current(), profiler)
    if ended["done"] != len(plan.specs):
        raise RuntimeError(f"not every spec of {SUITE} was done: {dict(ended)}")
    print(*profiler.lines(), sep="\n", flush=True)
    outside, whole = profiler.outside_training()
    what = f"time outside training steps, {SUITE} at {SIZE} px, {epochs} epochs of {dataset}"
    share, goal = outside / whole, f"<= {MOST_SHARE}"
    beside = f"{ended['done']} specs"
    return [Measure(what, outside, "s", share, whole, beside, goal, share <= MOST_SHARE)]

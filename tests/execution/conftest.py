"""A suite over a small prepared set, and model files that go wrong in every way."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from benchmark.hashing import sha256_of_file
from benchmark.kinds.running import base_row
from benchmark.machine.environment import Environment
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.records.run_facts import Failure
from benchmark.records.store import Results
from benchmark.scheduling.runner import Options, run_plan
from benchmark.scheduling.slots import Folders
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.suite import Suite
from tests.execution.here import Here

ENVIRONMENT = Environment("tensorflow", "cpu", 1)
CARD = """
import os
import keras

CARD = {
    "title": "T", "description": "D.", "reference": "none", "source_system": "", "inputs": "image",
    "channels": 1, "own_normalisation": "unit", "min_size": 1, "max_size": None,
    "parameters": {"size": 8, "channels": 1, "outputs": 1, "count": 65}, "gmacs_224": 0.0,
    "weights": {}, "deterministic": False,
}
"""
LINEAR = """
    images = keras.Input(input_shape)
    flat = keras.layers.Flatten()(images)
    return keras.Model(images, keras.layers.Dense(task.n_outputs, name="logits")(flat))
"""
BAD_MODELS = {
    "exits": CARD + "def build(input_shape, task, weights):\n    os._exit(3)\n",
    "raises": CARD + "def build(input_shape, task, weights):\n    raise KeyError('oops')\n",
    "diverges": CARD
    + "def build(input_shape, task, weights):"
    + LINEAR.replace("(images)\n", "(images * float('nan'))\n", 1),
    "broken": "this is not Python\n",
}


@pytest.fixture(scope="session")
def bad_models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad_models")
    for name, text in BAD_MODELS.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def make_suite(models, *, seeds=(0,), size=16, recipe=None, **matrix) -> Suite:
    given = {"datasets": ["thorax_phantom/small"], "models": list(models), "resolutions": [size]}
    recipe = {"epochs": 2, "batch_size": 16} | (recipe or {})
    full = DEFAULTS | given | {"seeds": list(seeds)} | matrix
    return Suite("test", "Test", "", full, recipe)


class Bench:
    """Plans and runs suites on the small phantom, into one results folder."""

    def __init__(self, phantom, results: Path, models_dirs=()):
        self.prepared, self.data_dir, self.cache_dir = phantom
        self.results = Results(results)
        self.models_dirs = tuple(models_dirs)

    def inputs(self, prepared=None, limit=None, precision=None, others=(), no_test=False):
        """What a plan is made from; ``others`` are prepared sets beside the small phantom."""
        return PlanInputs(
            discover(self.models_dirs),
            {"thorax_phantom/small": prepared or self.prepared, **dict(others)},
            self.results,
            limit,
            precision=precision,
            no_test=no_test,
        )

    def plan(
        self,
        *suites,
        prepared=None,
        limit=None,
        precision=None,
        others=(),
        no_test=False,
        **options,
    ):
        inputs = self.inputs(prepared, limit, precision, others, no_test)
        return make_plan(suites, inputs, **options)

    def run(
        self, plan, watch=lambda planned, event: None, executor=None, *, isolated=False, **options
    ):
        """Run a plan in this process, or in workers where it must be ``isolated``."""
        folders = Folders(self.data_dir, self.cache_dir, self.results.folder, self.models_dirs)
        if not (isolated or executor):
            executor = Here(folders, ENVIRONMENT)
        return run_plan(plan, folders, ENVIRONMENT, watch, Options(**options), executor)

    def rows(self):
        """Rows by model name; the last seed's where there are several."""
        return {row.spec.model: row for row in self.results.rows()}


@pytest.fixture
def bench(phantom, tmp_path):
    return Bench(phantom, tmp_path / "results")


def hashes(folder: Path) -> dict[str, str | None]:
    """By spec what the prediction file of each row of a results folder was."""
    return {row.spec_id: row.predictions_sha256 for row in Results(folder).rows()}


def with_leakage(prepared, status):
    derived = msgspec.structs.replace(prepared.derived, leakage_status=status, reasons=["because"])
    return dataclasses.replace(prepared, derived=derived)


def write_row(results, planned, status="done", **changes):
    """Save and return the row of a spec that was never run.

    A finished one has a file in place of its predictions, since without that it counts as missing;
    a failed one has a reason, unless ``changes`` has another.
    """
    row = base_row(planned.spec, planned.prepared, planned.model_file, planned.suite, ENVIRONMENT)
    if status == "done":
        path = results.predictions_path(row.spec_id, row.dataset.redistributable)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"nothing that could be read")
        ending = {"predictions_sha256": sha256_of_file(path)}
    else:
        ending = {"error": Failure(reason="it fell")}
    row = msgspec.structs.replace(row, status=status, **ending | changes)
    results.row_path(row.spec_id).unlink(missing_ok=True)  # or a failure would give way
    results.write_row(row)
    return row

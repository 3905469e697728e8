"""Two small prepared sets: the phantom (multilabel), and one with three exclusive findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmark import cli
from benchmark.data.prepared import load_prepared
from benchmark.suites.ensembles import Ensemble
from tests.execution.conftest import Bench, make_suite

LEVELS = {"left": (200, 60), "right": (60, 200), "grey": (126, 130), "greyish": (130, 126)}
"""Grey level of the left and of the right half."""
MODELS = ("constant", "linear", "mlp")


def with_ensembles(*ensembles: Ensemble, models=MODELS, seeds=(0,), **options):
    """A suite of these models on the phantom, and ensembles of them."""
    return replace(make_suite(models, seeds=seeds, **options), ensembles=ensembles)


class Workbench(Bench):
    """Plans and runs suites on one set.

    ``reasons`` has why each model of the last run failed: a failure leaves no row where there is a
    finished one.
    """

    def run(self, plan, **options):
        self.reasons = {}

        def watch(planned, event):
            if event["event"] == "failed":
                self.reasons[planned.spec.model] = event["reason"]

        return super().run(plan, watch, **options)


@pytest.fixture
def bench(phantom, tmp_path):
    return Workbench(phantom, tmp_path / "results")


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    """Images of four classes, two of them alike; returns (facts, data folder, cache folder)."""
    raw, data, cache = (tmp_path_factory.mktemp(name) for name in ("raw", "data", "cache"))
    random = np.random.default_rng(0)
    for name, levels in LEVELS.items():
        (raw / name).mkdir()
        for i in range(60):
            pixels = random.normal(np.repeat(levels, 8), 25, (16, 16)).clip(0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(raw / name / f"{name}{i}_1.png")
    options = ["--name", "greys", "--patient-pattern", "^([a-z0-9]+)_"]
    arguments = ["prepare", "image_folder", "--manual-dir", raw, "--data-dir", data, *options]
    result = CliRunner().invoke(cli.main, [*map(str, arguments), "--cache-dir", str(cache)])
    assert result.exit_code == 0, result.output
    return load_prepared("image_folder/greys", Path(data)), data, cache

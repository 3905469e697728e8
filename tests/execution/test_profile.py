"""Where the time of a spec went."""

from __future__ import annotations

import threading
import time

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.data.heartbeat import Heartbeat
from benchmark.data.pipeline import training_batches
from benchmark.kinds.profile import COLUMNS, profile, speed
from benchmark.records.run_facts import Speed
from benchmark.records.store import Results
from benchmark.training import feeding
from benchmark.training.checkpoint import Timed
from benchmark.training.clock import TrainingClock
from benchmark.training.context import Phases
from benchmark.training.feeding import is_sent_ahead, sent_ahead

PAUSE = 0.03


class SlowImages:
    """Images that are read one batch at a time, each after a pause."""

    def __init__(self, pause):
        self._images = np.zeros((80, 8, 8), np.uint8)
        self._pause, self._lock = pause, threading.Lock()
        self.shape, self.dtype = self._images.shape, self._images.dtype

    def __len__(self):
        return len(self._images)

    def __getitem__(self, rows):
        with self._lock:
            time.sleep(self._pause)
            return self._images[rows]


def slow_batches(images, heartbeat, epochs):
    how = {"batch_size": 4, "seed": 0, "epochs": epochs, "heartbeat": heartbeat}
    return training_batches(images, np.zeros((80, 1)), **how)


def trained(pause, seconds_a_step, device):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            time.sleep(seconds_a_step)

    heartbeat = Heartbeat()
    batches = sent_ahead(slow_batches(SlowImages(pause), heartbeat, epochs=2), device)
    clock = TrainingClock(heartbeat, ahead=is_sent_ahead(device))
    model.fit(
        batches, epochs=2, steps_per_epoch=20, shuffle=False, verbose=0, callbacks=[Slow(), clock]
    )
    return clock.timed.parts


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_waiting_for_images_is_told_from_computing(device, monkeypatch):
    monkeypatch.setattr(feeding, "GPU", "/cpu:0")
    waiting, computing = trained(PAUSE, 0.0, device), trained(0.0, PAUSE, device)
    assert waiting["input"] > 20 * PAUSE > waiting["steps"]
    assert computing["steps"] > 20 * PAUSE > computing["input"]
    assert waiting["first step"] > 0


class SlowlyTraced(keras.layers.Layer):
    """Takes its time whenever it is traced, and none in a step."""

    def call(self, x):
        time.sleep(0.5)
        return x


def test_tracing_is_no_waiting_for_images():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), SlowlyTraced()])
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse")
    clock = TrainingClock(heartbeat := Heartbeat())
    batches = slow_batches(SlowImages(0.0), heartbeat, epochs=1)
    options = {"steps_per_epoch": 20, "shuffle": False, "verbose": 0}
    model.fit(batches, callbacks=[clock], **options)
    assert clock.timed.parts["first step"] >= 0.5 > clock.timed.parts["input"]


def test_the_parts_add_up_to_the_whole():
    phases = {"views": 1.0, "train": 9.0, "predict": 2.0, "write": 0.25, "score": 0.25}
    training = {"first step": 3.0, "input": 1.0, "steps": 4.0, "evaluation": 0.5}
    told = profile(phases, training, 13.0)
    assert tuple(told) == COLUMNS
    assert sum(told.values()) == pytest.approx(13.0)
    assert told["evaluation"] == 2.5
    assert told["other"] == pytest.approx(1.0)


def test_what_a_stage_took_before_it_was_interrupted_counts():
    phases = Phases()
    with phases.phase("train"):
        phases.add_stage(Timed({"steps": 60.0, "evaluation": 4.0}, 30), 0.0, batch=8)
        phases.add_stage(Timed({"steps": 100.0, "input": 1.0}, 50), 90.0, batch=4)
    assert phases.training == {"steps": 160.0, "evaluation": 4.0, "input": 1.0}
    assert phases.seconds["train"] == pytest.approx(90.0, abs=1.0)
    assert phases.images == 440
    assert phases.earlier == 90.0


def test_speed_is_that_of_the_steps_after_the_first_with_the_wait_for_them():
    training = {"first step": 30.0, "input": 1.0, "steps": 4.0, "evaluation": 0.5}
    told = speed(training, 1000, 300, 2)
    assert told == Speed(images_per_second=200.0, waiting=0.2, device_memory_mb=300, sharing=2)
    assert speed({"first step": 30.0}, 0, None, 1) == Speed()
    assert speed({}, 0, None, 1) is None, "nothing was trained"


def test_a_run_prints_them_and_rows_keep_them(phantom, tmp_path):
    _, data_dir, cache_dir = phantom
    folders = ["--results", tmp_path, "--data-dir", data_dir, "--cache-dir", cache_dir]
    command = ["run", "--suite", "phantom", "--dataset", "thorax_phantom/small", "--profile"]
    command += ["--filter", "model=constant|linear,seed=0", *map(str, folders)]
    output = CliRunner().invoke(main, command).output
    told = reversed(output.splitlines())  # the leaderboard's top comes after the profile
    lines = {words[0]: words for line in told if (words := line.split())}
    assert lines["linear"][1] == "1"
    assert lines["all"][1] == "2"
    shares = [float(share.rstrip("%")) for share in lines["share"][1:]]
    assert sum(shares) == pytest.approx(100, abs=4)
    assert "Workers started: 1" in output
    rows = {row.spec.model: row for row in Results(tmp_path).rows()}
    assert set(rows["linear"].profile) == set(COLUMNS)
    assert min(rows["linear"].profile.values()) >= 0
    assert rows["linear"].profile["first step"] > 0
    assert rows["linear"].speed.images_per_second > 1
    assert 0 <= rows["linear"].speed.waiting <= 1
    assert rows["constant"].speed is None

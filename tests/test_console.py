from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest

from benchmark.console import Console, duration
from benchmark.models import ModelFile, discover
from benchmark.planning.plan import Plan, PlannedSpec
from benchmark.records.facts import SplitCounts
from tests.records.rows import a_spec
from tests.terminal import Terminal

SPEC = a_spec(dataset="set/config")
COUNTS = dict.fromkeys(
    ("train", "validation", "test"), SplitCounts(images=1000, patients=500, positives={})
)


def planned():
    prepared = SimpleNamespace(counts=COUNTS)
    return PlannedSpec(SPEC, "suite", prepared, discover()["cnn"], "missing")


def shown(out, *events):
    spec = planned()
    console = Console(Plan(specs=[spec]), out=out)
    for event in events:
        console(spec, event)
    return out.getvalue()


START = {"event": "start"}
EPOCH = {"event": "epoch", "epoch": 2, "epochs": 10, "loss": 0.51234, "val_auc": None}
DONE = {"event": "done", "seconds": 75.0, "headline": ("test AUC", 0.91234)}


def test_a_log_gets_one_line_a_spec():
    text = shown(io.StringIO(), START, EPOCH, DONE)
    assert text == "[1/1] set/config cnn 64px seed 0  done in 75 s, test AUC 0.912\n"


def test_a_terminal_gets_a_moving_line_too(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(Terminal(), START, EPOCH, DONE)
    assert "epoch 2/10 loss 0.512 validation AUC undefined" in text
    assert text.endswith("test AUC 0.912\n")


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_line_is_wider_than_the_window(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    event = {"event": "view", "split": "train", "done": 1_000_000, "total": 2_000_000}
    text = shown(Terminal(), START, event, EPOCH, DONE)
    lines = re.split(r"[\r\n]+", re.sub(r"\033\[[A-Z0-9]*", "", text))
    assert max(map(len, lines)) <= columns
    assert "epoch 2/10" in text
    assert "seed 0" in text
    assert " ".join(text.split()).endswith("test AUC 0.912")


def test_decoding_is_shown(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    event = {"event": "view", "split": "train", "done": 5, "total": 9}
    assert "decoding train 5/9" in shown(Terminal(), START, event)


def test_a_failure_says_why():
    event = {"event": "failed", "status": "not_runnable", "reason": "no metadata"}
    assert "not runnable: no metadata" in shown(io.StringIO(), START, event)


def test_a_model_that_says_no_size_is_priced_when_it_is_built(tmp_path):
    card = discover()["cnn"].card
    prepared = SimpleNamespace(counts=COUNTS)

    def specs(**stated):
        file = ModelFile("mine", tmp_path / "mine.py", card | stated)
        each = [a_spec(seed=seed, recipe={"epochs": 2}) for seed in range(2)]
        return [PlannedSpec(spec, "suite", prepared, file, "missing") for spec in each]

    known, unknown = specs(), specs(gmacs_224=None)
    told = Console(Plan(specs=unknown), out=io.StringIO())
    assert told.priced < Console(Plan(specs=known), out=io.StringIO()).priced
    told(unknown[0], {"event": "size", "gmacs_224": card["gmacs_224"]})
    assert told.priced == Console(Plan(specs=known), out=io.StringIO()).priced


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (89, "89 s"), (600, "10 min"), (5399, "1 h 30 min"), (11100, "3 h 05 min")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text

"""A training's time is told where all of it was timed."""

from __future__ import annotations

import pytest

from benchmark.records.facts import SplitCounts
from benchmark.records.run_facts import History, Speed
from benchmark.records.timing import training_seconds
from benchmark.report.gathering.cost import phases
from tests.records.rows import a_row, a_spec

EPOCHS, BATCH, IMAGES = 30, 64, 643


def timed(images, *, epochs=EPOCHS, stages=None):
    """A row whose clock saw these images in 100 seconds of steps."""
    return a_row(
        a_spec(recipe={"batch_size": BATCH}),
        history=History(best_epoch=0, loss=[0.5] * epochs, stages=stages),
        counts={"train": SplitCounts(IMAGES, 300, {})},
        phases={"train": 120.0},
        profile={"input": 10.0, "steps": 90.0},
        speed=Speed(images_per_second=round(images / 100, 2)),
    )


ALL = EPOCHS * (IMAGES // BATCH) * BATCH


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        (timed(ALL - BATCH), 120.0),
        (timed(0.4 * ALL), None),
        (timed(ALL - 2 * BATCH, stages=[("head", 5), ("all layers", 25)]), 120.0),
        (timed(9 * BATCH, epochs=1), 120.0),
        (a_row(phases={"train": 3.0}), 3.0),
        (a_row(phases={}), None),
    ],
    ids=["whole", "interrupted", "two stages", "one epoch", "no speed", "not trained"],
)
def test_time_after_an_interruption_alone_is_no_training_time(row, seconds):
    assert training_seconds(row) == seconds


def test_the_page_of_a_row_says_which_part_was_timed():
    assert phases(timed(ALL - BATCH)) == "train 2 min 00 s"
    assert phases(timed(0.4 * ALL)) == "train 2 min 00 s (since it was interrupted)"

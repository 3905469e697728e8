"""Where the time of a training goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from benchmark.data.heartbeat import Heartbeat
from benchmark.training.checkpoint import Timed


class TrainingClock(keras.callbacks.Callback):
    """Adds up the wall-clock seconds of the parts of a stage of a training.

    ``first step`` has the tracing, the compilation and the wait for the first batch in it, which is
    asked for when all is traced; ``input`` is waiting for later batches, and ``steps`` what else
    the training steps take. On an accelerator that computes while Python goes on, the wait for a
    step may show in a later one.

    Args:
        heartbeat: of the batches that are trained on.
        ahead: whether these are handed over to a buffer, which asks for the next one while a step
            takes its time.

    Attributes:
        timed: the seconds, and the steps but the first.
        earlier: seconds of these that were spent before the training was interrupted.
    """

    def __init__(self, heartbeat: Heartbeat, *, ahead: bool = False):
        super().__init__()
        self.timed, self.earlier = Timed(), 0.0
        self._heartbeat, self._ahead = heartbeat, ahead
        self._step, self._since = "first step", 0.0

    def go_on_from(self, timed: Timed) -> None:
        """Count what the epochs took that a checkpoint holds."""
        self.timed, self.earlier = timed, sum(timed.parts.values())

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time of the block to a part."""
        begun = time.perf_counter()
        yield
        self._add(name, time.perf_counter() - begun)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget what was handed over to others."""
        self._heartbeat.handed_over.clear()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin to wait for the epoch's first batch."""
        self._since = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Tell what of the time since the last batch was waiting."""
        now = time.perf_counter()
        handed_over = self._handed_over()
        if self._step == "steps":
            waited = max(0.0, handed_over - self._since)
            self._add("input", waited)
            self.timed.later_steps += 1
        else:
            waited = 0.0
        self._add(self._step, now - self._since - waited)
        self._step, self._since = "steps", now

    def _handed_over(self) -> float:
        """When the step had what it waited for: its own batch, or the last one that was asked for.

        Before a step Keras asks for the batch of the next one, on accelerators under JAX, and waits
        for that; for none before the last.
        """
        times = self._heartbeat.handed_over
        found = times.popleft() if times else 0.0
        while times and not self._ahead:
            found = times.popleft()
        return found

    def _add(self, name: str, seconds: float) -> None:
        self.timed.parts[name] = self.timed.parts.get(name, 0.0) + seconds

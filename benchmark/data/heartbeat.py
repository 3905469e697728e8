"""Signs of life: when batches were read and handed over, for whoever watches a training.

A watcher can so tell work from a hang, and waiting for images from computing. Reading stops soon
after training does, because only a few batches are made ahead.
"""

from __future__ import annotations

import time


class Heartbeat:
    """Counts batches; may miss a beat of two threads at once, which does not matter here.

    Attributes:
        count: batches read so far.
        handed_over: when the model was given its last training batch, by ``time.perf_counter``.
    """

    def __init__(self) -> None:
        self.count = 0
        self.handed_over = 0.0

    def beat(self) -> None:
        """One more batch was read."""
        self.count += 1

    def hand_over(self) -> None:
        """The model was given a batch."""
        self.handed_over = time.perf_counter()

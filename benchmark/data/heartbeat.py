"""Signs of life: when batches were read and handed over, for whoever watches a training.

A watcher can so tell work from a hang, and waiting for images from computing. Reading stops soon
after training does, because only a few batches are made ahead.
"""

from __future__ import annotations

import time
from collections import deque


class Heartbeat:
    """Counts batches; may miss a beat of two threads at once, which does not matter here.

    Attributes:
        count: batches read so far.
        handed_over: when the last training batches were handed over, by ``time.perf_counter``;
            whoever counts them takes them away.
    """

    def __init__(self) -> None:
        self.count = 0
        self.handed_over: deque[float] = deque(maxlen=16)

    def beat(self) -> None:
        """One more batch was read."""
        self.count += 1

    def hand_over(self) -> None:
        """The model, or what keeps batches for it on its device, was given one."""
        self.handed_over.append(time.perf_counter())

"""A sign of life: counts the batches that were read, so that a watcher can tell work from a hang.

Reading stops soon after training does, because only a few batches are made ahead.
"""

from __future__ import annotations


class Pulse:
    """Counts; ``count`` may miss a beat of two threads at once, which does not matter here."""

    def __init__(self):
        self.count = 0

    def beat(self) -> None:
        """One more batch was read."""
        self.count += 1


PULSE = Pulse()
"""Of this process."""

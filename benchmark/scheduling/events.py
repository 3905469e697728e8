"""Events on the pipe between a worker and its runner: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmark.scheduling.slots import Event


def encode(event: Event) -> str:
    """An event as it is sent; in a line of its own, whatever was printed before it."""
    return f"\n{json.dumps(event)}\n"


LONGEST = 2**20
"""Bytes after which a line that does not end is taken for none of ours."""


class EventLines:
    """Takes what comes out of a pipe apart into events and lines that are none.

    A library, or a process that a model starts, may print where only events belong.
    """

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, data: bytes) -> Iterator[Event | bytes]:
        """Every line that is complete now: an event, or the bytes of something else."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield _event(line) or line
        if len(self._unread) > LONGEST:
            line, self._unread = self._unread, b""
            yield line


def _event(line: bytes) -> Event | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("event"), str) else None

"""A slot in this process: a worker of its own takes seconds to start."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator

from benchmark.data.heartbeat import Heartbeat
from benchmark.machine.environment import Environment
from benchmark.scheduling import worker
from benchmark.scheduling.events import EventLines
from benchmark.scheduling.slots import Event, Folders, Job, SlotFacts
from benchmark.training.compiled_cache import CompiledCache


class Here:
    """An executor with one slot, which is itself, and runs specs as a worker would.

    What needs a process of its own is not for it: crashes, limits, bits.
    """

    def __init__(self, folders: Folders, environment: Environment):
        self._setup = folders.as_message() | {"environment": dataclasses.asdict(environment)}
        self._environment, self._compiled = environment, CompiledCache()

    def slots(self) -> list[Here]:
        return [self]

    def run(self, job: Job) -> Iterator[Event]:
        told = io.StringIO()
        message = json.loads(json.dumps(job.as_message()))
        last = worker.run_job(message, self._setup, told, self._compiled, Heartbeat())
        yield from EventLines().feed(told.getvalue().encode())
        yield last

    def facts(self) -> SlotFacts:
        return SlotFacts(self._environment)

    def close(self) -> None:
        """There is no process to end."""

"""The runner's side of a worker process: start it, give it specs, notice when it dies."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.machine.environment import Environment
from benchmark.machine.memory import oom_kills, own_memory_mb

RECYCLE_ABOVE_MB = 3000
"""A worker that keeps more than this after a spec is replaced: TensorFlow does not give back all
that traced functions took, and a long run would otherwise fill the machine."""
LOOK_SECONDS = 1.0
"""How often a worker's memory is looked at, and whether it has been silent for too long."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Limits:
    """What a worker may take before it is ended; its spec then fails and says why.

    Attributes:
        silent_seconds: time without an event. A worker that trains or predicts speaks every few
            seconds, but the first step of a large network comes after minutes of compilation.
        memory_mb: memory of its own, pages mapped from files not counted; None for no limit.
    """

    silent_seconds: float = 1800.0
    memory_mb: int | None = None


class Worker:
    """One worker process, started when first needed and again after it died.

    Args:
        setup: folders and model directories, as JSON-ready values.
        environment: backend, device and threads.
        log: file that gets everything the worker prints.
        limits: when to end it.
    """

    def __init__(
        self,
        setup: dict[str, Any],
        environment: Environment,
        log: Path,
        limits: Limits | None = None,
    ):
        self._setup = setup | {"environment": asdict(environment)}
        self.environment = environment
        self._log = log
        self._limits = limits or Limits()
        self._process: subprocess.Popen | None = None

    def run(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run one spec and yield its events; the last one is ``done`` or ``failed``.

        A ``failed`` one says under ``out_of_memory`` whether that was the reason.
        """
        kills = oom_kills()
        try:
            if self._process is None or self._process.poll() is not None:
                self._start()
            self._write(job)
            for event in self._events():
                too_much = event.get("resident_mb", 0) > RECYCLE_ABOVE_MB
                if too_much or event.get("out_of_memory"):
                    self.close()
                yield event
                if event["event"] in ("done", "failed"):
                    return
        except BrokenPipeError:
            pass
        except _OverLimit as over:
            self.close()
            yield self._failure(str(over), over.memory)
            return
        yield self._death(kills)

    def close(self) -> None:
        """End the process, at once if need be; a spec that is running is lost."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def _start(self) -> None:
        self.close()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmark.scheduling.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=QUIET | os.environ | {"KERAS_BACKEND": self.environment.backend},
                start_new_session=True,  # Ctrl-C reaches the runner only, which ends the worker
            )
        self._write(self._setup)

    def _write(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _events(self) -> Iterator[dict[str, Any]]:
        """Events until the worker closes its output.

        Raises:
            _OverLimit: it was silent for too long, or took too much memory.
        """
        pipe, unread, heard = self._process.stdout.fileno(), b"", time.monotonic()
        while True:
            if not select.select([pipe], [], [], LOOK_SECONDS)[0]:
                self._check_limits(heard)
                continue
            data = os.read(pipe, 65536)
            if not data:
                return
            heard = time.monotonic()
            *lines, unread = (unread + data).split(b"\n")
            yield from map(json.loads, lines)
            self._check_limits(heard)

    def _check_limits(self, heard: float) -> None:
        silent, limits = time.monotonic() - heard, self._limits
        if silent > limits.silent_seconds:
            raise _OverLimit(f"no progress for {limits.silent_seconds:g} s: the worker was ended")
        taken = own_memory_mb(self._process.pid) if limits.memory_mb else 0
        if limits.memory_mb and taken > limits.memory_mb:
            raise _OverLimit(
                f"out of memory: the worker took {taken:,} MB of its own, the limit is "
                f"{limits.memory_mb:,} MB",
                memory=True,
            )

    def _death(self, kills_before: int | None) -> dict[str, Any]:
        code = self._process.wait()
        self.close()
        if code == -signal.SIGKILL and oom_kills() != kills_before:
            return self._failure("out of memory: the system killed the worker", True)
        return self._failure(_how_it_ended(code))

    def _failure(self, reason: str, out_of_memory: bool = False) -> dict[str, Any]:
        return {
            "event": "failed",
            "status": "failed",
            "reason": reason,
            "out_of_memory": out_of_memory,
            "detail": f"See the end of {self._log.name} in the results folder's logs.",
        }


class _OverLimit(Exception):
    """The worker broke one of its limits; says which, and whether it was that of memory."""

    def __init__(self, reason: str, *, memory: bool = False):
        super().__init__(reason)
        self.memory = memory


def _how_it_ended(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the worker was killed (SIGKILL)"
    if code < 0:
        return f"the worker crashed ({signal.Signals(-code).name})"
    return f"the worker ended without a result (exit code {code})"

"""The runner's side of a worker process: start it, give it cells, notice when it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark.execution.environment import Environment

RECYCLE_ABOVE_MB = 3000
"""A worker that keeps more than this after a cell is replaced: TensorFlow does not give back all
that traced functions took, and a long run would otherwise fill the machine."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


class Worker:
    """One worker process, started when first needed and again after it died.

    Args:
        setup: folders and model directories, as JSON-ready values.
        environment: backend, device and threads.
        log: file that gets everything the worker prints.
    """

    def __init__(self, setup: dict[str, Any], environment: Environment, log: Path):
        self._setup = setup | {"environment": asdict(environment)}
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen | None = None

    def run(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run one cell and yield its events; the last one is ``done`` or ``failed``."""
        try:
            if self._process is None or self._process.poll() is not None:
                self._start()
            self._write(job)
            for event in self._events():
                if event.get("resident_mb", 0) > RECYCLE_ABOVE_MB:
                    self.close()
                yield event
                if event["event"] in ("done", "failed"):
                    return
        except BrokenPipeError:
            pass
        yield self._death()

    def close(self) -> None:
        """End the process, at once if need be; a cell that is running is lost."""
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
                [sys.executable, "-m", "benchmark.execution.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=QUIET | os.environ | {"KERAS_BACKEND": self._environment.backend},
                start_new_session=True,  # Ctrl-C reaches the runner only, which ends the worker
            )
        self._write(self._setup)

    def _write(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _events(self) -> Iterator[dict[str, Any]]:
        for line in self._process.stdout:
            yield json.loads(line)

    def _death(self) -> dict[str, Any]:
        code = self._process.wait()
        self.close()
        return {
            "event": "failed",
            "status": "failed",
            "reason": _how_it_ended(code),
            "detail": f"See the end of {self._log.name} in the results folder's logs.",
        }


def _how_it_ended(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the worker was killed (SIGKILL), as the system does when memory runs out"
    if code < 0:
        return f"the worker crashed ({signal.Signals(-code).name})"
    return f"the worker ended without a result (exit code {code})"

"""Slots of this machine: worker processes side by side, cores and memory shared out."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from benchmark.machine.environment import check, current
from benchmark.machine.memory import oom_kills, own_memory_mb
from benchmark.records.store import Results
from benchmark.scheduling.events import EventLines
from benchmark.scheduling.executors import Asked, memory_limit_mb
from benchmark.scheduling.owner import job_number
from benchmark.scheduling.sharing import GROWTH, Share, shares
from benchmark.scheduling.slots import ENDINGS, Event, Folders, Job, Limits, SlotFacts

RECYCLE_ABOVE_MB = 3000
"""A worker that keeps more than this after a spec is replaced: TensorFlow does not give back all
that traced functions took, and a long run would otherwise fill the machine."""
LOOK_SECONDS = 1.0
"""How often a worker is looked at: whether it lives, its memory, for how long it was silent."""
LARGEST_LOG = 50_000_000
"""Bytes after which the log of a worker is begun anew."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
COMMAND = [sys.executable, "-P", "-m", "benchmark.scheduling.worker"]
"""Without the current folder on its path: a ``keras.py`` that lies there is not imported."""
OTHERS_DOING = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
"""Signals that come from outside: a worker that ends by one was no fault of its spec."""


def open_executor(asked: Asked) -> LocalExecutor:
    """A slot a GPU, or as many as are asked for on the cores.

    Raises:
        UserError: the backend is not installed, or this machine has no such devices.
    """
    environment = replace(current(asked.device), devices=asked.devices_per_spec)
    parts = shares(environment, check(environment), asked.jobs, asked.jobs_per_gpu)
    limits = Limits(asked.silent_seconds, memory_limit_mb(asked))
    return LocalExecutor(asked.folders, limits, parts)


class LocalExecutor:
    """Worker processes on this machine.

    Args:
        folders: that they read and write.
        limits: of all of them together.
        parts: of the machine; a slot each.
    """

    def __init__(self, folders: Folders, limits: Limits, parts: Sequence[Share]):
        self._folders, self._limits, self._parts = folders, limits, parts

    def slots(self) -> Sequence[LocalSlot]:
        """One slot a part, with a log of its own."""
        results, folders = Results(self._folders.results), self._folders.as_message()
        name = "-".join(filter(None, ["worker", job_number()]))
        numbers = [f"-{i + 1}" for i in range(len(self._parts))] if len(self._parts) > 1 else [""]
        return [
            LocalSlot(folders, share, results.log_path(name + number), self._limits)
            for share, number in zip(self._parts, numbers, strict=True)
        ]

    def close(self) -> None:
        """There is nothing beside the slots."""


class LocalSlot:
    """One worker process, started when first needed and again after it died.

    Args:
        folders: that it reads and writes, as JSON-ready values.
        share: its part of the machine.
        log: file that gets everything the worker prints.
        limits: when to end it; a spec that runs alone may take all of their memory.
    """

    def __init__(self, folders: dict[str, Any], share: Share, log: Path, limits: Limits):
        self._setup = folders | {
            "environment": asdict(share.environment),
            "cores": share.cores,
            "sharing": share.sharing,
        }
        self._share, self._log, self._limits = share, log, limits
        self._process: subprocess.Popen | None = None
        self._own_model = ""
        self._lock = threading.Lock()
        self._busy = self._closed = False

    def facts(self) -> SlotFacts:
        """Its environment, its share of the memory, and its accelerators."""
        share, whole = self._share, self._limits.memory_mb
        memory_mb = whole and whole // share.parts
        return SlotFacts(share.environment, memory_mb, share.devices, share.sharing)

    def run(self, job: Job) -> Iterator[Event]:
        """Run one spec and yield its events; the last one is ``done``, ``failed`` or ``lost``.

        A ``failed`` one says under ``out_of_memory`` whether that was the reason.
        """
        with self._lock:
            self._busy = True
        try:
            yield from self._run(job)
        finally:
            with self._lock:
                self._busy, closed = False, self._closed
            if closed:
                self._end()

    def _run(self, job: Job) -> Iterator[Event]:
        if self._own_model not in ("", job.own_model):
            self._end()  # with whatever that file has changed in it
        self._own_model = job.own_model
        kills = oom_kills()
        memory_mb = self._limits.memory_mb if job.alone else self.facts().memory_mb
        try:
            process = self._running()
            _write(process, job.as_message())
            for event in self._events(process, memory_mb):
                too_much = event.get("resident_mb", 0) > RECYCLE_ABOVE_MB
                if too_much or event.get("out_of_memory"):
                    self._end()
                yield event
                if event["event"] in ENDINGS:
                    return
        except (BrokenPipeError, _Closed):
            pass
        except _OverLimit as over:
            self._end()
            yield self._failure(str(over), over.memory)
            return
        yield self._death(kills)

    def close(self) -> None:
        """End the process at once; a spec that is running is lost, and none is begun any more."""
        with self._lock:
            self._closed, busy, process = True, self._busy, self._process
        if not busy:
            self._end()
        elif process is not None:  # the thread that reads from it closes its pipes
            _kill(process)

    def _end(self) -> int | None:
        """End the process and whatever it has started; returns its exit code."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return None
        _kill(process)
        code = process.wait()
        stdin, stdout = _pipes(process)
        with suppress(BrokenPipeError):  # what was not sent is not flushed any more
            stdin.close()
        stdout.close()
        return code

    def _running(self) -> subprocess.Popen:
        """The process, started anew if it has ended.

        Raises:
            _Closed: the slot is closed.
        """
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.is_symlink():  # gives way, as where all else is written
            self._log.unlink()
        with self._lock, self._log.open("ab") as log:
            if self._closed:
                raise _Closed
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=QUIET | GROWTH | os.environ | self._share.variables,
                start_new_session=True,  # Ctrl-C reaches the runner only, which ends the worker
            )
        _write(self._process, self._setup)
        return self._process

    def _events(self, process: subprocess.Popen, memory_mb: int | None) -> Iterator[Event]:
        """Events until the worker ends.

        The process is watched, not the pipe alone: a child that it leaves behind keeps that open.

        Raises:
            _OverLimit: it was silent for too long, or took too much memory.
        """
        pipe, lines, heard = _pipes(process)[1].fileno(), EventLines(), time.monotonic()
        while True:
            ended = process.poll() is not None
            if select.select([pipe], [], [], 0.0 if ended else LOOK_SECONDS)[0]:
                data = os.read(pipe, 65536)
                if not data:
                    return
                for line in lines.feed(data):
                    if isinstance(line, bytes):
                        self._note(line)
                        continue
                    heard = time.monotonic()
                    yield line
            elif ended:
                return
            self._bound_log()
            _check_limits(process.pid, heard, self._limits.silent_seconds, memory_mb)

    def _bound_log(self) -> None:
        """Begin a log anew that what a model prints has made too large for the disk of results."""
        with suppress(OSError):
            if self._log.stat().st_size > LARGEST_LOG:
                os.truncate(self._log, 0)  # whoever writes to it only appends
                self._note(f"(begun anew: it held more than {LARGEST_LOG:,} bytes)".encode())

    def _note(self, line: bytes) -> None:
        """What was printed where only events belong goes where all else goes."""
        with self._log.open("ab") as log:
            log.write(line + b"\n")

    def _death(self, kills_before: int | None) -> Event:
        code = self._end()
        if self._closed or code is None:
            return {"event": "lost", "reason": "the run was ended"}
        if code == -signal.SIGKILL and oom_kills() != kills_before:
            return self._failure("out of memory: the system killed the worker", True)
        reason = _how_it_ended(code)
        if -code in OTHERS_DOING:
            return {"event": "lost", "reason": reason}
        return self._failure(reason)

    def _failure(self, reason: str, out_of_memory: bool = False) -> Event:
        return {
            "event": "failed",
            "status": "failed",
            "reason": reason,
            "out_of_memory": out_of_memory,
            "detail": f"See the end of {self._log.name} in the results folder's logs.",
        }


class _Closed(Exception):
    """No worker is started any more."""


class _OverLimit(Exception):
    """The worker broke one of its limits; says which, and whether it was that of memory."""

    def __init__(self, reason: str, *, memory: bool = False):
        super().__init__(reason)
        self.memory = memory


def _kill(process: subprocess.Popen) -> None:
    """End a process and what it has started."""
    with suppress(ProcessLookupError, PermissionError):  # macOS: not permitted once it has ended
        os.killpg(process.pid, signal.SIGKILL)


def _write(process: subprocess.Popen, message: dict[str, Any]) -> None:
    stdin, _ = _pipes(process)
    stdin.write(json.dumps(message).encode() + b"\n")
    stdin.flush()


def _pipes(process: subprocess.Popen) -> tuple[IO[bytes], IO[bytes]]:
    """What a worker reads from, and what it tells its events in."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _check_limits(pid: int, heard: float, silent_seconds: float, memory_mb: int | None) -> None:
    if time.monotonic() - heard > silent_seconds:
        raise _OverLimit(f"no progress for {silent_seconds:g} s: the worker was ended")
    taken = own_memory_mb(pid) if memory_mb else 0
    if memory_mb and taken > memory_mb:
        raise _OverLimit(
            f"out of memory: the worker took {taken:,} MB of its own, the limit is "
            f"{memory_mb:,} MB",
            memory=True,
        )


def _how_it_ended(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the worker was killed (SIGKILL)"
    if code < 0:
        return f"the worker crashed ({signal.Signals(-code).name})"
    return f"the worker ended without a result (exit code {code})"

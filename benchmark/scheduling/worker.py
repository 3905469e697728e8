"""The worker process: runs specs one after another, so that TensorFlow starts only once.

Speaks JSON lines with its slot (``executors/local.py``): the first line on standard input is the
set-up, each further line one spec; every line on standard output is an event. The last event of a
spec is ``done``, ``failed`` or ``lost``. Everything that libraries print goes to the log.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from benchmark.data.heartbeat import Heartbeat
from benchmark.scheduling.claim_files import holds
from benchmark.scheduling.events import encode
from benchmark.training.compiled_cache import CompiledCache

if TYPE_CHECKING:
    from benchmark.records.row import Row
    from benchmark.training.context import Context

TELL_SECONDS = 5.0
_SENDING = threading.Lock()


def main() -> None:
    """Read the set-up and then specs from standard input; ends when that closes."""
    begun = time.perf_counter()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    events = _private_stdout()
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("benchmark").addHandler(_Told(events))
    lines = _lines_from_runner()
    setup = json.loads(lines.get())
    if setup["cores"] is not None:  # before any framework counts them
        os.sched_setaffinity(0, setup["cores"])
    from benchmark.machine.environment import Environment

    environment = Environment(**setup["environment"])
    if environment.backend == "tensorflow":
        _import_tensorflow()
    from benchmark.training.network import configure_framework

    configure_framework(environment)
    gc.freeze()  # what was imported stays: Keras has memory collected before every network
    _send(events, {"event": "ready", "seconds": time.perf_counter() - begun})
    compiled, heartbeat = CompiledCache(), Heartbeat()
    threading.Thread(target=_tell_of_batches, args=[heartbeat, events], daemon=True).start()
    while True:
        job = json.loads(lines.get())
        _send(events, run_job(job, setup, events, compiled, heartbeat))


def _import_tensorflow() -> None:
    """Without JAX, which TensorFlow Lite would bring along: a second for what is not used here."""
    sys.modules["jax"] = None  # type: ignore[assignment]  # as if it was not installed
    try:
        import tensorflow  # noqa: F401
    finally:
        del sys.modules["jax"]


def _lines_from_runner() -> queue.Queue[str]:
    """What the runner sends. When it goes, however it went, this process ends at once.

    A worker that outlived its runner would train a spec that a new run has begun anew.
    """
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _tell_of_batches(heartbeat: Heartbeat, events: TextIO) -> None:
    """Say every few seconds whether batches were read: an epoch may take an hour."""
    seen = heartbeat.count
    while True:
        time.sleep(TELL_SECONDS)
        if heartbeat.count != seen:
            seen = heartbeat.count
            _send(events, {"event": "batches", "read": seen})


def _private_stdout() -> TextIO:
    """Keep the real standard output for events; what anyone else prints goes to the log."""
    sys.stdout.flush()
    events = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return events


class _Told(logging.Handler):
    """Tells the runner what this package warns of, such as a damaged view; each text once.

    The log has it every time.
    """

    def __init__(self, events: TextIO):
        super().__init__(logging.WARNING)
        self._events, self._said = events, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        print(text, file=sys.stderr, flush=True)
        if text not in self._said:
            self._said.add(text)
            _send(self._events, {"event": "warning", "text": text})


def _send(events: TextIO, event: dict[str, Any]) -> None:
    with _SENDING:
        events.write(encode(event))
        events.flush()


def run_job(
    job: dict[str, Any],
    setup: dict[str, Any],
    events: TextIO,
    compiled: CompiledCache,
    heartbeat: Heartbeat,
) -> dict[str, Any]:
    """Run one spec; returns its last event."""
    from benchmark import kinds
    from benchmark.kinds.running import run_spec
    from benchmark.models import NotApplicable, discover
    from benchmark.scoring.publishing import FinishedMeanwhile
    from benchmark.spec import Spec
    from benchmark.training.context import ClaimLost
    from benchmark.training.weight_files import MissingWeights

    try:
        spec = Spec.from_dict(job["spec"])
        model_files = discover([Path(folder) for folder in setup["models_dirs"]])
        context = _context(job, setup, compiled, heartbeat)
        model_file = kinds.find(spec.kind).model_file(spec, model_files)
        row = run_spec(spec, model_file, context, lambda event: _send(events, event))
        return _done(row, context)
    except (NotApplicable, MissingWeights) as error:
        return {"event": "failed", "status": "not_runnable", "reason": str(error), "detail": ""}
    except (ClaimLost, FinishedMeanwhile) as error:
        return {"event": "lost", "reason": str(error)}
    except Exception as error:
        traceback.print_exc()
        return _failed(error, setup)


def _context(
    job: dict[str, Any], setup: dict[str, Any], compiled: CompiledCache, heartbeat: Heartbeat
) -> Context:
    from benchmark.machine.environment import Environment
    from benchmark.records.store import Results
    from benchmark.training.context import Context

    claim, data = job["claim"]
    return Context(
        Path(setup["data_dir"]),
        Path(setup["cache_dir"]),
        Results(Path(setup["results"])),
        job["suite"],
        Environment(**setup["environment"]),
        tuple(Path(folder) for folder in setup["weights_dirs"]),
        job["replace"],
        compiled,
        heartbeat,
        sizes=tuple(job["sizes"]),
        claimed=lambda: holds(Path(claim), data.encode()),
        sharing=setup.get("sharing", 1),
    )


def _done(row: Row, context: Context) -> dict[str, Any]:
    from benchmark.machine.memory import resident_memory_mb
    from benchmark.scoring.stored import stored_headline

    return {
        "event": "done",
        "seconds": sum(row.phases.values()),
        "headline": stored_headline(context.results, row),
        "profile": row.profile,
        "resident_mb": resident_memory_mb(),
    }


def _failed(error: Exception, setup: dict[str, Any]) -> dict[str, Any]:
    from benchmark.errors import UserError
    from benchmark.machine.memory import is_shortage
    from benchmark.records.disk import is_unusable

    ours = [Path(setup[folder]) for folder in ("results", "cache_dir", "data_dir")]
    unusable = is_unusable(error, ours)
    return {
        "event": "failed",
        "status": "failed",
        "reason": _told(error),
        "detail": "" if isinstance(error, UserError) else traceback.format_exc(limit=-3),
        "folder_unusable": unusable,
        "out_of_memory": is_shortage(error) and not unusable,
    }


def _told(error: Exception) -> str:
    from benchmark.errors import UserError
    from benchmark.records.disk import told

    if isinstance(error, OSError) and error.filename:
        return told(error)
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()

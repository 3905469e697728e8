"""Slots of a Ray cluster: an actor each, with a worker of its own, wherever there is room.

Retries are the runner's, not Ray's: an actor that is gone has lost its spec. A slot takes a spec
only while its actor is placed; one whose actor finds no room is given up, since Ray would wait for
that for ever.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.errors import UserError
from benchmark.machine.environment import AUTO, current
from benchmark.records.disk import is_unusable, told
from benchmark.records.store import Results
from benchmark.scheduling.carrying import Files, needed_by, put
from benchmark.scheduling.claim_files import holds
from benchmark.scheduling.executors import Asked
from benchmark.scheduling.executors._ray_actor import Place, SlotActor
from benchmark.scheduling.slots import ENDINGS, Event, Job, SlotFacts

_LOG = logging.getLogger(__name__)
PLACE_SECONDS = 60.0
"""How long an actor may take to be placed and to answer."""


@dataclass(frozen=True)
class Demand:
    """What a slot asks of the cluster.

    Attributes:
        node: to begin on.
        parts: slots on that node.
    """

    node: str
    cpus: int
    gpus: float
    parts: int


def open_executor(asked: Asked) -> RayExecutor:
    """Slots on a cluster that runs already, or on one of this machine alone.

    Raises:
        UserError: Ray is not installed, the cluster cannot be reached, or has room for no slot.
    """
    ray = _connected(asked.address)
    try:
        return RayExecutor(ray, asked)
    except BaseException:
        ray.shutdown()
        raise


class RayExecutor:
    """Slots on the nodes of a cluster that this process has joined."""

    def __init__(self, ray: Any, asked: Asked):
        self._ray = ray
        self._mark = asked.folders.results.absolute() / f".ray-{secrets.token_hex(8)}"
        Results(asked.folders.results).check_writable()
        self._mark.touch()
        self._slots = self._placed(asked)

    def slots(self) -> Sequence[RaySlot]:
        """Those that could be placed."""
        return self._slots

    def close(self) -> None:
        """Leave the cluster; one that was started for this ends."""
        self._mark.unlink(missing_ok=True)
        self._ray.shutdown()

    def _placed(self, asked: Asked) -> list[RaySlot]:
        device = _device(self._ray, asked)
        slots = [
            RaySlot(
                self._ray,
                asked,
                Place(i, current(device).backend, device, demand.cpus, demand.parts, self._mark),
                demand,
            )
            for i, demand in enumerate(demands(self._ray.nodes(), asked, device))
        ]
        threads = [threading.Thread(target=slot.place, args=[True], daemon=True) for slot in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        there = [slot for slot in slots if slot.placed]
        if len(there) < len(slots):
            why = next(slot.problem for slot in slots if not slot.placed)
            _LOG.warning("%d of %d slots could be placed: %s", len(there), len(slots), why)
        if not there:
            self._mark.unlink(missing_ok=True)
            why = next((slot.problem for slot in slots), "no node has a core, or GPU, to spare")
            raise UserError(f"no slot could be placed in the Ray cluster: {why}.")
        return there


class RaySlot:
    """A slot of a cluster; its actor may be lost, and is then placed anew where there is room.

    Attributes:
        problem: why its actor could not be placed the last time.
    """

    def __init__(self, ray: Any, asked: Asked, place: Place, demand: Demand):
        self._ray, self._asked, self._place, self._demand = ray, asked, place, demand
        self._results = Results(asked.folders.results)
        self._actor: Any = None
        self._facts: SlotFacts | None = None
        self._shared, self._closed = True, False
        self._lock = threading.Lock()
        self.problem = ""

    @property
    def placed(self) -> bool:
        """Whether there is an actor that has answered."""
        return self._actor is not None

    def facts(self) -> SlotFacts:
        """What it computes with, or did when it was lost."""
        assert self._facts is not None  # nobody gets a slot that was never placed
        return self._facts

    def place(self, at_first: bool = False) -> None:
        """Start an actor, and keep it where it answers in time; at first on the slot's own node."""
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        own = strategy(self._demand.node, soft=False)
        options = {
            "num_cpus": self._demand.cpus,
            "num_gpus": self._demand.gpus,
            "max_restarts": 0,
            "scheduling_strategy": own if at_first else "SPREAD",
        }
        with self._lock:
            if self._closed:
                return
            actor = self._ray.remote(SlotActor).options(**options).remote(self._asked, self._place)
        try:
            answers = [actor.facts.remote(), actor.shares_results.remote()]
            self._facts, self._shared = self._ray.get(answers, timeout=PLACE_SECONDS)
            self._actor = actor
        except self._ray.exceptions.GetTimeoutError:
            self.problem = f"it found no room, or did not answer, for {PLACE_SECONDS:g} s"
        except self._ray.exceptions.RayError as error:
            self.problem = str(error).strip().splitlines()[-1].rstrip(".")
        with self._lock:
            if self._closed or not self.placed:
                self._kill(actor)

    def run(self, job: Job) -> Iterator[Event]:
        """Run a spec on the cluster; it is lost where its node, or its process there, is."""
        needed = {} if self._shared else needed_by(self._results, job.spec)
        try:
            run = self._actor.run.options(num_returns="streaming")
            refused: Event | None = None
            for reference in run.remote(job, needed):
                event = self._ray.get(reference)
                if event["event"] == "files":
                    refused = self._take(job, event["files"])
                    continue
                yield refused or event if event["event"] in ENDINGS else event
            return
        except self._ray.exceptions.RayError as error:
            reason = f"its node, or its process there, was lost ({type(error).__name__})"
        yield self._lost(reason)

    def close(self) -> None:
        """End what runs, at once; it is then lost. No actor is left behind."""
        with self._lock:
            self._closed, actor = True, self._actor
        if actor is not None:
            self._kill(actor)

    def _lost(self, reason: str) -> Event:
        """The end of a spec whose actor is gone; the slot is given up if there is no other."""
        if self._closed:
            return {"event": "lost", "reason": "the run was ended"}
        actor, self._actor = self._actor, None
        self._kill(actor)
        self.place()
        if self.placed:
            return {"event": "lost", "reason": reason}
        return {
            "event": "lost",
            "reason": f"{reason}; the slot is given up: {self.problem}",
            "gone": True,
        }

    def _take(self, job: Job, files: Files) -> Event | None:
        """Write what a spec left on its node; the end that it has where that may not be."""
        path, data = job.claim
        if not holds(path, data):
            return {"event": "lost", "reason": "another run has taken it over"}
        there = self._results.read_row(job.spec.spec_id)
        if there and there.done and not job.replace:
            return {"event": "lost", "reason": "another run has done it"}
        try:
            put(self._results.folder, files)
        except OSError as error:
            ending = {"status": "failed", "reason": told(error), "detail": ""}
            return {
                "event": "failed",
                "folder_unusable": is_unusable(error, [self._results.folder]),
                **ending,
            }
        return None

    def _kill(self, actor: Any) -> None:
        with contextlib.suppress(Exception):  # it is gone, or the cluster is
            self._ray.kill(actor)


def demands(nodes: Sequence[dict[str, Any]], asked: Asked, device: str) -> list[Demand]:
    """What each slot asks for, so that every node is used up.

    Args:
        nodes: as Ray lists them.
        device: ``"cpu"``: a slot a node, or ``jobs`` of them dealt out to the nodes in turn;
            ``"gpu"``: one for each GPU or group of them, at most ``jobs``.
    """
    there = [(n["NodeID"], n["Resources"]) for n in nodes if n["Alive"] and _cores(n)]
    if device == "gpu":
        counts = [
            int(has.get("GPU", 0)) // asked.devices_per_spec * asked.jobs_per_gpu
            for _, has in there
        ]
        gpus = asked.devices_per_spec / asked.jobs_per_gpu
    else:
        jobs, n = asked.jobs or len(there), max(1, len(there))
        counts = [min(int(has["CPU"]), len(range(i, jobs, n))) for i, (_, has) in enumerate(there)]
        gpus = 0.0
    found = [
        Demand(node, max(1, int(has["CPU"]) // count), gpus, count)
        for (node, has), count in zip(there, counts, strict=True)
        for _ in range(count)
    ]
    return found[: asked.jobs]


def _cores(node: dict[str, Any]) -> int:
    return int(node["Resources"].get("CPU", 0))


def _device(ray: Any, asked: Asked) -> str:
    """What to compute with: what is asked for, else GPUs where the cluster has some."""
    device = asked.device
    if device == AUTO and not os.environ.get("CXR_BENCH_DEVICE"):
        device = "gpu" if ray.cluster_resources().get("GPU") else "cpu"
    device = current(device).device
    if device == "tpu":
        raise UserError("--executor ray has slots for CPUs and GPUs. Run on a TPU without it.")
    if asked.devices_per_spec > 1 and asked.jobs_per_gpu > 1:
        raise UserError("--devices-per-spec and --jobs-per-gpu do not go together on Ray.")
    return device


def _connected(address: str) -> Any:
    """Ray, joined to the cluster at an address, or to one of this machine that starts now."""
    try:
        ray: Any = importlib.import_module("ray")
        importlib.import_module("ray.util.scheduling_strategies")
    except ImportError:
        raise UserError(
            "--executor ray needs the package ray. Install it: pip install 'cxr-bench[ray]'"
        ) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    given: dict[str, Any] = {"address": address or "local", "configure_logging": False}
    given |= {"log_to_driver": False, "logging_level": "ERROR"}
    if not address:
        given |= {"num_cpus": current("cpu").threads, "include_dashboard": False}
    try:
        ray.init(**given)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        what = f"Ray, at {address}, cannot be joined" if address else "Ray cannot be started"
        raise UserError(f"{what}: {str(error).strip().splitlines()[0]}") from None
    return ray

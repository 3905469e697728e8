"""Where and with what a spec is run, and what is noted on the way. Imports no Keras."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.data.heartbeat import Heartbeat
from benchmark.machine.environment import Environment
from benchmark.records.store import Results
from benchmark.training.checkpoint import Timed
from benchmark.training.compiled_cache import CompiledCache

Event = Callable[[dict[str, Any]], None]
"""Told about what happens, as plain values."""


class ClaimLost(Exception):
    """Another run holds the spec now: what was made of it here is not to be written."""

    def __init__(self) -> None:
        super().__init__("another run has taken it over")


@dataclass(frozen=True)
class Context:
    """Where and with what a spec is run.

    Attributes:
        suite: that it is run for.
        environment: what this worker was started with.
        weights_dirs: folders of published weight files.
        replace_done: whether a finished row of the spec gives way: its rerun was asked for.
        compiled: the network of the spec before, for the next seed of its configuration.
        heartbeat: beats with every batch that is read.
        code: versions of the components that shape the spec's numbers.
        sizes: at which specs of the run see the same images, this one's among them.
        claimed: whether the run that this is for still holds the spec.
        sharing: specs that have the accelerators of this worker at the same time.
    """

    data_dir: Path
    cache_dir: Path
    results: Results
    suite: str
    environment: Environment
    weights_dirs: tuple[Path, ...] = ()
    replace_done: bool = False
    compiled: CompiledCache = field(default_factory=CompiledCache)
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    code: Mapping[str, str] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    claimed: Callable[[], bool] = lambda: True
    sharing: int = 1

    def check_claim(self) -> None:
        """To be called before anything is written under the spec's name.

        Raises:
            ClaimLost: another run has taken the spec over, after this one was asleep for long.
        """
        if not self.claimed():
            raise ClaimLost


@dataclass
class Phases:
    """Wall-clock seconds of each phase of a spec, and of the parts of its training.

    Attributes:
        images: that it was trained on in all steps but the first of each stage.
        earlier: seconds of all these that were spent before the training was interrupted.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    training: dict[str, float] = field(default_factory=dict)
    images: int = 0
    earlier: float = 0.0

    def add_stage(self, timed: Timed, earlier: float, batch: int) -> None:
        """Add what a stage of the training took, within its phase.

        Args:
            timed: all of it.
            earlier: seconds of it that an interrupted attempt took, which the phase has not seen.
            batch: images of a step.
        """
        for name, seconds in timed.parts.items():
            self.training[name] = self.training.get(name, 0.0) + seconds
        self.images += timed.later_steps * batch
        self.seconds["train"] = self.seconds.get("train", 0.0) + earlier
        self.earlier += earlier

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = self.seconds.get(name, 0.0) + time.perf_counter() - start
            self.seconds[name] = round(spent, 3)

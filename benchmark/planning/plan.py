"""A plan: specs in running order, and how each stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

from benchmark.data.prepared import Prepared
from benchmark.models import ModelFile
from benchmark.spec import LUNGS, Spec

FINISHED = ("done", "stale")
RERUN = {"failed": {"failed", "not_runnable"}, "stale": {"stale"}}
RERUN["all"] = {"done", *RERUN["failed"], *RERUN["stale"]}


@dataclass(frozen=True)
class PlannedSpec:
    """A spec, what it needs, and how it stands.

    Attributes:
        suite: that it is run for.
        prepared: the data set, as the spec's protocol sees it.
        model_file: of its model; of an ensemble what stands for one.
        status: ``"missing"``, or that of its row (``"done"``, ``"failed"``, ``"not_runnable"``),
            or ``"stale"`` where the row was made by other versions of the code, or from rows that
            are stale or were made anew since.
        refusal: why it cannot be run at all; None where it can.
    """

    spec: Spec
    suite: str
    prepared: Prepared
    model_file: ModelFile
    status: str = "missing"
    refusal: str | None = None

    @property
    def finished(self) -> bool:
        """Whether there is a row with predictions."""
        return self.status in FINISHED


@dataclass
class Plan:
    """All specs of a run, in running order, and what was left out.

    Attributes:
        specs: of each suite and data set, cheapest models first, so that results come early; what
            a spec is made from comes before it. A spec that ran out of memory is replaced by the
            smaller one (see ``fallback.py``).
        unprepared: data set name -> suites that need it.
        over_budget: suite name -> models that do not fit its time budget.
        unanswered: data set and attribute prediction, or suite and data set -> why that is left
            out.
        rerun: statuses that are run again.
        written: when each row that was there had been written, in nanoseconds: what another run
            has done since is told by it.
    """

    specs: list[PlannedSpec] = field(default_factory=list)
    unprepared: dict[str, list[str]] = field(default_factory=dict)
    over_budget: dict[str, list[str]] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    rerun: set[str] = field(default_factory=set)
    written: dict[str, int] = field(default_factory=dict)

    def to_run(self) -> list[PlannedSpec]:
        """The missing specs, and those to be run again, that nothing rules out."""
        wanted = {"missing", *self.rerun}
        return [p for p in self.specs if p.status in wanted and p.refusal is None]

    def sizes(self) -> dict[Hashable, tuple[int, ...]]:
        """:func:`shown` of the specs to run -> the sizes at which they see those images."""
        found: dict[Hashable, set[int]] = defaultdict(set)
        for planned in self.to_run():
            found[shown(planned.spec)].add(planned.spec.resolution)
        return {images: tuple(sorted(sizes - {0})) for images, sizes in found.items()}

    def refused(self) -> list[PlannedSpec]:
        """The specs that cannot be run and have no row that says so yet, nor one of better days."""
        said = ("not_runnable", *FINISHED)
        return [p for p in self.specs if p.refusal and p.status not in said]

    def summary(self) -> Counter[str]:
        """Number of specs by status."""
        refused = {id(p) for p in self.specs if p.refusal and not p.finished}
        return Counter("not_runnable" if id(p) in refused else p.status for p in self.specs)


def shown(spec: Spec) -> Hashable:
    """What the images of a spec depend on but for their size; lungs are cut out of plain ones."""
    preprocessing = "raw" if LUNGS in spec.requires else spec.preprocessing
    return spec.dataset, spec.manifest_sha256, preprocessing

"""A row: what was run, with which code and where, on what, and how it ended. Imports no TensorFlow.

The JSON schema that follows from these types is in ``docs/records.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from benchmark.bounds import OF_RECIPE, wrong_of_recipe
from benchmark.records.facts import (
    DatasetFacts,
    LaterFields,
    ModelFacts,
    ProtocolFacts,
    SplitCounts,
)
from benchmark.records.run_facts import (
    EnsembleFacts,
    EnvironmentFacts,
    ExternalFacts,
    Failure,
    History,
    LungFacts,
    PenaltyFacts,
    Speed,
    StartingWeights,
    TrainedOn,
)
from benchmark.spec import NETWORK, Count, Id, Role, Sha256, Spec, SuiteName
from benchmark.task import Task

ROW_SCHEMA = 2
MEMORY_FALLBACK = "memory fallback: trained in smaller parts of a batch than was planned"
WITHOUT_TEST = "without test: no test image was predicted, to choose on validation"
Status = Literal["done", "failed", "not_runnable"]


Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Made(LaterFields, frozen=True):
    """What another row left that this one was made from: predictions, weights, or both."""

    spec_id: Id
    predictions_sha256: Sha256 | None = None
    weights_sha256: Sha256 | None = None

    def differs(self, row: Row) -> bool:
        """Whether that row has other predictions or weights now, as far as both are known."""
        pairs = (
            (self.predictions_sha256, row.predictions_sha256),
            (self.weights_sha256, row.weights_sha256),
        )
        return any(then and now and then != now for then, now in pairs)


def _odd_number(recipe: Mapping[str, Any]) -> str:
    """Which number of a recipe can be none, in words."""
    for key in OF_RECIPE:
        value = recipe.get(key)
        if isinstance(value, str) or (value is not None and wrong_of_recipe(key, value)):
            return f"its recipe's {key} cannot be {str(value)[:40]!r}"
    return ""


def watermarks_of(spec: Spec) -> list[str]:
    """Why a row is not to be ranked with full ones, as far as its spec says it."""
    limited = [f"limited to {spec.limit} images of each split"] if spec.limit else []
    fallback = [MEMORY_FALLBACK] if spec.memory_fallback else []
    return limited + fallback + ([WITHOUT_TEST] if spec.no_test else [])


class Row(LaterFields, frozen=True):
    """One finished or failed spec.

    Attributes:
        suite: that it was run for.
        watermarks: why it is not to be ranked with full rows.
        code: component -> version that shaped the numbers; a row of other versions is stale.
        code_version, commit: of the whole package.
        determinism: how far the spec repeats itself, in words.
        finished: ISO 8601, UTC.
        predictions_sha256: of its prediction file; None where it did not finish.
        weights_sha256: of the weights that it saved; None where it saved none, or before these
            were recorded.
        phases: wall-clock seconds of each phase; ``profile`` where they went.
        speed: of its training; None where no network was trained by gradient, or before this was
            recorded.
        made_from: by role what other rows left that this one was made from.
    """

    schema: Annotated[int, msgspec.Meta(ge=ROW_SCHEMA, le=ROW_SCHEMA)]
    spec_id: Id
    config_id: Id
    suite: SuiteName
    status: Status
    error: Failure | None
    spec: Spec
    dataset: DatasetFacts
    protocol: ProtocolFacts
    watermarks: list[str]
    model: ModelFacts
    counts: dict[str, SplitCounts]
    code: dict[str, str]
    code_version: str
    commit: str | None
    environment: EnvironmentFacts
    determinism: str | None
    finished: str
    predictions_sha256: Sha256 | None
    weights_sha256: Sha256 | None
    history: History | None
    phases: dict[str, Seconds]
    profile: dict[str, Seconds] | None
    peak_memory_mb: Count | None
    made_from: dict[Role, Made] = msgspec.field(default_factory=dict)
    starting_weights: StartingWeights | None = None
    speed: Speed | None = None
    penalty: PenaltyFacts | None = None
    ensemble: EnsembleFacts | None = None
    lungs: LungFacts | None = None
    external: ExternalFacts | None = None
    trained_on: TrainedOn | None = None

    @property
    def done(self) -> bool:
        """Whether it finished, so that it has predictions."""
        return self.status == "done"

    @property
    def task(self) -> Task:
        """What was to be predicted; of a row of findings."""
        return Task(tuple(self.dataset.task.findings), self.dataset.task.kind)

    @property
    def reason(self) -> str:
        """Why it did not finish; empty where it did."""
        return self.error.reason if self.error else ""

    @property
    def holds_masks(self) -> bool:
        """Whether its predictions are masks; such rows have a table of their own."""
        return self.dataset.task.kind == "segmentation"

    def remade(self, rows: Mapping[str, Row]) -> tuple[str, ...]:
        """The roles of what it was made from that was made anew since, with another outcome.

        Args:
            rows: of the results folder, by spec id; what is not there counts as it was.
        """
        return tuple(
            role
            for role, made in self.made_from.items()
            if (now := rows.get(made.spec_id)) and made.differs(now)
        )

    def contradiction(self) -> str:
        """What in it does not fit together, in words; empty where all does."""
        expected = {
            "spec_id": (self.spec_id, self.spec.spec_id),
            "config_id": (self.config_id, self.spec.config_id),
            "protocol.id": (self.protocol.id, self.protocol.own_id()),
            "protocol.dataset": (self.protocol.dataset, self.spec.dataset),
            "protocol.dataset_version": (self.protocol.dataset_version, self.spec.dataset_version),
            "protocol.limit": (self.protocol.limit, self.spec.limit),
        }
        for name, (said, follows) in expected.items():
            if said != follows:
                return f"{name} is {said}, but {follows} follows from its contents"
        if self.done != (self.predictions_sha256 is not None) or self.done == bool(self.error):
            return f"status {self.status} does not go with its predictions_sha256 and error"
        if self.protocol.findings != self.dataset.task.findings:
            return "the findings of protocol and data set differ"
        if lost := [mark for mark in watermarks_of(self.spec) if mark not in self.watermarks]:
            return f"its watermarks lack {lost[0]!r}"
        if bool(self.spec.members) != bool(self.spec.ensemble):
            return "it has members and declares no ensemble, or the other way round"
        if problem := self.protocol.contradiction(self.spec.protocol):
            return problem
        if problem := _odd_number(self.spec.recipe):
            return problem
        if self.done and ("test" in self.counts) == self.spec.no_test:
            return "it is done, but counts no test images where it has some, or the other way round"
        if self.trained_on and NETWORK not in self.spec.requires:
            return "it is of a network on another data set, and does not say of which"
        if self.trained_on and any(
            set(names) != set(self.protocol.findings) for names in self.trained_on.findings
        ):
            return "findings that two data sets share are not those of its protocol"
        if self.holds_masks != (self.spec.kind == "masks"):
            return f"kind {self.spec.kind} does not go with a {self.dataset.task.kind} task"
        return ""

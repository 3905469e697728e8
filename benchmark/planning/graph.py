"""One graph of all specs: how each stands, and what must come before what.

Members of an ensemble, weights that are continued and the network that finds the lungs are all the
same to it: specs that another one requires. What is missing of them is planned with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from benchmark import kinds
from benchmark.kinds.base import Circumstances, Required
from benchmark.kinds.code import is_current
from benchmark.kinds.ensemble import own_file
from benchmark.planning.fallback import fallback_for
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.plan import PlannedSpec
from benchmark.planning.refusal import refusal
from benchmark.spec import LUNGS, WEIGHTS, Spec
from benchmark.training.starting_weights import check_saved_weights
from benchmark.training.weight_files import MissingWeights


class Graph:
    """The specs of a plan and all that they require.

    Args:
        drafts: specs of which nothing is known yet but what they are.
        inputs: what the plan is made from.
        rerun: statuses that are run again.
    """

    def __init__(self, drafts: Iterable[PlannedSpec], inputs: PlanInputs, rerun: set[str]):
        self._drafts = {draft.spec.spec_id: draft for draft in drafts}
        self._inputs = inputs
        self._to_run = {"missing", *rerun}
        self._known: dict[str, PlannedSpec] = {}

    def ordered(self, selected: Iterable[Spec]) -> list[PlannedSpec]:
        """These specs, and before each what it needs that is not there."""
        found: dict[str, PlannedSpec] = {}
        for spec in selected:
            for planned in self._with_needs(spec.spec_id):
                found.setdefault(planned.spec.spec_id, planned)
        return list(found.values())

    def _with_needs(self, spec_id: str) -> Iterator[PlannedSpec]:
        planned = self._planned(spec_id)
        if planned.status in self._to_run and planned.refusal is None:
            for role, required in planned.spec.required_ids.items():
                if self._is_made(role, required, planned.spec):
                    yield from self._with_needs(required)
        yield planned

    def _planned(self, spec_id: str) -> PlannedSpec:
        """How a spec stands, given how what it requires does."""
        if spec_id not in self._known:
            self._known[spec_id] = self._stands(self._drafts[spec_id])
        return self._known[spec_id]

    def _stands(self, draft: PlannedSpec) -> PlannedSpec:
        spec = draft.spec
        required = {
            role: self._planned(each)
            for role, each in spec.required_ids.items()
            if each in self._drafts
        }
        status = status_by_row(draft, self._inputs)
        statuses = {planned.status for planned in required.values()}
        if status == "done" and "stale" in statuses:
            status = "stale"
        if status in ("failed", "not_runnable") and "missing" in statuses:
            status = "missing"  # it waited for what is about to be run
        told = {
            role: Required(each.spec, (not each.finished and each.refusal) or "")
            for role, each in required.items()
        }
        given = Circumstances(
            draft.prepared, draft.model_file, self._inputs.weights, told, self._inputs.devices
        )
        why = draft.refusal or refusal(spec, given)
        if status == "not_runnable" and not why and self._was_refused(spec):
            status = "missing"  # what was missing is there now
        planned = replace(draft, status=status, refusal=why)
        if "done" in self._to_run:
            return planned
        return fallback_for(planned, self._inputs.rows, partial(self._status_of, planned))

    def _status_of(self, planned: PlannedSpec, spec: Spec) -> str:
        return status_by_row(replace(planned, spec=spec), self._inputs)

    def _was_refused(self, spec: Spec) -> bool:
        error = self._inputs.rows[spec.spec_id].error
        return error is not None and error.at_planning

    def _is_made(self, role: str, spec_id: str, dependent: Spec) -> bool:
        """Whether a required spec has to be run before its dependent; notes it where it is gone."""
        if spec_id not in self._drafts:
            return False
        planned = self._planned(spec_id)
        reads_weights = role in (LUNGS, WEIGHTS) or kinds.find(dependent.kind).needs_weights
        if planned.finished and reads_weights and not self._has_weights(spec_id):
            self._known[spec_id] = replace(planned, status="missing")
        # What is done and was not asked for by itself stays, also where all is run again.
        return self._known[spec_id].status in self._to_run - {"done"}

    def _has_weights(self, spec_id: str) -> bool:
        """Whether the weights that a row saved are there, as it saved them."""
        saved = self._inputs.results.weights_path(spec_id)
        if not saved.is_file():
            return False
        try:
            check_saved_weights(self._inputs.rows[spec_id], saved)
        except MissingWeights:
            return False
        return True


def status_by_row(planned: PlannedSpec, inputs: PlanInputs) -> str:
    """How a spec stands by its own row; one whose predictions are gone is missing."""
    row = inputs.rows.get(planned.spec.spec_id)
    if row is None:
        return "missing"
    predictions = inputs.results.predictions_of(row)
    if row.done and not predictions.is_file():
        return "missing"
    if is_current(row, own_file(planned.model_file)) and not row.remade(inputs.rows):
        return row.status
    # A fault that was mended is tried again; a number that was measured stays until asked for.
    return "stale" if row.done else "missing"

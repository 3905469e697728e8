"""From suites to specs: every point of their matrices, with what it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import ValidationError

from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.errors import UserError
from benchmark.planning.graph import Graph
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.lungs import mask_set
from benchmark.planning.plan import RERUN, Plan, PlannedSpec
from benchmark.planning.points import Found, NoModel, Resolver
from benchmark.protocols import find
from benchmark.records.door import in_words
from benchmark.spec import Spec
from benchmark.suites.filters import check_ids, nothing_matches
from benchmark.suites.suite import Suite


def make_plan(
    suites: Iterable[Suite],
    inputs: PlanInputs,
    wanted: Mapping[str, set[str]] | None = None,
    rerun: str | None = None,
) -> Plan:
    """Resolve suites into specs, with what these require.

    Args:
        wanted: a parsed ``--filter``, checked (:func:`benchmark.planning.wanted.check_wanted`);
            None keeps every spec.
        rerun: what to run again although it has a row, a key of :data:`RERUN`.

    Raises:
        UserError: a suite names an unknown model or data set, the filter matches nothing, a recipe
            value makes no sense, or no suite has a model that predicts what its sets hold.
    """
    suites, wanted = list(suites), wanted or {}
    plan = Plan(rerun=RERUN[rerun] if rerun else set(), written=inputs.written)
    found = _all_found(suites, inputs, wanted, plan)
    _refuse_unreadable(found.all)
    chosen = {suite.name for suite in suites}  # beside these, networks that find lungs
    specs = [draft.spec for draft in found.all if draft.suite in chosen]
    check_ids(wanted, specs)
    if wanted and found.all and not found.selected:
        raise nothing_matches(wanted, specs)
    selected = {spec.spec_id: spec for spec in found.selected}
    selected = inputs.shard.of(selected, found.all) if inputs.shard else selected
    drafts = [*found.all, *_origins(found.all, inputs)]
    plan.specs = Graph(drafts, inputs, plan.rerun).ordered(selected.values())
    return plan


def dataset_names(suites: Iterable[Suite], data_dir: Path | None = None) -> list[str]:
    """Every data set the suites need, once, checked; those in ``data_dir`` are choices, too.

    Raises:
        UnknownName: a suite names a data set that does not exist.
    """
    suites = list(suites)
    names = [name for suite in suites for name, _ in suite.datasets]
    names += filter(None, map(mask_set, suites))
    return [find_dataset(name, data_dir).name for name in dict.fromkeys(names)]


def _refuse_unreadable(drafts: Iterable[PlannedSpec]) -> None:
    """Raise a UserError for a spec that no row could be read back of, before it is trained."""
    for draft in drafts:
        try:
            Spec.from_dict(draft.spec.as_dict())
        except ValidationError as error:
            raise UserError(
                f"suite {draft.suite}: a row cannot hold {draft.spec.label}: {in_words(str(error))}"
            ) from None


def _all_found(
    suites: Iterable[Suite], inputs: PlanInputs, wanted: Mapping[str, set[str]], plan: Plan
) -> Found:
    """Of all suites, on every set that is prepared; what is left out, the plan is told.

    Raises:
        UserError: as of :func:`make_plan`.
    """
    every, unfit = Found([], []), []
    for suite in suites:
        for name, protocol in suite.datasets:
            facts = inputs.prepared[name]
            if isinstance(facts, NotPrepared):
                plan.unprepared.setdefault(name, []).append(suite.name)
                continue
            meant, unanswered = find(protocol).answers(facts)
            plan.unanswered |= unanswered
            for bound, prepared in meant:
                try:
                    found = Resolver(suite, prepared, bound, inputs).specs(wanted, plan)
                except NoModel as error:
                    plan.unanswered[f"{suite.name} on {prepared.name}"] = str(error)
                    unfit.append(error)
                    continue
                every.all += found.all
                every.selected += found.selected
    if unfit and not every.all and not plan.unprepared:
        raise UserError(f"{unfit[0]} Name a suite that has one: --suite NAME.")
    return every


def _origins(drafts: Sequence[PlannedSpec], inputs: PlanInputs) -> list[PlannedSpec]:
    """Rows that specs start from, as specs, as far as their data sets and models are at hand."""
    known = {draft.spec.spec_id for draft in drafts}
    found = []
    for origin in dict.fromkeys(draft.spec.origin for draft in drafts):
        row = inputs.rows.get(origin)
        if row is None or origin in known or row.spec.model not in inputs.model_files:
            continue
        prepared = inputs.prepared.get(row.spec.dataset)
        if isinstance(prepared, Prepared) and prepared.manifest_sha256 == row.spec.manifest_sha256:
            seen = find(row.spec.protocol).apply(prepared)
            file = inputs.model_files[row.spec.model]
            found.append(PlannedSpec(row.spec, row.suite, seen, file))
    return found

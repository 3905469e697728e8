"""One spec, start to finish, inside a worker: data, model, training, predictions, row."""

from __future__ import annotations

import dataclasses
import datetime
import time

import numpy as np
from msgspec.structs import replace

import benchmark
from benchmark import kinds
from benchmark.data.prepared import ManifestPart, Prepared, load_prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.kinds.code import code_of
from benchmark.kinds.ensemble import own_file
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.kinds.profile import profile, speed
from benchmark.machine.device_memory import peak_device_memory_mb, reset_peak_device_memory
from benchmark.machine.environment import Environment, commit, environment_facts
from benchmark.machine.memory import peak_memory_mb, reset_peak_memory
from benchmark.models import ModelFile
from benchmark.protocols import dataset_facts, find, protocol_of, spec_data
from benchmark.records.facts import DatasetFacts, ModelFacts
from benchmark.records.predictions import Predictions, link
from benchmark.records.row import ROW_SCHEMA, Row, watermarks_of
from benchmark.scoring.publishing import check, publish
from benchmark.spec import LUNGS, Spec
from benchmark.training.checkpoints import remove_checkpoints
from benchmark.training.context import Context, Event, Phases


def run_spec(spec: Spec, model_file: ModelFile, context: Context, on_event: Event) -> Row:
    """Run one spec and save its row with what belongs to it.

    Raises:
        UserError: the data set has changed since the spec was planned, or the model is not
            applicable to it.
    """
    reset_peak_memory()
    reset_peak_device_memory(context.environment)
    begun, phases = time.perf_counter(), Phases()
    prepared = find(spec.protocol).apply(load_prepared(spec.dataset, context.data_dir))
    if prepared.manifest_sha256 != spec.manifest_sha256:
        raise UserError(f"{spec.dataset} was prepared anew after this spec was planned; run again")
    data = spec_data(spec, prepared)
    code = code_of(spec, own_file(model_file))
    job = SpecJob(
        spec, model_file, prepared, data, dataclasses.replace(context, code=code), phases, on_event
    )
    outcome = kinds.find(spec.kind).loaded()(job)
    row = _finished(spec, model_file, prepared, data, outcome, context)
    with phases.phase("score"):
        parts = {split: each.part for split, each in data.items()}
        made = outcome.masks or make_predictions(prepared, parts, outcome.logits)
        checked = check(made, row.protocol, tested=not spec.no_test)
    row = replace(
        row,
        phases=phases.seconds,
        profile=profile(
            phases.seconds, phases.training, time.perf_counter() - begun + phases.earlier
        ),
        peak_memory_mb=peak_memory_mb(),
        speed=speed(
            phases.training,
            phases.images,
            peak_device_memory_mb(context.environment),
            context.sharing,
        ),
    )
    context.check_claim()
    row = publish(context.results, row, checked, replace=context.replace_done, large=outcome.large)
    remove_checkpoints(context.results.checkpoints, spec)
    return row


def _finished(
    spec: Spec,
    model_file: ModelFile,
    prepared: Prepared,
    data: dict[str, SplitData],
    outcome: Outcome,
    context: Context,
) -> Row:
    """The row of a finished spec, but for its predictions and what it took."""
    from benchmark.training.lung_views import lung_facts, made_from_lungs

    row = base_row(spec, prepared, model_file, context.suite, context.environment)
    marks = [mark for mark in outcome.watermarks if mark not in row.watermarks]
    by_lungs = LUNGS in spec.requires
    lungs = made_from_lungs(spec, context.results) if by_lungs else {}
    weights = outcome.large.get(context.results.weights_path(spec.spec_id))
    return replace(
        row,
        status="done",
        dataset=_as_split(row.dataset, spec, data),
        watermarks=[*row.watermarks, *marks],
        model=replace(row.model, parameters=outcome.parameters),
        counts={split: d.part.counts(prepared.facts.findings) for split, d in data.items()},
        determinism=outcome.determinism,
        weights_sha256=weights and sha256(weights),
        history=outcome.history,
        made_from=outcome.made_from | lungs,
        starting_weights=outcome.starting_weights,
        penalty=outcome.penalty,
        ensemble=outcome.ensemble,
        lungs=lung_facts(spec, prepared, context.cache_dir, context.results) if by_lungs else None,
    )


def _as_split(facts: DatasetFacts, spec: Spec, data: dict[str, SplitData]) -> DatasetFacts:
    """The facts of a set with the leakage status of the split that was really used."""
    protocol = find(spec.protocol)
    status, reasons = protocol.leakage(data, facts.leakage_status, facts.reasons)
    return replace(facts, leakage_status=status, reasons=reasons)


def base_row(
    spec: Spec,
    prepared: Prepared,
    model_file: ModelFile,
    suite: str,
    environment: Environment | None,
) -> Row:
    """What is known before a spec runs: the row of one that was not run.

    Args:
        environment: of the worker; None where predictions were made elsewhere.
    """
    card = model_file.card
    return Row(
        schema=ROW_SCHEMA,
        spec_id=spec.spec_id,
        config_id=spec.config_id,
        suite=suite,
        status="not_runnable",
        error=None,
        spec=spec,
        dataset=dataset_facts(prepared),
        protocol=protocol_of(spec, prepared),
        watermarks=watermarks_of(spec),
        model=ModelFacts(
            title=card.get("title", model_file.name),  # a broken file has no card
            reference=card.get("reference", ""),
            deterministic=kinds.find(spec.kind).deterministic(spec, card),
            parameters=None,
        ),
        counts=prepared.counts,
        code=code_of(spec, own_file(model_file)),
        code_version=benchmark.__version__,
        commit=commit(),
        environment=environment_facts(environment),
        determinism=None,
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        predictions_sha256=None,
        weights_sha256=None,
        history=None,
        phases={},
        profile=None,
        peak_memory_mb=None,
    )


def make_predictions(
    prepared: Prepared, parts: dict[str, ManifestPart], logits: dict[str, np.ndarray]
) -> Predictions:
    """Join logits with ids, metadata and targets, split after split.

    Args:
        prepared: whose task it is.
        parts: of each split.
        logits: of each split (n, F), a line an image of its part.
    """
    part = ManifestPart.joined(parts.values())
    values = np.concatenate([logits[split] for split in parts]).astype(np.float32)
    return Predictions(
        findings=prepared.task.findings,
        kind=prepared.task.kind,
        split=np.repeat([*parts], [len(part) for part in parts.values()]),
        **part.described,
        targets=part.known_targets,
        logits=values,
        probabilities=link(values, prepared.task.kind),
    )

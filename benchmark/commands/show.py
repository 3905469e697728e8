"""`cxr-bench show`: everything known about a row, as a page for the terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from benchmark.commands.terminal import say, say_table
from benchmark.records.predictions import SPLITS
from benchmark.records.row import WITHOUT_TEST, Row
from benchmark.records.run_facts import (
    Accelerator,
    EnvironmentFacts,
    ExternalFacts,
    KerasSettings,
    Speed,
)
from benchmark.records.store import Results
from benchmark.report.blocks.text import UNDEFINED, count, number, one_line
from benchmark.report.blocks.values import one_text
from benchmark.report.columns import NAMES
from benchmark.report.gathering.configuration import Configuration, mean
from benchmark.report.gathering.cost import phases
from benchmark.report.gathering.recipes import applied
from benchmark.report.gathering.thresholds import decided
from benchmark.spec import Spec
from benchmark.training.schemes import learns_by_heart

UNKNOWN = "not recorded"
NAME = 13
"""Columns for the name of a fact."""
GAPS = ("auc", "f1", "log_loss")
FINDING = ("auc", "f1", "sensitivity", "specificity", "ppv", "npv")


def show_row(text: str, results: Path, *, as_json: bool = False) -> None:
    """Print the page of a spec or a configuration; of one that did not finish, why."""
    from benchmark.report.comparing.lookup import find
    from benchmark.report.export.found import found_json

    store = Results(results)
    found = find(store, text)
    if as_json:
        click.echo(json.dumps(found_json(store, found), indent=1))
        return
    say(f"{one_line(found.title)}\n")
    _show_facts(_facts(found.row, found.shown))
    if found.done and found.row.holds_masks:
        board = f"cxr-bench leaderboard --results {shlex.quote(str(results))}"
        say(f"\nIts scores are in the table of lung segmentation: {board}")
        for line in _of_masks(store, found.done):
            say(line)
    elif found.done:
        for configuration in found.configurations(store):
            for line in _code(configuration):
                say(line)
            _show_scores(configuration)
    for row in found.rows:
        say(_heading(row))
        _show_facts(_record(store, row), indent="  ")


def _show_facts(facts: Mapping[str, object], indent: str = "") -> None:
    for name, value in facts.items():
        if value:
            named = name if indent else f"{name}:"
            say(f"{indent}{named:<{NAME}}{one_line(value)}", hang=NAME)


def _facts(row: Row, spec: Spec) -> dict[str, object]:
    protocol, dataset, model = row.protocol, row.dataset, row.model
    return {
        "Model": f"{model.title} ({model.reference or 'no reference'})",
        "Parameters": count(model.parameters),
        "Data": f"{protocol.dataset} {protocol.dataset_version}, licence {dataset.licence}",
        "Findings": ", ".join(protocol.findings) or UNDEFINED,
        "Protocol": protocol.id,
        "Split": protocol.split,
        "Leakage": "; ".join([dataset.leakage_status, *dataset.reasons]),
        "Watermarks": "; ".join(row.watermarks) or "none",
        "Weights": ", ".join(dict.fromkeys(filter(None, [spec.weights, spec.scheme]))) or UNDEFINED,
        "Precision": spec.precision or UNDEFINED,
        "Recipe": _listed(applied(spec)) or UNDEFINED,
    }


def _code(c: Configuration) -> Iterator[str]:
    """Whether its numbers are what the code as it is and the runs as they were give, and count."""
    seeds = f"seed {', '.join(map(str, c.seeds))}"
    if c.flaw:
        yield f"\nNote: not ranked: {one_line(c.flaw)}."
    if c.stale:
        yield f"\nNote: {seeds} made by another version of the code: {one_line(c.stale)}."
    if c.differs:
        yield (
            f"\nNote: {seeds} made by {one_line(c.differs)}, not averaged with what was made by "
            f"{one_line(c.instead)}, which counts in its place."
        )
    if c.remade:
        yield f"\nNote: made from rows that have been made anew since, seed {', '.join(c.remade)}."
    if c.edited_seeds:
        seeds = ", ".join(map(str, c.edited_seeds))
        yield f"\nNote: predictions were changed after the run, seed {seeds}; scored as they are."


def _of_masks(store: Results, rows: Sequence[Row]) -> Iterator[str]:
    """The same of rows of masks."""
    from benchmark.report.gathering.versions import Versions
    from benchmark.scoring.stored import stored_mask_scores

    versions = Versions()
    for row in rows:
        if stale := versions.stale(row):
            yield f"Note: seed {row.spec.seed} made by another version of the code: {stale}."
        if stored_mask_scores(store, row).predictions_sha256 != row.predictions_sha256:
            yield f"Note: predictions were changed after the run, seed {row.spec.seed}."


def _show_scores(c: Configuration) -> None:
    splits = [c.runs[0].scores.splits.get(split) for split in SPLITS]
    click.echo()
    rows = [["Mean over seeds" if len(c.runs) > 1 else "", *SPLITS]]
    unknown = c.runs[0].row.dataset.patients_unknown
    for key in ("images", *([] if unknown else ["patients"])):
        rows.append([key.capitalize(), *(count(getattr(s, f"n_{key}", None)) for s in splits)])
    for key, name in NAMES.items():
        values = [c.measurements[f"{split}_{key}"].mean for split in SPLITS]
        rows.append([name, *map(number, values)])
    say_table(rows, [True, False, False, False])
    if c.tested:
        _show_tested(c)
    else:
        say(f"\n{_sentence(WITHOUT_TEST)}.")
    for remark in c.remarks:
        say(f"Note: {one_line(remark)}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _show_tested(c: Configuration) -> None:
    say("\nOn test, ± spread of the seeds, [95 % interval from the choice of test patients]:")
    of_test = [(NAMES[m], one_text(c.measurements[f"test_{m}"])) for m in ("auc", "f1")]
    say_table(of_test)
    _show_gap(c)
    _show_findings(c)


def _show_gap(c: Configuration) -> None:
    """In its two parts where these are known."""
    parts = ("train_minus_validation", "validation_minus_test")
    both = {m: [c.measurements[f"gap_{m}_{part}"].mean for part in parts] for m in GAPS}
    whole = {m: one_text(c.measurements[f"gap_{m}"]) for m in GAPS}
    known = {m: values for m, values in both.items() if None not in values}
    if known:
        say(
            "Overfitting gap: train minus test = (train - validation), which is overfitting, + "
            "(validation - test), other images"
        )
    else:
        say(f"Overfitting gap: train minus test; not in its parts: {_why_whole(c)}")
    signed = {m: " ".join(number(v, sign=True) for v in values) for m, values in known.items()}
    say_table([(NAMES[m], f"{whole[m]} = {signed[m]}" if m in signed else whole[m]) for m in GAPS])


def _why_whole(c: Configuration) -> str:
    held = c.runs[0].scores.splits
    if missing := [split for split in ("train", "validation") if split not in held]:
        return f"no predictions of {' and '.join(missing)} images"
    if learns_by_heart(c.spec.scheme):
        return "training images are known by heart"
    return "no finding has enough patients in both splits of a part"


def _show_findings(c: Configuration) -> None:
    say("\nOn test, by finding:")
    names = [NAMES.get(key, key) for key in FINDING]
    rows = [["", "Images", "Positive", *names, "Threshold"]]
    for finding in c.runs[0].scores.findings:
        tests = c.on_test(finding)
        values = [number(mean([test.metrics[key] for test in tests])) for key in FINDING]
        thresholds = [run.scores.thresholds.get(finding) for run in c.runs]
        counts = [count(tests[0].n), count(tests[0].n_positive)]
        rows.append([one_line(finding), *counts, *values, ", ".join(map(number, thresholds))])
    say_table(rows, [True, *[False] * (len(rows[0]) - 1)])
    say(f"Decided {decided(c.runs[0].scores, c.runs[0].row)}")


def _heading(row: Row) -> str:
    status = row.status.replace("_", " ")
    return f"\nSpec {row.spec_id}, seed {row.spec.seed}, suite {row.suite}: {status}"


def _record(store: Results, row: Row) -> dict[str, object]:
    return {
        "Reason": row.error.reason if row.error else "",
        "Finished": row.finished,
        "Phases": phases(row),
        "Memory": f"{row.peak_memory_mb} MB at most" if row.peak_memory_mb else "",
        "Speed": _speed(row.speed),
        **(_elsewhere(row, row.external) if row.external else _here(store, row)),
        "Repeats": row.determinism,
        "L2 penalty": ", ".join(map(_strength, row.penalty.chosen)) if row.penalty else "",
        "Made from": _listed({role: made.spec_id for role, made in row.made_from.items()}),
        "Predictions": row.predictions_sha256,
    }


def _here(store: Results, row: Row) -> dict[str, object]:
    """What made a row."""
    weights = store.weights_path(row.spec_id)
    return {
        **_environment(row.environment),
        "Code": f"{row.code_version}, commit {row.commit or UNKNOWN}",
        "Versions": _listed(row.code) or UNKNOWN,
        "Weights": weights if weights.is_file() else "not kept here",
    }


def _elsewhere(row: Row, given: ExternalFacts) -> dict[str, object]:
    """The file that another tool made, of which no more is known, and what scored it."""
    made = row.environment
    return {
        "File": f"{given.file}, SHA-256 {given.sha256}, of {', '.join(given.splits)} images",
        "Scored with": f"cxr-bench {row.code_version}, commit {row.commit or UNKNOWN}",
        "Scored in": ", ".join(filter(None, [f"python {made.python}", _listed(made.packages)])),
        "Versions": _listed(row.code),
    }


def _strength(chosen: float | None) -> str:
    return UNDEFINED if chosen is None else f"{chosen:g}"


def _speed(speed: Speed | None) -> str:
    if speed is None or speed.images_per_second is None:
        return ""
    said = [f"{speed.images_per_second:g} images a second"]
    said += [f"{speed.waiting:.0%} of the time waiting for them"] if speed.waiting else []
    if speed.device_memory_mb is not None:
        said.append(f"{speed.device_memory_mb} MB of the device at most")
    if speed.sharing > 1:
        said.append(f"the device shared by {speed.sharing} specs")
    return ", ".join(said)


def _environment(made: EnvironmentFacts) -> dict[str, str]:
    from benchmark.report.gathering.environments import Machine

    return {
        "Backend": made.backend or UNKNOWN,
        "Device": made.device or UNKNOWN,
        "Accelerator": ", ".join(_accelerator(made.accelerator)) or _none_on(made.device),
        "Threads": UNKNOWN if made.threads is None else str(made.threads),
        "Hardware": ", ".join(Machine.of(made).words) or UNKNOWN,
        "System": ", ".join(filter(None, [made.system, made.machine])) or UNKNOWN,
        "Packages": ", ".join([f"python {made.python}", *filter(None, [_listed(made.packages)])]),
        "Keras": ", ".join(_settings(made.keras)) or UNKNOWN,
    }


def _accelerator(found: Accelerator | None) -> Iterator[str]:
    from benchmark.report.gathering.environments import accelerator_name

    if found:
        yield accelerator_name(found) or UNKNOWN
        yield f"memory {UNKNOWN}" if found.memory_gb is None else f"{found.memory_gb:g} GB"
        yield f"driver {found.driver or UNKNOWN}"


def _settings(keras: KerasSettings | None) -> Iterator[str]:
    if keras:
        yield from (keras.floatx, f"epsilon {keras.epsilon:g}", keras.image_data_format)


def _none_on(device: str | None) -> str:
    return "none" if device == "cpu" else UNKNOWN


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value != "")

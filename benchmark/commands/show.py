"""`cxr-bench show`: everything known about a row, as a page for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from benchmark.report.configuration import Configuration, Measurement
from benchmark.report.text import UNDEFINED, count, duration, number, one_line

SPLITS = ("train", "validation", "test")
SHOWN = {
    "auc": "AUC", "f1": "F1", "average_precision": "Average precision", "accuracy": "Accuracy",
    "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV",
    "balanced_accuracy": "Balanced accuracy", "mcc": "MCC", "brier": "Brier score",
    "ece": "Calibration error", "log_loss": "Log loss",
    "sensitivity_at_specificity_0.90": "Sens. at spec. 0.90",
    "sensitivity_at_specificity_0.95": "Sens. at spec. 0.95",
}  # fmt: skip
GAPS = {"auc": "AUC", "f1": "F1", "log_loss": "Log loss"}
FINDING = ("auc", "f1", "sensitivity", "specificity", "ppv", "npv")


def show_row(text: str, results: Path) -> None:
    """Print the page of a cell or a configuration; of one that did not finish, why."""
    from benchmark.records.store import Results, is_segmentation
    from benchmark.report.lookup import find

    store = Results(results)
    found = find(store, text)
    for line in [one_line(found.title), "", *_facts(found.row)]:
        click.echo(line)
    done = [row for row in found.rows if row["status"] == "done"]
    if done and is_segmentation(done[0]):
        click.echo("\nIts scores are in the table of lung segmentation: cxr-bench leaderboard")
    elif done:
        for line in _scores(found.configuration(store)):
            click.echo(line)
    for row in found.rows:
        for line in _record(store, row):
            click.echo(line)


def _facts(row: dict) -> Iterator[str]:
    protocol, dataset, model = row["protocol"], row["dataset"], row["model"]
    facts = {
        "Model": f"{model['title']} ({model['reference'] or 'no reference'})",
        "Parameters": count(model["parameters"]),
        "Data": f"{protocol['dataset']} {protocol['dataset_version']}, {dataset['licence']}",
        "Findings": ", ".join(protocol["findings"]) or UNDEFINED,
        "Protocol": protocol["id"],
        "Split": protocol["split"],
        "Leakage": "; ".join([dataset["verdict"], *dataset["reasons"]]),
        "Watermarks": "; ".join(row["watermarks"]) or "none",
        "Recipe": ", ".join(f"{k} {v}" for k, v in row["cell"]["recipe"].items()) or UNDEFINED,
    }
    yield from (f"{name + ':':<12}{one_line(value)}" for name, value in facts.items())


def _scores(c: Configuration) -> Iterator[str]:
    first = c.runs[0].scores
    yield f"\n{'Mean over seeds' if len(c.runs) > 1 else '':<22}" + "".join(
        f"{split:>12}" for split in SPLITS
    )
    for key in ("images", "patients"):
        counts = [first["splits"].get(split, {}).get(f"n_{key}") for split in SPLITS]
        yield f"{key.capitalize():<22}" + "".join(f"{count(n):>12}" for n in counts)
    for key, name in SHOWN.items():
        values = [c.measurements[f"{split}_{key}"].mean for split in SPLITS]
        yield f"{name:<22}" + "".join(f"{number(value):>12}" for value in values)
    yield "\nOn test, ± spread of the seeds, [95 % interval from test patients drawn anew]:"
    for metric in ("auc", "f1"):
        yield f"  {SHOWN[metric]:<10}{_measured(c.measurements[f'test_{metric}'])}"
    yield "Overfitting gap: train minus test = (train - validation) + (validation - test)"
    for metric, name in GAPS.items():
        parts = ("train_minus_validation", "validation_minus_test")
        values = [number(c.measurements[f"gap_{metric}_{part}"].mean, sign=True) for part in parts]
        yield f"  {name:<10}{_measured(c.measurements[f'gap_{metric}'])} = {' '.join(values)}"
    yield from _findings(c)
    yield from (f"Note: {one_line(remark)}" for remark in c.remarks)


def _findings(c: Configuration) -> Iterator[str]:
    header = ["images", "positive", *FINDING]
    yield "\nOn test, by finding:  " + "".join(f"{name:>12}" for name in header) + "  threshold"
    for finding in c.runs[0].scores["findings"]:
        tests = [run.scores["splits"]["test"]["per_finding"][finding] for run in c.runs]
        values = [number(_mean([test[key] for test in tests])) for key in FINDING]
        thresholds = [run.scores["thresholds"].get(finding) for run in c.runs]
        cells = [count(tests[0]["n"]), count(tests[0]["n_positive"]), *values]
        line = f"  {one_line(finding)[:20]:<20}" + "".join(f"{cell:>12}" for cell in cells)
        yield f"{line}  {', '.join(map(number, thresholds))}"
    yield (
        "Threshold: "
        + {
            "validation": "of the best F1 on validation, then frozen",
            "argmax": "none, the most probable finding is called",
            "fixed": "0.5, there is no validation split",
        }[c.runs[0].scores["threshold_source"]]
    )


def _record(store, row: dict) -> Iterator[str]:
    provenance = row["provenance"]
    yield f"\nCell {row['cell_id']}, seed {row['cell']['seed']}, suite {row['suite']}: " + (
        row["status"].replace("_", " ")
    )
    if row["error"]:
        yield f"  {'Reason':<13}{one_line(row['error'].get('reason', ''))}"
    hardware = provenance.get("hardware") or {}
    facts = {
        "Finished": provenance.get("finished"),
        "Phases": ", ".join(f"{k} {duration(v)}" for k, v in row["phases"].items()),
        "Memory": f"{row['peak_memory_mb']} MB at most" if row["peak_memory_mb"] else "",
        "Hardware": ", ".join(f"{k} {v}" for k, v in hardware.items()),
        "Code": f"{provenance.get('code_version')}, commit {provenance.get('commit')}",
        "Packages": ", ".join(f"{k} {v}" for k, v in provenance.get("packages", {}).items()),
        "Repeats": provenance.get("determinism"),
        "Predictions": row["predictions_sha256"],
        "Weights": store.weights_path(row["cell_id"]),
    }
    if not store.weights_path(row["cell_id"]).is_file():
        facts["Weights"] = "not kept here"
    yield from (f"  {name:<13}{one_line(value)}" for name, value in facts.items() if value)


def _measured(value: Measurement) -> str:
    spread = "" if value.seed_sd is None else f" ± {number(value.seed_sd)}"
    ends = "" if value.low is None else f" [{number(value.low)}, {number(value.high)}]"
    return number(value.mean) + spread + ends


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else sum(values) / len(values)

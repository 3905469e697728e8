"""The tables on the page of a configuration: scores, findings, subgroups, how it was made."""

from __future__ import annotations

from benchmark.records.row import Row
from benchmark.report.configuration import Configuration, mean
from benchmark.report.environments import Machine
from benchmark.report.html.elements import facts, grid, text
from benchmark.report.html.render import as_text
from benchmark.report.labels import flatten
from benchmark.report.section import machine, measured
from benchmark.report.text import UNDEFINED, count, duration, interval, number
from benchmark.scoring.subgroups import Estimate, Subgroup

_SCORES = {
    "test_auc": "AUC, test",
    "validation_auc": "AUC, validation",
    "train_auc": "AUC, train",
    "gap_auc": "Gap (AUC): train − test",
    "gap_auc_train_minus_validation": "… of it train − validation",
    "gap_auc_validation_minus_test": "… of it validation − test",
    "test_f1": "F1, test",
    "gap_f1": "F1 gap",
    "gap_f1_constant": "F1 gap of the constant predictor",
    "test_accuracy": "Accuracy",
    "test_balanced_accuracy": "Balanced accuracy",
    "test_sensitivity": "Sensitivity",
    "test_specificity": "Specificity",
    "test_average_precision": "Average precision",
    "test_mcc": "Matthews correlation",
    "test_brier": "Brier score",
    "test_ece": "Expected calibration error",
    "test_log_loss": "Log loss",
}
_PER_FINDING = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "brier": "Brier",
    "ece": "ECE",
}


def scores(configuration: Configuration) -> list[str]:
    """Every quantity of the leaderboard, over all runs and for each."""
    seeds = [f"seed {seed}" for seed in configuration.seeds]
    rows = [
        [
            text(name),
            measured(configuration.measurements[key]),
            *(number(value) for value in configuration.values(key)),
        ]
        for key, name in _SCORES.items()
    ]
    header = ["Quantity", "All seeds", *seeds]
    return grid(header, rows, "l" + "r" * (1 + len(seeds)), "Scores")


def findings(configuration: Configuration) -> list[str]:
    """Test metrics of each finding, mean over the runs, with its support and threshold."""
    all_scores = [run.scores for run in configuration.runs]
    header = ["Finding", "Images", "Positive", "Positive patients", *_PER_FINDING.values(),
              "Threshold"]  # fmt: skip
    rows = []
    for finding in all_scores[0].findings:
        test = [each.splits["test"].per_finding[finding] for each in all_scores]
        support = [count(n) for n in (test[0].n, test[0].n_positive, test[0].n_positive_patients)]
        means = [number(mean([each.metrics[key] for each in test])) for key in _PER_FINDING]
        thresholds = [each.thresholds.get(finding) for each in all_scores]
        shown = UNDEFINED if None in thresholds else ", ".join(map(number, thresholds))
        rows.append([text(finding), *support, *means, shown])
    return grid(header, rows, "l" + "r" * (len(header) - 1), "Findings")


def subgroups(groups: list[Subgroup]) -> list[str]:
    """The numbers behind the chart of subgroups."""
    header = ["Subgroup", "Images", "With a finding", "Patients", "AUC", "95 % interval",
              "Underdiagnosis rate", "95 % interval"]  # fmt: skip
    rows = [
        [
            text(f"{group.axis}: {group.level}"),
            count(group.underdiagnosis.n),
            count(group.underdiagnosis.n_positive),
            count(group.patients),
            *_estimate(group.auc),
            *_estimate(group.underdiagnosis),
        ]
        for group in groups
    ]
    return grid(header, rows, "lrrrrrrr", "Subgroups")


def spec(configuration: Configuration) -> list[str]:
    """The resolved spec, without its seed."""
    entries = dict(flatten(configuration.spec)) | {
        "model title": configuration.model.title,
        "model reference": configuration.model.reference,
        "parameters": count(configuration.model.parameters),
    }
    return facts((name, value) for name, value in entries.items() if not _of_a_seed(name))


def provenance(configuration: Configuration) -> list[str]:
    """How each run was made, and what it can be checked against."""
    runs = [_made(run.row) for run in configuration.runs]
    rows = [[text(name), *(text(run[name]) for run in runs)] for name in runs[0]]
    header = ["", *(f"seed {seed}" for seed in configuration.seeds)]
    return grid(header, rows, "l" * len(header), "Provenance", wrapping=True)


def _made(row: Row) -> dict[str, object]:
    made, memory = row.environment, row.peak_memory_mb
    machine_words = Machine.of(made)
    return {
        "Spec": row.spec_id,
        "Finished": row.finished or UNDEFINED,
        "Code": f"{row.code_version}, commit {row.commit or UNDEFINED}",
        "Versions": _listed(row.code),
        "Python": made.python,
        "Packages": _listed(made.packages),
        "Computed by": ", ".join(filter(None, [made.backend, made.device])) or UNDEFINED,
        "Hardware": as_text(machine(machine_words)) if machine_words.words else UNDEFINED,
        "Threads": UNDEFINED if made.threads is None else made.threads,
        "Determinism": row.determinism or UNDEFINED,
        "Time": ", ".join(f"{phase} {duration(s)}" for phase, s in row.phases.items()),
        "Peak memory": UNDEFINED if memory is None else f"{memory:,} MB",
        "Prepared images, SHA-256 of their list": row.spec.manifest_sha256,
        "Made from": _listed({role: each.spec_id for role, each in row.made_from.items()}),
        "Predictions, SHA-256": row.predictions_sha256,
        "Leakage verdict": row.dataset.verdict,
    }


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or UNDEFINED


def _of_a_seed(field: str) -> bool:
    """Whether a field of a spec differs from seed to seed; what was made from which says so."""
    return field == "seed" or (field.startswith("requires.") and field.endswith(".spec_id"))


def _estimate(of: Estimate) -> list[str]:
    return [number(of.value), interval(of.low, of.high) or UNDEFINED]

"""The tables on the page of a configuration: scores, findings, subgroups, how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from benchmark.records.row import Row
from benchmark.records.run_facts import ExternalFacts
from benchmark.report.blocks.tables import Column, DataTable, Facts, text_column
from benchmark.report.blocks.text import UNDEFINED, count, number
from benchmark.report.blocks.values import Value, limits
from benchmark.report.columns import NAMES, PAGE, columns
from benchmark.report.gathering import labels
from benchmark.report.gathering.configuration import QUANTITIES, Configuration, mean
from benchmark.report.gathering.cost import phases
from benchmark.report.gathering.environments import Machine
from benchmark.report.gathering.recipes import by_stage
from benchmark.report.gathering.table import Table
from benchmark.scoring.subgroups import Estimate, Subgroup
from benchmark.spec import Spec

_PER_FINDING = ("auc", "average_precision", "f1", "sensitivity", "specificity", "ppv", "npv",
                "brier", "ece")  # fmt: skip
_SHORT = {"brier": "Brier", "ece": "ECE"}


def scores(configuration: Configuration) -> DataTable:
    """Every quantity that pages show, over all runs and for each."""

    def of_run(run: int, column: Column) -> Value:
        return QUANTITIES[column.name](configuration.runs[run].scores)

    shown: list[Column[Column]] = [
        text_column("Quantity", lambda column: column.long or column.heading),
        Column("all", "All seeds", lambda column: configuration.measurements[column.name]),
        *(
            Column(f"seed_{seed}", f"seed {seed}", partial(of_run, k))
            for k, seed in enumerate(configuration.seeds)
        ),
    ]
    return DataTable.of(shown, columns(PAGE), title="Scores", sortable=False)


def name(configuration: Configuration, table: Table) -> str:
    """What the configuration is called on its own page: its model, its size, what sets it apart."""
    label, size = table.labels[configuration.key], configuration.spec.resolution
    model = configuration.spec.model
    if not size or f"{size} px" in label:
        return label
    return f"{model}, {size} px{label.removeprefix(model)}"


def decided(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Sensitivity and specificity at the frozen threshold, as a fact."""
    names = ("test_sensitivity", "test_specificity")
    values = [number(configuration.measurements[name].mean) for name in names]
    yield "Sensitivity, specificity", ", ".join(values)


def training_in_words(spec: Spec) -> str:
    """How it was trained, in a line."""
    recipe = by_stage(spec)
    said = [
        words.format(f"{value:g}" if isinstance(value, float) else value)
        for key, words in _TRAINED.items()
        if (value := getattr(spec, key, recipe.get(key))) not in (None, "", "none")
    ]
    return ", ".join(said) or UNDEFINED


_TRAINED = {
    "weights": "from {} weights", "scheme": "scheme {}", "preprocessing": "{} images",
    "normalisation": "{} normalisation", "augmentation": "augmentation {}",
    "imbalance": "imbalance policy {}", "name": "recipe {}", "optimizer": "{}",
    "learning_rate": "learning rate {}",
    "schedule": "{} schedule", "epochs": "at most {} epochs", "patience": "patience {}",
    "batch_size": "batches of {}",
}  # fmt: skip
"""Fields of a spec and of its recipe that are told first, and how."""


def findings(
    configuration: Configuration, of: Iterable[str], excluded: Mapping[str, str] | None = None
) -> DataTable:
    """Test metrics of these findings, mean over the runs, with their support and threshold.

    Args:
        configuration: whose.
        of: findings.
        excluded: those among them that are outside the means, and why.
    """
    few = excluded or {}
    tests = [run.scores.splits["test"].per_finding for run in configuration.runs]
    unknown = configuration.runs[0].row.dataset.patients_unknown
    positive_patients: Column[str] = Column(
        "patients", "Positive patients", lambda finding: tests[0][finding].n_positive_patients
    )

    def metric(key: str) -> Column[str]:
        def value(finding: str) -> Value:
            return mean([test[finding].metrics[key] for test in tests])

        return Column(key, _SHORT.get(key, NAMES[key]), value)

    def threshold(finding: str) -> Value:
        found = [run.scores.thresholds.get(finding) for run in configuration.runs]
        return None if None in found else ", ".join(map(number, found))

    shown: list[Column[str]] = [
        text_column("Finding", lambda finding: finding + " ‡" * (finding in few)),
        Column("n", "Images", lambda finding: tests[0][finding].n),
        Column("positive", "Positive", lambda finding: tests[0][finding].n_positive),
        *([] if unknown else [positive_patients]),
        *map(metric, _PER_FINDING),
        Column("threshold", "Threshold", threshold),
    ]
    reasons = "; ".join(map(": ".join, few.items()))
    notes = (f"‡ Outside the means: {reasons}.",) if few else ()
    return DataTable.of(shown, of, title="Findings", notes=notes)


def subgroups(groups: Iterable[Subgroup], *, patients_unknown: bool) -> DataTable:
    """The numbers behind the chart of subgroups."""
    patients: Column[Subgroup] = Column("patients", "Patients", lambda group: group.patients)
    shown = [
        text_column("Subgroup", lambda group: f"{group.axis}: {group.level}"),
        Column("images", "Images", lambda group: group.underdiagnosis.n),
        Column("positive", "With a finding", lambda group: group.underdiagnosis.n_positive),
        *([] if patients_unknown else [patients]),
        *_estimate("auc", "AUC"),
        *_estimate("underdiagnosis", "Underdiagnosis rate"),
    ]
    return DataTable.of(shown, groups, title="Subgroups")


def _estimate(name: str, said: str) -> list[Column[Subgroup]]:
    def found(group: Subgroup) -> Estimate:
        return getattr(group, name)

    return [
        Column(name, said, lambda group: found(group).value),
        Column(name, "95 % interval", lambda g: limits(found(g).low, found(g).high)),
    ]


def spec(configuration: Configuration) -> Facts:
    """The resolved spec, without its seed."""
    entries = dict(labels.flatten(configuration.spec)) | {
        "model title": configuration.model.title,
        "model reference": configuration.model.reference,
        "parameters": count(configuration.model.parameters),
    }
    said = ((n, UNDEFINED if v in (None, "") else str(v)) for n, v in entries.items())
    return Facts(tuple((n, value) for n, value in said if not _of_a_seed(n)), as_table=True)


def provenance(configuration: Configuration) -> DataTable:
    """How each run was made, and what it can be checked against."""
    runs = [_made(run.row) for run in configuration.runs]
    shown: list[Column[str]] = [
        text_column("", lambda name: name),
        *(
            text_column(f"seed {seed}", partial(_said, made))
            for seed, made in zip(configuration.seeds, runs, strict=True)
        ),
    ]
    return DataTable.of(shown, runs[0], title="Provenance", sortable=False, wrapping=True)


def _said(made: Mapping[str, object], name: str) -> str:
    return str(made[name])


def _made(row: Row) -> dict[str, object]:
    return {
        "Spec": row.spec_id,
        "Finished": row.finished or UNDEFINED,
        **(_elsewhere(row, row.external) if row.external else _here(row)),
        "Prepared images, SHA-256 of their list": row.spec.manifest_sha256,
        "Made from": _listed({role: each.spec_id for role, each in row.made_from.items()}),
        "Predictions, SHA-256": row.predictions_sha256,
        "Leakage status": row.dataset.leakage_status,
    }


def _elsewhere(row: Row, given: ExternalFacts) -> dict[str, object]:
    """The file that another tool made, of which no more is known, and what scored it."""
    return {
        "File, of another tool": f"{given.file}, SHA-256 {given.sha256}",
        "Scored with": f"cxr-bench {row.code_version}, commit {row.commit or UNDEFINED}",
    }


def _here(row: Row) -> dict[str, object]:
    made, memory = row.environment, row.peak_memory_mb
    machine = Machine.of(made, row.speed)
    return {
        "Code": f"{row.code_version}, commit {row.commit or UNDEFINED}",
        "Versions": _listed(row.code),
        "Python": made.python,
        "Packages": _listed(made.packages),
        "Computed by": ", ".join(filter(None, [made.backend, made.device])) or UNDEFINED,
        "Hardware": str(machine) if machine.words else UNDEFINED,
        "Threads": UNDEFINED if made.threads is None else made.threads,
        "Determinism": row.determinism or UNDEFINED,
        "Time": phases(row),
        "Peak memory": UNDEFINED if memory is None else f"{memory:,} MB",
    }


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or UNDEFINED


def _of_a_seed(field: str) -> bool:
    """Whether a field of a spec differs from seed to seed; what was made from which says so."""
    return field == "seed" or (field.startswith("requires.") and field.endswith(".spec_id"))

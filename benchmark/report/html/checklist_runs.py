"""The answers of the reporting checklist on models, training and evaluation.

Plain text, from the records of a suite; no line means that they do not hold the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.records.predictions import SPLITS
from benchmark.records.store import Results
from benchmark.records.timing import training_seconds
from benchmark.report.blocks.text import count, duration, interval, number, span
from benchmark.report.gathering.choosing import on_validation
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.ensembles import is_ensemble
from benchmark.report.gathering.labels import recipe
from benchmark.report.gathering.labels import weights as weights_of
from benchmark.report.gathering.stopped import why_stopped
from benchmark.report.gathering.table import Table
from benchmark.report.gathering.thresholds import decided
from benchmark.report.html import checklist_data
from benchmark.report.html.suite_page import SuiteRows
from benchmark.report.sections import references
from benchmark.report.sections.external_validation import network_of
from benchmark.report.sections.notes import finetuned, trained
from benchmark.scoring.bootstrap import RESAMPLES
from benchmark.suites.families import is_baseline
from benchmark.training import recipes
from benchmark.training.weights import FINETUNE


def models(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Architectures with their references."""
    yield from suite.distinct(lambda c: (
        f"{c.spec.model}: {c.model.title}, {count(c.model.parameters)} parameters"
        + (f", {c.model.reference}" if c.model.reference else "")
    ))  # fmt: skip


def ensembles(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Rows that are made from the predictions or networks of others."""
    together = suite.distinct(lambda c: c.spec.model if is_ensemble(c.spec) else "")
    yield f"ensembles: {', '.join(together) or 'none'}"


def software(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Versions of code and packages."""

    def said(c: Configuration) -> str:
        row = c.runs[0].row
        packages = [f"{name} {version}" for name, version in row.environment.packages.items()]
        return ", ".join(
            [f"cxr-bench {row.code_version}", f"Python {row.environment.python}", *packages]
        )

    yield from suite.distinct(said)


def weights(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Where training starts from."""
    used = suite.distinct(lambda c: weights_of(c.spec) if c.spec.weights else "")
    if used:
        yield f"weights: {', '.join(used)}"


def training(suite: SuiteRows, results: Results) -> Iterator[str]:
    """The recipes and augmentations."""
    yield from suite.distinct(lambda c: trained(c.runs[0].row) if "epochs" in c.spec.recipe else "")
    yield from suite.distinct(lambda c: finetuned(c.spec) if c.spec.scheme == FINETUNE else "")
    used = suite.distinct(lambda c: c.spec.augmentation)
    yield f"augmentation: {', '.join(used) or 'none'}"


def selection(suite: SuiteRows, results: Results) -> Iterator[str]:
    """What was chosen on which images."""
    yield from suite.distinct(_recipe_chosen)
    yield "Epoch kept: the one with the best AUC on validation."
    tables = [table for table, _ in suite.tables]
    on_test = [table.name for table in tables if table.split_protocol.may_choose_on_test]
    if len(on_test) < len(tables):
        yield "The test split chooses nothing."
    if on_test:
        yield f"{', '.join(on_test)}: validation may be the test images, as in the source."


def _recipe_chosen(c: Configuration) -> str:
    """How the values of its recipe came about, as the recipe's own file says."""
    if not c.spec.recipe:
        return ""
    name = c.spec.recipe.get("name", "")
    if name not in recipes.names():
        return f"{recipe(c.spec)}: how its values were chosen is not recorded"
    return f"recipe {name}: {recipes.find(name).source}"


def seeds(suite: SuiteRows, results: Results) -> Iterator[str]:
    """How many seeds, and how far a run can be repeated."""
    numbers = sorted({seed for c in suite.configurations for seed in c.seeds})
    yield f"seeds {', '.join(map(str, numbers)) or 'none'}; models without chance once"
    yield from suite.distinct(lambda c: c.runs[0].row.determinism or "")


def hardware(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Machines and total training time."""
    machines = (m for c in suite.configurations for m in c.machines if m.words)
    yield from dict.fromkeys(map(str, machines))
    runs = [run for c in suite.configurations for run in c.runs]
    known = [t for run in runs if (t := training_seconds(run.row)) is not None]
    of_all = "" if len(known) == len(runs) else f" of {count(len(runs))}, others not known"
    yield f"training in all: {duration(sum(known))} in {count(len(known))} runs{of_all}"


def metrics(suite: SuiteRows, results: Results) -> Iterator[str]:
    """What is computed, and where decisions come from."""
    yield (
        "AUC per finding and its mean; F1, accuracy, sensitivity, specificity, PPV, NPV, average "
        "precision, Matthews correlation, Brier score, expected calibration error, sensitivity at "
        "a specificity of 0.90 and 0.95"
    )
    hows = suite.distinct(lambda c: decided(c.runs[0].scores, c.runs[0].row))
    yield f"decisions: {'; '.join(hows)}; nothing of it is chosen on test"


def uncertainty(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Intervals and tests."""
    yield (
        "95 % intervals by patient: of AUCs and shares from DeLong's variance and its like on the "
        f"logit scale, of F1 from {count(RESAMPLES)} bootstrap resamples that choose the threshold "
        "anew; seed spread reported apart"
    )
    yield (
        "configurations compared within families by a t-test on the paired difference, patients "
        "and seeds, with Holm's correction over all pairs; letters, and what could have been told"
    )


def performance(suite: SuiteRows, results: Results) -> Iterator[str]:
    """What validation chooses of the suite in each table; the rest stands in the leaderboard."""
    for table, configurations in suite.tables:
        seeing = [c for c in configurations if not is_baseline(c.spec)]
        ranked = [c for c in seeing if c.key not in table.obstacles]
        known = [c for c in ranked or seeing if c.measurements["validation_auc"].mean is not None]
        if known:
            yield f"{table.name}, {_chosen(table, known, ranked=bool(ranked))}"
    yield "All others, and single findings: in the leaderboard and on the pages of the rows."


def _chosen(table: Table, known: list[Configuration], *, ranked: bool) -> str:
    c, n = max(known, key=on_validation), len(known)
    among = f"chosen by validation among {count(n)} of this suite" if n > 1 else "alone"
    place = among if ranked else f"{among}, not ranked ({table.obstacles[c.key]})"
    train, validation, test = (c.measurements[f"{split}_auc"] for split in SPLITS)
    return (
        f"{place}: {table.labels[c.key]}, AUC on train {number(train.mean)}, validation "
        f"{number(validation.mean)}, test {number(test.mean)} {interval(test.low, test.high)}"
    ).rstrip()


def overfitting(suite: SuiteRows, results: Results) -> Iterator[str]:
    """The ranges of the gap between train and test, and of its part that is overfitting."""
    parts = {
        "train − test": "gap_auc",
        "of it train − validation": "gap_auc_train_minus_validation",
    }
    for table, configurations in suite.tables:
        said = []
        for words, name in parts.items():
            gaps = [c.measurements[name].mean for c in configurations]
            if known := [gap for gap in gaps if gap is not None]:
                said.append(f"{words} {span(known)}")
        if said:
            yield f"{table.name}: AUC {', '.join(said)}"


def calibration(suite: SuiteRows, results: Results) -> Iterator[str]:
    """The range of the calibration error."""
    for table, configurations in suite.tables:
        errors = [c.measurements["test_ece"].mean for c in configurations]
        known = [error for error in errors if error is not None]
        if known:
            dataset = table.name
            yield (
                f"{dataset}: expected calibration error {number(min(known))} to "
                f"{number(max(known))}; reliability diagrams on the pages of the rows"
            )


def subgroups_known(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Whether the set tells anything to form subgroups by."""
    if any(checklist_data.patients(suite, results)):
        yield "AUC and underdiagnosis rate by sex, age band and view, on the pages of the rows"


def external(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Every table is a set's own test split; evaluations on other sets stand apart."""
    yield "Every table: a split of the set that the row was trained on."
    own = {c.config_id for c in suite.configurations}
    tested = dict.fromkeys(
        f"{row.spec.model} of {row.trained_on.dataset} on {row.spec.dataset}"
        for row in results.cross.rows()
        if row.trained_on and row.done and network_of(row).config_id in own
    )
    yield f"On other data sets: {', '.join(tested) or 'none'}"


def explanations(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Heat maps are a step of the report of their own."""
    yield "Grad-CAM on the pages of the rows, where the report was made with --gradcam"


def failures(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Runs that did not finish, with their reasons."""
    stopped = [row for row in suite.rows if not row.done]
    yield f"{count(len(stopped))} of {count(len(suite.rows))} runs did not finish"
    for row in stopped:
        yield f"{row.spec.model}, seed {row.spec.seed}: {why_stopped(row)}"


def limitations(suite: SuiteRows, results: Results) -> Iterator[str]:
    """What is known of such results, and of these data."""
    yield from (f"{limit.text} ({limit.source})" for limit in references.limits())
    for table, _ in suite.tables:
        if table.leakage_status != "clean":
            yield f"{table.name}: leakage status {table.leakage_status}"


def data_available(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Licence of the images, and whether predictions may be passed on."""

    def said(table: Table) -> str:
        may = "may" if table.dataset.redistributable else "may not"
        return f"{table.dataset.licence}; ids and predictions {may} be passed on"

    yield from suite.each(said)


def code_available(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Commits, and what of the models is kept."""

    def said(c: Configuration) -> str:
        commit = c.runs[0].row.commit
        return f"commit {commit}" if commit else ""

    yield from suite.distinct(said)
    yield "Weights stay in the local results folder; model files are identified by their versions."

"""The columns of the leaderboard's tables: all it takes to show what scoring computes is one here.

A column stands in every table that its ``places`` name, in the order of :data:`COLUMNS`; in the
legend, where it says what it means; in Markdown, HTML, CSV and LaTeX. Scores hold what it is of
under a name of :data:`benchmark.report.gathering.configuration.QUANTITIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.report.blocks.content import Code, Content, Emphasis, Figures, Strong
from benchmark.report.blocks.tables import Column
from benchmark.report.blocks.values import Cell, Measurement, Value, marked, mean_of, seconds
from benchmark.report.gathering import labels
from benchmark.report.gathering.configuration import MIN_SEEDS, Configuration, mean
from benchmark.report.gathering.ensembles import is_ensemble
from benchmark.report.gathering.table import Table

IMPROVING = "↗"
"""Sign of a training that was ended while it still got better."""
STALLED = "↘"
"""Sign of a training that was never better than after its first epoch."""
STALE = "¶"
"""Sign of what another version of the code made, or what was made from rows as they were."""
RANKING, DETAILS, SUITE, PAGE = "ranking", "details", "suite", "page"
"""The ranked table, that of further numbers below it, that of a suite's page, and the numbers on
the page of a configuration."""
UNTESTED = "untested"
"""The table of rows that left the test images alone, in the leaderboard and on a suite's page."""
NAMES = {
    "auc": "AUC", "f1": "F1", "average_precision": "Average precision", "accuracy": "Accuracy",
    "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV",
    "balanced_accuracy": "Balanced accuracy", "mcc": "Matthews correlation",
    "brier": "Brier score", "ece": "Expected calibration error", "log_loss": "Log loss",
    "sensitivity_at_specificity_0.90": "Sensitivity at specificity 0.90",
    "sensitivity_at_specificity_0.95": "Sensitivity at specificity 0.95",
    "best_f1": "Best F1 of all thresholds (oracle)", "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}  # fmt: skip
"""What a metric is called."""
Naming = Callable[[Configuration, str], Content]


def unlinked(configuration: Configuration, name: str) -> Content:
    """The name of a configuration in a document that has no page for it."""
    return name


@dataclass(frozen=True)
class Entry:
    """A configuration in its table, as a document shows it; ``named`` makes links to its page."""

    table: Table
    configuration: Configuration
    named: Naming = unlinked

    @property
    def label(self) -> str:
        """The shortest name that tells it from the others of its table."""
        return self.table.labels[self.configuration.key]

    def of(self, quantity: str) -> Measurement:
        """One of its quantities."""
        return self.configuration.measurements[quantity]


def entries(table: Table, named: Naming = unlinked) -> list[Entry]:
    """The configurations of a table in its order."""
    return [Entry(table, c, named) for c in table.configurations]


def columns(place: str, *, cost: bool = True) -> list[Column[Entry]]:
    """The columns of a table; without ``cost`` nothing tells of time and hardware."""
    return [c for c in COLUMNS if place in c.places and (cost or not c.cost)]


def quantity(
    name: str,
    header: str,
    places: tuple[str, ...] = (DETAILS, PAGE),
    *,
    brief: bool = False,
    **more: Any,
) -> Column[Entry]:
    """The column of a quantity; ``brief``: its mean alone is shown."""

    def value(each: Entry) -> Value:
        return mean_of(each.of(name)) if brief else each.of(name)

    return Column(name, header, value, places=places, **more)


def metric(name: str, places: tuple[str, ...] = (PAGE,), **more: Any) -> Column[Entry]:
    """The column of a metric on the test split, of which the mean is shown."""
    return quantity(f"test_{name}", NAMES[name], places, brief=True, **more)


def signed_name(c: Configuration) -> str:
    """The name of a model with the signs that it bears in tables."""
    signs = (
        (" ◊", c.external),
        (f" {IMPROVING}", c.improving_seeds),
        (f" {STALLED}", c.stalled_seeds),
        (" †", c.edited_seeds),
        (f" {STALE}", c.outdated),
    )
    mark = " (ensemble)" if is_ensemble(c.spec) else ""
    return c.spec.model + mark + "".join(sign for sign, of in signs if of)


def tested_auc(c: Configuration) -> Value:
    """The AUC, with a sign where its interval may be too short."""
    auc = c.measurements["test_auc"]
    return marked(auc, Figures("\xa0§")) if c.short_interval else auc


def _letters(each: Entry) -> Value:
    """With the number of the family where there are several; provisional ones in brackets."""
    if each.configuration.wants_seeds:
        return not_yet(each.configuration)
    found = each.table.letters.get(each.configuration.key)
    if found is None:
        return None
    several = len({letters.family for letters in each.table.letters.values()}) > 1
    text = f"{found.family}\xa0{found.text}" if several else found.text
    return f"({text})" if found.provisional else text


def not_yet(c: Configuration) -> str:
    """What is said in place of the letters of a configuration that only wants seeds."""
    return f"{len(c.runs)} of {MIN_SEEDS} seeds, not ranked yet"


def _size(each: Entry) -> Value:
    spec = each.configuration.spec
    return Cell(labels.size(spec), spec.resolution or None)


def _preparation(each: Entry) -> Value:
    c = each.configuration
    prepared = labels.preparation(c.spec, normalised=each.table.normalised_differently)
    said = (prepared, each.table.settings[c.key], c.differs)
    return ", ".join(filter(None, said))


def _validation_error(each: Entry) -> Value:
    return mean([run.scores.validation_auc_error for run in each.configuration.runs])


def _seeds(each: Entry) -> Value:
    c, n = each.configuration, len(each.configuration.runs)
    if c.model.deterministic:
        return Cell(f"{n} fixed", n)
    return n if c.complete else Cell(f"{n} of {MIN_SEEDS}", n)


def _hardware(each: Entry) -> Value:
    letters = each.table.machines
    return ", ".join(letters[str(machine)] for machine in each.configuration.machines)


def _text(
    name: str, header: str, value: Callable[[Entry], Value], *places: str, **more: Any
) -> Column[Entry]:
    return Column(name, header, value, align="l", places=places, **more)


COLUMNS: tuple[Column[Entry], ...] = (
    _text("label", "Configuration", lambda e: e.named(e.configuration, e.label), DETAILS, SUITE),
    _text("letters", "Letters", _letters, RANKING, SUITE, legend=(
        "Which test AUCs were told apart within a family: ",
        Strong("those who share a letter were not"), ", which does not mean that they are equal. A "
        "family is what a suite compares: its models, say, with all else the same; a number tells "
        "families of one table apart, and letters of different numbers say nothing of each other. "
        "t-test on the paired difference (patients and seeds), Holm's correction over all pairs of "
        "the family, 5 %. In brackets: provisional, with fewer than five seeds. A dash: in no "
        "family, or not ranked, with the reason below the table.",
    )),
    _text("model", "Model", lambda e: e.named(e.configuration, signed_name(e.configuration)),
          RANKING, UNTESTED, names_row=True),
    Column("resolution", "Size", _size, unit="px", places=(RANKING, UNTESTED)),
    _text("preparation", "Preparation", _preparation, RANKING, UNTESTED),
    _text("weights", "Weights", lambda e: labels.weights(e.configuration.shown), RANKING, UNTESTED),
    Column("test_auc", "AUC", lambda e: tested_auc(e.configuration), long="AUC, test",
           places=(RANKING, SUITE, PAGE), legend=(
        "Exact area under the ROC curve on the test split, mean over seeds; with several findings "
        "the mean over those with at least 10 positive and 10 negative patients on test."
    )),
    quantity("validation_auc", "AUC, validation", (PAGE, UNTESTED)),
    Column("validation_auc_error", "Standard error", _validation_error, places=(UNTESTED,)),
    quantity("train_auc", "AUC, train", (PAGE, UNTESTED)),
    quantity("test_f1", "F1", (RANKING, PAGE), long="F1, test", legend=(
        "At the threshold that is best for F1 on the validation split, then frozen; exclusive "
        "findings: the most probable one, averaged over findings. Its interval holds the choice of "
        "the threshold: validation is resampled, too."
    )),
    quantity("gap_auc", "Gap (train − test)", (RANKING, SUITE, PAGE),
             long="Gap (AUC): train − test", legend=(
        "What is called the overfitting gap: AUC on the training images (un-augmented, same "
        "weights) minus AUC on test. Overfitting is but one of its two parts, ",
        Emphasis("train − validation"), "; the other, ", Emphasis("validation − test"), ", is what "
        "differs between the images of the splits, and may be most of it. Each runs over the "
        "findings that both of its splits have enough patients of; where these are the same, the "
        "parts add up to it. Interval: from those of the two AUCs (MOVER).",
    )),
    metric("accuracy", (DETAILS, SUITE, PAGE)),
    metric("sensitivity", (DETAILS, PAGE), sign="Sensitivity, specificity",
           legend="At the same frozen threshold as F1."),
    metric("specificity", (DETAILS, PAGE)),
    quantity("gap_auc_train_minus_validation", "Train − validation", (DETAILS, PAGE, UNTESTED),
             brief=True,
             long="Gap (AUC): train − validation"),
    quantity("gap_auc_validation_minus_test", "Validation − test", brief=True,
             long="Gap (AUC): validation − test"),
    quantity("test_f1_frozen", "F1, threshold as it is", (PAGE,), long="F1, threshold as it is"),
    metric("best_f1"),
    metric("sensitivity_at_specificity_0.95"),
    metric("calibration_slope"),
    metric("calibration_intercept"),
    quantity("subgroup_gap", "Largest gap between subgroups", (PAGE,)),
    quantity("gap_f1", "F1 gap", legend=(
        "The same for F1; beside it that of calling every image positive (of exclusive findings: "
        "all the one that is commonest in training), which a difference in prevalence alone can "
        "make non-zero. The baseline ", Code("constant"), " decides as every model does, and may "
        "have another one.",
    )),
    quantity("gap_f1_constant", "F1 gap of calling every image positive", brief=True,
             long="F1 gap of calling every image positive"),
    metric("balanced_accuracy"),
    metric("average_precision"),
    metric("mcc"),
    metric("brier"),
    metric("ece"),
    metric("log_loss"),
    Column("seeds", "Seeds", _seeds, places=(RANKING, UNTESTED), legend=(
        f"Number of runs that differ only in their seed. Fewer than {MIN_SEEDS} (",
        Emphasis(f"2 of {MIN_SEEDS}"), "): incomplete, shown and not ranked. ", Emphasis("1 fixed"),
        ": a model without chance in it, run once.",
    )),
    Column("parameters", "Parameters", lambda e: e.configuration.model.parameters,
           places=(RANKING, SUITE, UNTESTED)),
    Column("train_seconds", "Training", lambda e: seconds(e.configuration.train_seconds),
           places=(RANKING, SUITE, UNTESTED), cost=True, sign="Training, hardware", legend=(
        "Training time of one run, median over seeds, on the machine named by its letter below the "
        "table; without the computing of a frozen network's features, which the first tables "
        "include. By the clock, with all else that the machine did meanwhile: an upper bound. "
        "Times on different machines are not comparable."
    )),
    _text("hardware", "Hardware", _hardware, RANKING, UNTESTED, cost=True),
)  # fmt: skip

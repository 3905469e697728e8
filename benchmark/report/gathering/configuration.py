"""A configuration: the runs that differ only in their seed, and what their scores amount to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from benchmark import kinds
from benchmark.hashing import sha256
from benchmark.records.facts import ModelFacts
from benchmark.records.one_model import why_not_averaged
from benchmark.records.predictions import SPLITS
from benchmark.records.scores import ConfigurationIntervals, FindingScores, Gap, Scores
from benchmark.records.timing import training_seconds
from benchmark.report.blocks.values import Measurement
from benchmark.report.gathering.environments import Machine
from benchmark.report.gathering.run import Run, remarks_on, shown_spec
from benchmark.scoring.gap import GAPS
from benchmark.scoring.improvement import never_improved, still_improving
from benchmark.scoring.scorecard import HEADLINES
from benchmark.spec import Spec
from benchmark.training.schemes import learns_by_heart

MIN_SEEDS = 3
TWO_VALUED = "it has two different scores, as decisions have, too few for an AUC to rank it"
SIMULATED, MANY, HIGH_AUC = 20, 100, 0.9
Quantity = Callable[[Scores], float | None]


def of_split(split: str, metric: str) -> Quantity:
    """A metric of a split; undefined where there is no such split."""
    return lambda scores: scores.splits[split].metrics[metric] if split in scores.splits else None


def _of_gap(metric: str, part: str) -> Quantity:
    return lambda scores: getattr(scores.gap[metric], part)


# What a leaderboard says about a configuration, and how it is read from the scores of one run.
QUANTITIES: dict[str, Quantity] = (
    {f"{split}_{metric}": of_split(split, metric) for split in SPLITS for metric in HEADLINES}
    | {
        f"gap_{metric}{'' if part == 'value' else f'_{part}'}": _of_gap(metric, part)
        for metric in GAPS
        for part in Gap.__struct_fields__
        if part != "constant"
    }
    | {
        "gap_f1_constant": _of_gap("f1", "constant"),
        "test_f1_frozen": of_split("test", "f1"),
        "subgroup_gap": lambda scores: scores.subgroup_gap.value if scores.subgroup_gap else None,
    }
)
_TO_TRAIN = frozenset(f"gap_{m}{part}" for m in GAPS for part in ("", "_train_minus_validation"))
"""Those in which the training images stand."""


@dataclass(frozen=True)
class Configuration:
    """Runs of one protocol and one version of the code that differ only in their seed, by seed.

    Attributes:
        config_id: what the runs share.
        runs: at least one.
        intervals: of the means over the runs.
        stale: in which components the code has other versions now, in words; empty where it is
            the current one.
        differs: versions in which the code is another than that of the configuration of the same
            config id that counts in its place; empty for the one that counts.
        instead: the versions of that one.
        table: its name, where other tables have runs of the same config id; else empty.
    """

    config_id: str
    runs: tuple[Run, ...]
    intervals: ConfigurationIntervals
    stale: str = ""
    differs: str = ""
    instead: str = ""
    table: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others: its config id, if it is the only one that counts.

        Else with its table or a hash of its code behind it.
        """
        return key_of(self.config_id, self.table, self.differs)

    @property
    def code(self) -> dict[str, str]:
        """Versions of the components that made its runs."""
        return self.runs[0].row.code

    @property
    def spec(self) -> Spec:
        """The spec of the first run; only ``seed`` differs in the others."""
        return self.runs[0].row.spec

    @property
    def model(self) -> ModelFacts:
        """The facts about the model: title, reference, parameters, deterministic."""
        return self.runs[0].row.model

    @cached_property
    def shown(self) -> Spec:
        """The spec as it is told; see :func:`shown_spec`."""
        return shown_spec(self.spec, [member for run in self.runs for member in run.members])

    @property
    def seeds(self) -> list[int]:
        """The seeds that were run to the end."""
        return [run.row.spec.seed for run in self.runs]

    @property
    def complete(self) -> bool:
        """True with three seeds, or one of a model that has no chance in it."""
        return self.model.deterministic or len(self.runs) >= MIN_SEEDS

    @property
    def tested(self) -> bool:
        """False where the test images were left alone, to choose on validation."""
        return not self.spec.no_test

    def on_test(self, finding: str) -> list[FindingScores]:
        """What each run scored on the test images of a finding."""
        return [run.scores.splits["test"].per_finding[finding] for run in self.runs]

    @property
    def obstacle(self) -> str:
        """Why it is not to be compared with others, whatever its scores; empty where it may be."""
        if self.unfit or self.complete:
            return self.unfit
        return f"{len(self.runs)} of the {MIN_SEEDS} seeds that a comparison needs"

    @cached_property
    def unfit(self) -> str:
        """Why it is not to be compared with others with any number of seeds; empty where it may."""
        if self.differs:
            return (
                f"made by another version of the code ({self.differs}): the same configuration "
                f"made by {self.instead} counts in its place"
            )
        if not self.tested:
            return "no test image was predicted, to choose on validation"
        return self.flaw

    @cached_property
    def flaw(self) -> str:
        """What keeps its scores from being ranked beside others; empty where nothing does."""
        if not kinds.find(self.spec.kind).ranked(self.spec):
            return "its scores are shares of votes, too few different ones for an AUC to rank it"
        if any(run.scores.two_valued for run in self.runs):
            return TWO_VALUED
        predictions = [run.scores.predictions_sha256 for run in self.runs]
        rows = [run.row for run in self.runs]
        return why_not_averaged(rows, predictions, self.intervals.alike)

    @property
    def wants_seeds(self) -> bool:
        """Whether it would be compared with others if it had more seeds."""
        return not self.complete and not self.unfit

    @property
    def edited_seeds(self) -> list[int]:
        """Seeds whose prediction file changed after the run."""
        return [run.row.spec.seed for run in self.runs if run.edited]

    @property
    def improving_seeds(self) -> list[int]:
        """Seeds whose training was ended while it still got better."""
        return [run.row.spec.seed for run in self.runs if still_improving(run.row, run.scores)]

    @property
    def stalled_seeds(self) -> list[int]:
        """Seeds whose training was never better on validation than after its first epoch."""
        return [run.row.spec.seed for run in self.runs if never_improved(run.row)]

    @property
    def remade(self) -> list[str]:
        """Seeds that were made from rows that have been made anew since, with their roles."""
        return [f"{run.row.spec.seed} ({', '.join(run.remade)})" for run in self.runs if run.remade]

    @property
    def outdated(self) -> bool:
        """Whether ``--rerun stale`` makes any of its runs anew."""
        return bool(self.stale or self.remade)

    @property
    def short_interval(self) -> bool:
        """True where the interval of the AUC may be too short, because patients are few.

        Simulations (``benchmarks/COVERAGE.md``) begin at 20 patients with a finding; with those
        and a high AUC, intervals of this kind held the truth in 88 to 99 %.
        """
        if not self.tested:
            return False
        scores = self.runs[0].scores
        tested = scores.splits["test"].per_finding
        counts = (
            count
            for finding in scores.macro_findings
            for count in (tested[finding].n_positive_patients, tested[finding].n_negative_patients)
        )
        fewest = min(counts, default=SIMULATED)
        auc = self.measurements["test_auc"].mean
        return fewest < SIMULATED or (fewest < MANY and auc is not None and auc >= HIGH_AUC)

    @property
    def external(self) -> bool:
        """True where the predictions were made by another tool and read from a file."""
        return self.spec.kind == "external"

    @cached_property
    def measurements(self) -> dict[str, Measurement]:
        """Every quantity of :data:`QUANTITIES` by name."""
        unknown = _TO_TRAIN if learns_by_heart(self.spec.scheme) else frozenset()
        return {
            name: Measurement(None) if name in unknown else self._measure(name)
            for name in QUANTITIES
        }

    @cached_property
    def finding_auc(self) -> dict[str, float | None]:
        """Finding -> test AUC, mean over the seeds; None where undefined, none without test."""
        if not self.tested:
            return {}
        parts = [run.scores.splits["test"].per_finding for run in self.runs]
        # Not in the order of the keys, which differs between fresh scores and saved ones.
        findings = self.runs[0].scores.findings
        return {f: mean([part[f].metrics["auc"] for part in parts]) for f in findings}

    @property
    def remarks(self) -> list[str]:
        """What a reader must know of how these scores came about, beyond the header."""
        remarks = {remark: None for run in self.runs for remark in remarks_on(run)}
        return list(remarks)

    @property
    def train_seconds(self) -> float | None:
        """Training time of one run, median over the seeds: one may have had a busy machine."""
        known = [t for run in self.runs if (t := training_seconds(run.row)) is not None]
        return median(known) if known else None

    @property
    def machines(self) -> list[Machine]:
        """The distinct machines that the runs were made on."""
        return list(
            dict.fromkeys(Machine.of(run.row.environment, run.row.speed) for run in self.runs)
        )

    def values(self, name: str) -> list[float | None]:
        """A quantity of every run."""
        return [QUANTITIES[name](run.scores) for run in self.runs]

    def _measure(self, name: str) -> Measurement:
        if name == "subgroup_gap":  # of the means over the runs, not the mean of the largest ones
            gap = self.intervals.subgroup_gap
            return Measurement(gap.value, None, *gap.interval) if gap else Measurement(None)
        values = self.values(name)
        middle = mean(values)
        if middle is None:
            return Measurement(None)
        known = [value for value in values if value is not None]
        limits = self.intervals.intervals.get(name)
        return Measurement(middle, _seed_sd(known, middle), *(limits or ()))


def key_of(config_id: str, table: str, differs: str) -> str:
    """What tells a configuration from all others; see `Configuration`."""
    code = sha256(differs.encode())[:4] if differs else ""
    return "-".join(filter(None, (config_id, table, code)))


def mean(values: list[float | None]) -> float | None:
    """The mean; None where any value is undefined."""
    known = [value for value in values if value is not None]
    return None if len(known) < len(values) else math.fsum(known) / len(known)


def _seed_sd(values: list[float], middle: float) -> float | None:
    # statistics.stdev sums exact fractions, which takes a second for a thousand rows.
    squares = math.fsum((value - middle) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else None

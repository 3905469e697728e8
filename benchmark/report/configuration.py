"""A configuration: the runs that differ only in their seed, and what their scores amount to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.records.store import Row
from benchmark.scoring.gap import GAPS
from benchmark.scoring.replicates import decode
from benchmark.scoring.scorecard import HEADLINES
from benchmark.scoring.uncertainty import INTERVALS, interval

MIN_SEEDS = 3
SIMULATED, MANY, HIGH_AUC = 20, 100, 0.9

# What a leaderboard says about a configuration, and where the scores of one run hold it.
QUANTITIES: dict[str, tuple[str, ...]] = (
    {
        f"{split}_{metric}": ("splits", split, metric)
        for split in ("train", "validation", "test")
        for metric in HEADLINES
    }
    | {
        f"gap_{metric}{suffix}": ("gap", metric, key)
        for metric in GAPS
        for suffix, key in {
            "": "value",
            "_train_minus_validation": "train_minus_validation",
            "_validation_minus_test": "validation_minus_test",
        }.items()
    }
    | {"gap_f1_constant": ("gap", "f1", "constant")}
)


@dataclass(frozen=True)
class Measurement:
    """A quantity of a configuration.

    Attributes:
        mean: mean over the seeds; None where any seed leaves it undefined.
        seed_sd: standard deviation over seeds (ddof 1), None with one seed. Training chance.
        low, high: 95 % interval of the mean from resampled patients, None where there is none.
            Sampling of the images; it does not hold the seed spread.
    """

    mean: float | None
    seed_sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Run:
    """One finished row and its scores, from the prediction file as it is now."""

    row: Row
    scores: dict

    @property
    def edited(self) -> bool:
        """True where the prediction file is not the one that the run wrote."""
        return self.scores["predictions_sha256"] != self.row["predictions_sha256"]


@dataclass(frozen=True)
class Configuration:
    """Runs of one protocol that differ only in their seed, ordered by seed.

    Attributes:
        config_id: what the runs share.
        runs: at least one.
    """

    config_id: str
    runs: tuple[Run, ...]

    @property
    def cell(self) -> dict:
        """The resolved cell of the first run; only ``seed`` differs in the others."""
        return self.runs[0].row["cell"]

    @property
    def model(self) -> dict:
        """The facts about the model: title, reference, parameters, deterministic."""
        return self.runs[0].row["model"]

    @property
    def seeds(self) -> list[int]:
        """The seeds that were run to the end."""
        return [run.row["cell"]["seed"] for run in self.runs]

    @property
    def complete(self) -> bool:
        """True with three seeds, or one of a model that has no chance in it."""
        return self.model["deterministic"] or len(self.runs) >= MIN_SEEDS

    @property
    def edited_seeds(self) -> list[int]:
        """Seeds whose prediction file changed after the run."""
        return [run.row["cell"]["seed"] for run in self.runs if run.edited]

    @property
    def short_interval(self) -> bool:
        """True where the interval of the AUC may be too short, because patients are few.

        Simulations (``benchmarks/COVERAGE.md``) begin at 20 patients with a finding; with those
        and a high AUC, intervals of this kind held the truth in less than 93 %.
        """
        scores = self.runs[0].scores
        tested = scores["splits"]["test"]["per_finding"]
        fewest = min(
            (
                tested[finding][f"n_{kind}_patients"]
                for finding in scores["macro_findings"]
                for kind in ("positive", "negative")
            ),
            default=SIMULATED,
        )
        auc = self.measurements["test_auc"].mean
        return fewest < SIMULATED or (fewest < MANY and auc is not None and auc >= HIGH_AUC)

    @property
    def external(self) -> bool:
        """True where the predictions were made by another tool and read from a file."""
        return "external" in self.runs[0].row

    @cached_property
    def measurements(self) -> dict[str, Measurement]:
        """Every quantity of :data:`QUANTITIES` by name."""
        return {name: self._measure(name) for name in QUANTITIES}

    @cached_property
    def finding_auc(self) -> dict[str, float | None]:
        """Finding -> test AUC, mean over the seeds; None where undefined."""
        parts = [run.scores["splits"]["test"]["per_finding"] for run in self.runs]
        # Not in the order of the keys, which differs between fresh scores and saved ones.
        findings = self.runs[0].scores["findings"]
        return {f: _mean([part[f]["auc"] for part in parts]) for f in findings}

    @property
    def remarks(self) -> list[str]:
        """What a reader must know of how these scores came about, beyond the header."""
        remarks = {remark: None for run in self.runs for remark in _remarks(run.scores)}
        return list(remarks)

    @property
    def train_seconds(self) -> float | None:
        """Training time of one run, mean over the seeds."""
        return _mean([run.row["phases"].get("train") for run in self.runs])

    @property
    def hardware(self) -> list[dict]:
        """The distinct machines that the runs were made on."""
        found: list[dict] = []
        for run in self.runs:
            machine = run.row["provenance"]["hardware"]
            if machine not in found:
                found.append(machine)
        return found

    def values(self, name: str) -> list[float | None]:
        """A quantity of every run."""
        return [_at(run.scores, QUANTITIES[name]) for run in self.runs]

    @cached_property
    def resampled(self) -> dict[str, list[np.ndarray]]:
        """Quantity -> for every run its (R,) resampled values, NaN where undefined.

        The runs of a table are scored on the same resamples of the test patients, so that values
        of different runs may be averaged and subtracted resample by resample.
        """
        names = self.runs[0].scores["replicates"]
        return {
            name: [decode(run.scores["replicates"][name]) for run in self.runs] for name in names
        }

    def replicates(self, name: str) -> np.ndarray:
        """(R,) resampled values of a quantity, averaged over the runs."""
        return np.mean(self.resampled[name], axis=0)

    def _measure(self, name: str) -> Measurement:
        values = self.values(name)
        mean = _mean(values)
        if mean is None:
            return Measurement(None)
        limits = interval(name, mean, self.resampled) if name in INTERVALS else None
        return Measurement(mean, _seed_sd(values, mean), *(limits or ()))


def _remarks(scores: dict) -> Iterator[str]:
    if scores["macro_undefined"]:
        yield f"no AUC and no F1, {scores['macro_undefined']}"
    for split in ("train", "validation"):
        if split not in scores["splits"]:
            yield f"no {split} predictions, so what needs them is undefined"
    if scores["threshold_source"] == "fixed":
        yield "decisions at 0.5, there is no validation split to choose a threshold on"
    elif scores["fixed_thresholds"]:
        findings = ", ".join(scores["fixed_thresholds"])
        yield f"decisions at 0.5 for {findings}, no positive image in validation"
    for split, lost in scores["undefined_resamples"].items():
        if lost:
            yield f"intervals leave out {lost} resamples of {split} in which a finding lost a class"


def _mean(values: list[float | None]) -> float | None:
    return None if any(value is None for value in values) else math.fsum(values) / len(values)


def _seed_sd(values: list[float], mean: float) -> float | None:
    # statistics.stdev sums exact fractions, which takes a second for a thousand rows.
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else None


def _at(scores: dict, keys: tuple[str, ...]) -> float | None:
    value: object = scores
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value

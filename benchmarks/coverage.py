"""What letters and intervals are worth: simulations, run by hand; some twenty minutes of one core.

Families of equal configurations: how often any pair of them is told apart (family-wise error), and
how often one that is better is told from the others (power). Intervals: how often they hold the
truth. Scores are normal, so that the true AUC is known; a patient's images share half of the
variance and have the same label. The arrays of a setting are computed all at once, by the formulas
of `benchmark.scoring`; ``tests/test_benchmarks.py`` holds them against those functions.

    python benchmarks/coverage.py                         # writes benchmarks/COVERAGE.md
    python benchmarks/coverage.py --simulations 20 --out /tmp/some.md
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import NormalDist

import numpy as np
from scipy.special import expit, logit, ndtr, stdtr, stdtrit
from scipy.stats import rankdata

from benchmark.records.files import write_atomic
from benchmark.scoring import bootstrap, influence, intervals
from benchmark.scoring.part import Part
from benchmark.scoring.ranking import ALPHA
from benchmark.scoring.thresholds import best_f1_threshold

SHARED = 0.85
"""Share of the variance of a score that all configurations have in common."""
PREVALENCE = 0.4
FAMILY_AUC, BETTER = 0.85, 0.06
"""Of equal configurations, and by how much the better one is better where power is asked for."""
LARGEST_ERROR, CONSERVATIVE = 0.065, 0.035
WANTED = (0.93, 0.97)
BETTER_THAN_TEST = {0.75: 0.85, 0.9: 0.97, 0.996: 0.9995}
"""AUC on test -> AUC on train where the gap is simulated."""
F1_RESAMPLES = 200
FEW, FEW_AUCS = 20, (0.75, 0.9, 0.95, 0.98, 0.996)
"""Positive patients of the third table, and the AUCs that are simulated with them."""


def shift(auc: float) -> float:
    """By how much positive scores are higher, where a score has variance 1."""
    return 2**0.5 * NormalDist().inv_cdf(auc)


def patient_noise(rng: np.random.Generator, patients: int, images: int, *more: int) -> np.ndarray:
    """(patients x images, ...) of variance 1, half of it shared by a patient's images."""
    of_patient = np.repeat(rng.normal(size=(patients, *more)), images, axis=0)
    return (of_patient + rng.normal(size=(patients * images, *more))) / 2**0.5


def aucs(ill: np.ndarray, scores: np.ndarray, images: int) -> tuple[np.ndarray, np.ndarray]:
    """(K,) AUCs of (N, K) scores and their influences (patients, K); see `influence.auc`."""
    up, down = scores[ill], scores[~ill]
    ranks = rankdata(scores, axis=0)
    wins = np.empty_like(scores)
    wins[ill] = (ranks[ill] - rankdata(up, axis=0)) / len(down)
    wins[~ill] = 1 - (ranks[~ill] - rankdata(down, axis=0)) / len(up)
    found = wins[ill].mean(axis=0)
    for side in (ill, ~ill):
        n = side.sum() // images
        wins[side] = (wins[side] - found) / side.sum() * (n / (n - 1)) ** 0.5
    return found, wins.reshape(-1, images, scores.shape[1]).sum(axis=1)


@dataclass(frozen=True)
class FamilySetting:
    """Configurations of one test set.

    Attributes:
        k, seeds: how many, and seeds of each.
        spread: standard deviation between seeds of the true AUC: of all, or 0 to 0.01.
        own: share of the variance of a score that is of one seed alone.
        patients, images: of the test set, and of each patient.
    """

    k: int
    seeds: int
    spread: str
    own: float
    patients: int
    images: int

    def errors(self, simulations: int) -> tuple[float, float]:
        """Family-wise error, and power."""
        told = [self._one(number) for number in range(simulations)]
        return tuple(np.mean(told, axis=0).tolist())

    def _one(self, number: int) -> tuple[bool, float]:
        rng = np.random.default_rng([number, self.k, self.seeds, self.patients, self.images])
        ill = np.repeat(np.arange(self.patients) < PREVALENCE * self.patients, self.images)
        shape = (self.patients, self.images)
        scores = SHARED**0.5 * patient_noise(rng, *shape)[:, None, None]
        scores = scores + (1 - SHARED - self.own) ** 0.5 * patient_noise(rng, *shape, self.k, 1)
        scores = scores + self.own**0.5 * patient_noise(rng, *shape, self.k, self.seeds)
        spread = np.linspace(0, 0.01, self.k) if self.spread == "0 to 0.01" else float(self.spread)
        true = FAMILY_AUC + np.reshape(spread, (-1, 1)) * rng.normal(size=(self.k, self.seeds))
        quantiles = np.vectorize(shift)(np.clip(true, 0.5, 0.999))
        scores = scores + ill[:, None, None] * quantiles
        values, terms = aucs(ill, scores.reshape(len(ill), -1), self.images)
        error = self._adjusted(values, terms).min() < ALPHA
        first = scores[:, 0] + ill[:, None] * (shift(FAMILY_AUC + BETTER) - shift(FAMILY_AUC))
        values[: self.seeds], terms[:, : self.seeds] = aucs(ill, first, self.images)
        return error, float((self._adjusted(values, terms)[: self.k - 1] < ALPHA).mean())

    def _adjusted(self, values: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """Holm's p of all pairs, those of the first configuration first."""
        p = p_of_pairs(values.reshape(self.k, -1), terms.reshape(len(terms), self.k, -1))
        order = np.argsort(p)
        steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
        adjusted = np.empty_like(p)
        adjusted[order] = steps
        return adjusted


def p_of_pairs(values: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """P of every pair of (K, seeds) AUCs with influences (patients, K, seeds); see `compare`."""
    means, of_patients = values.mean(axis=1), terms.mean(axis=2)
    of_seeds = values.var(axis=1, ddof=1) / values.shape[1]
    first, second = np.triu_indices(len(means), 1)
    sampling = ((of_patients[:, first] - of_patients[:, second]) ** 2).sum(axis=0)
    variance = sampling + of_seeds[first] + of_seeds[second]
    seeds = (of_seeds[first] ** 2 + of_seeds[second] ** 2) / (values.shape[1] - 1)
    degrees = variance**2 / (sampling**2 / (len(terms) - 1) + seeds)
    return 2 * stdtr(degrees, -np.abs(means[first] - means[second]) / variance**0.5)


@dataclass(frozen=True)
class IntervalSetting:
    """A test set: its true AUC, patients, and images of each."""

    auc: float
    patients: int
    images: int

    @property
    def ill(self) -> np.ndarray:
        """(N,) bool."""
        return np.repeat(np.arange(self.patients) < PREVALENCE * self.patients, self.images)

    def coverage(self, simulations: int) -> Iterator[tuple[str, float]]:
        """What has an interval -> share of simulations in which it holds the truth."""
        rng = np.random.default_rng([round(10_000 * self.auc), self.patients, self.images])
        better = BETTER_THAN_TEST[self.auc]
        test, train, same = (
            self._aucs(rng, auc, simulations) for auc in (self.auc, better, self.auc)
        )
        yield "AUC", held(*limits(test), self.auc)
        yield "gap, train − test", held(*movers(train, test), better - self.auc)
        yield "part, validation − test", held(*movers(same, test), 0.0)
        yield from self._f1(rng, simulations)

    def _aucs(self, rng: np.random.Generator, auc: float, simulations: int) -> tuple:
        noise = patient_noise(rng, self.patients, self.images, simulations)
        return (*aucs(self.ill, noise + self.ill[:, None] * shift(auc), self.images), self.fewest)

    @property
    def fewest(self) -> int:
        """Patients of the smaller class."""
        return int(min(PREVALENCE, 1 - PREVALENCE) * self.patients)

    def _part(self, rng: np.random.Generator) -> Part:
        """Images of patients as they come: how many are positive is chance, too."""
        ill = np.repeat(rng.random(self.patients) < PREVALENCE, self.images)
        odds = patient_noise(rng, self.patients, self.images, 1) + ill[:, None] * shift(self.auc)
        patients = np.repeat(np.arange(self.patients), self.images)
        return Part(ill[:, None].astype(float), odds, expit(odds), patients, False)

    def _f1(self, rng: np.random.Generator, simulations: int) -> Iterator[tuple[str, float]]:
        true, anew, frozen = [], [], []
        for number in range(simulations):
            validation, test = self._part(rng), self._part(rng)
            known = validation.targets[:, 0] == 1
            threshold = best_f1_threshold(known, validation.probabilities[:, 0])
            test = test.decided([threshold])
            true.append(self.true_f1(float(logit(threshold))))
            found = influence.macro_f1(test, [0])
            frozen.append(influence.bounded(found, self.fewest))
            drawn = bootstrap.replicates(
                test, validation, [0], resamples=F1_RESAMPLES, seed_text=str(number)
            )["f1"]
            anew.append(np.percentile(drawn, [2.5, 97.5], method="weibull"))
        yield "F1, threshold chosen anew", held(*np.transpose(anew), np.mean(true))
        yield "F1, threshold as it is", held(*np.transpose(frozen), np.array(true))

    def true_f1(self, threshold: float) -> float:
        """F1 of endless images at a threshold of the score."""
        true = PREVALENCE * ndtr(shift(self.auc) - threshold)
        false = (1 - PREVALENCE) * ndtr(-threshold)
        return float(2 * true / (true + false + PREVALENCE))


def limits(found: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the interval of each AUC; see `influence.bounded`."""
    values, terms, fewest = found
    squares = terms**2
    variance = squares.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (squares**2).sum(axis=0) / variance**2 - 1 / len(terms)
        degrees = np.clip(2 / spread, 1, len(terms))
        reach = stdtrit(degrees, 0.975) * variance**0.5 / (values * (1 - values))
        low, high = (expit(logit(values) + side * reach) for side in (-1, 1))
    perfect = values == 1
    return np.where(perfect, intervals.one_sided(1.0, fewest)[0], low), np.where(perfect, 1.0, high)


def movers(first: tuple, second: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the interval of each difference; see `intervals.mover`."""
    (low, high), (below, above) = limits(first), limits(second)
    difference = first[0] - second[0]
    return (
        difference - np.hypot(first[0] - low, above - second[0]),
        difference + np.hypot(high - first[0], second[0] - below),
    )


def held(low: np.ndarray, high: np.ndarray, truth: np.ndarray | float) -> float:
    """Share of intervals that hold the truth."""
    return float(np.mean((low <= truth) & (truth <= high)))


def families(simulations: int) -> Iterator[tuple]:
    """Lines of the first table."""
    sets = ((200, 1), (70, 3))
    spreads = (("0", 0.0), ("0.003", 0.0), ("0.01", 0.0), ("0 to 0.01", 0.0), ("0.003", 0.05))
    for k, seeds, (spread, own), (patients, images) in product((8, 20), (3, 5), spreads, sets):
        error, power = FamilySetting(k, seeds, spread, own, patients, images).errors(simulations)
        line = (
            k,
            seeds,
            spread,
            f"{100 * own:.0f} %",
            patients,
            images,
            judged(error),
            share(power),
        )
        print(*line, flush=True)
        yield line


def covered(simulations: int) -> Iterator[tuple]:
    """Lines of the second table."""
    for auc, patients, images in product(BETTER_THAN_TEST, (200, 1000), (1, 2)):
        for name, found in IntervalSetting(auc, patients, images).coverage(simulations):
            line = (f"{auc:g}", f"{patients:,}", images, name, marked(found))
            print(*line, flush=True)
            yield line


def few(simulations: int) -> Iterator[tuple]:
    """Lines of the third table: the AUC where twenty patients are positive."""
    for negative, images in product((80, 400), (1, 4, 8)):
        found = []
        for auc in FEW_AUCS:
            rng = np.random.default_rng([round(10_000 * auc), negative, images])
            ill = np.repeat(np.arange(FEW + negative) < FEW, images)
            scores = patient_noise(rng, FEW + negative, images, simulations)
            values = aucs(ill, scores + ill[:, None] * shift(auc), images)
            found.append(held(*limits((*values, FEW)), auc))
        line = (negative, images, *(marked(each) for each in found))
        print(*line, flush=True)
        yield line


def marked(coverage: float) -> str:
    """A coverage, with a sign where it is not as wanted."""
    return share(coverage) + ("" if WANTED[0] <= coverage <= WANTED[1] else " ⚠")


def share(value: float) -> str:
    """As per cent."""
    return f"{100 * value:.1f} %"


def judged(error: float) -> str:
    """A family-wise error with what is to be said of it."""
    note = " ⚠" if error > LARGEST_ERROR else " conservative" if error < CONSERVATIVE else ""
    return share(error) + note


def page(
    of_families: list[tuple], of_intervals: list[tuple], of_few: list[tuple], simulations: int
) -> str:
    """The Markdown page."""
    failing = [line for line in of_intervals if "⚠" in line[-1]]
    too_many = [line for line in of_families if "⚠" in line[6]]
    return "\n".join(
        [
            "# What letters and intervals are worth",
            "",
            f"Made by `python benchmarks/coverage.py`: {simulations:,} simulations of each "
            "setting; standard error of a share near 5 or 95 %: "
            f"{100 * (0.05 * 0.95 / simulations) ** 0.5:.1f} points. What is simulated stands at "
            "the top of that file.",
            "",
            "## Families of equal configurations",
            "",
            f"True AUC {FAMILY_AUC:g}, {100 * PREVALENCE:.0f} % of the patients positive. Error: "
            "how often any pair is told apart, 5 % wanted; below "
            f"{100 * CONSERVATIVE:.1f} % it is conservative, above {100 * LARGEST_ERROR:.1f} % too "
            "often (⚠). Power: how often one that is better by "
            f"{BETTER:g} is told from another. Spread: between the seeds' true AUCs. Own: variance "
            "of a score that is of its seed alone, which counts twice, as spread of the seeds and "
            "as that of the patients. Holm's correction over the pairs of many configurations is "
            "conservative, the more so the more they have in common. Letters of three seeds are "
            "provisional.",
            "",
            f"Told apart too often in {len(too_many)} of {len(of_families)} settings.",
            "",
            *table(
                ("configurations", "seeds", "spread", "own", "patients", "images each", "error",
                 "power"),
                of_families,
            ),
            "",
            "## Intervals of 95 %",
            "",
            f"{100 * PREVALENCE:.0f} % of the patients positive; ⚠ marks coverage outside 93 to "
            "97 %. Gap: the AUC on train is "
            + ", ".join(f"{b:g} where it is {a:g} on test" for a, b in BETTER_THAN_TEST.items())
            + f". F1: threshold chosen on a validation split of the same size, {F1_RESAMPLES} "
            "resamples (tables have 10,000); anew is held against the mean of the true F1 over "
            "validation splits, as it is against the true F1 of the threshold.",
            "",
            f"Outside 93 to 97 % in {len(failing)} of {len(of_intervals)} settings:"
            if failing
            else "Nowhere outside 93 to 97 %.",
            "",
            *(f"- {n}, AUC {a}, {p} patients, images each {i}: {s}" for a, p, i, n, s in failing),
            "",
            *table(("AUC", "patients", "images each", "interval of", "coverage"), of_intervals),
            "",
            f"## The AUC where {FEW} patients are positive",
            "",
            "Coverage by true AUC. Tables mark such intervals (§).",
            "",
            *table(("negative patients", "images each", *map(str, FEW_AUCS)), of_few),
        ]
    ) + "\n"  # fmt: skip


def table(header: tuple, lines: list[tuple]) -> list[str]:
    """Lines of a Markdown table."""
    rows = [header, ("--:",) * len(header), *lines]
    return ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def main() -> None:
    """Run both, say each line as it is known, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("COVERAGE.md"))
    options = parser.parse_args()
    n = options.simulations
    write_atomic(options.out, page([*families(n)], [*covered(n)], [*few(n)], n).encode())


if __name__ == "__main__":
    main()

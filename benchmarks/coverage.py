"""How often 95 % intervals of the AUC hold the truth: a simulation, run by hand.

Scores are normal, so that the true AUC is known; a patient's images share half of the variance and
have the same label; there are four negative patients for each positive one. Four kinds of interval
are compared; the leaderboard gives the one that is bold in the table. Large test sets are
resampled less often, to keep the whole grid at some twenty minutes on one quiet core: limits are
taken at (B + 1) times 2.5 and 97.5 % of the B ordered resamples, a rule by which fewer resamples do
not make percentile intervals shorter.

    python benchmarks/coverage.py                         # writes benchmarks/COVERAGE.md
    python benchmarks/coverage.py --positives 20 --images 1 8 --out /tmp/some.md
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import NormalDist

import numpy as np

from benchmark.records.files import write_atomic
from benchmark.scoring import bootstrap, intervals
from benchmark.scoring.delong import auc_covariance

CORRELATION = 0.5
NEGATIVES_PER_POSITIVE = 4
RESAMPLES = {20: 1000, 100: 400, 1000: 200}
"""Positive patients -> resamples of each simulated test set."""
WANTED = (0.93, 0.97)
HEADER = ("AUC", "positive patients", "images each", "interval", "coverage", "mean width")
PUBLISHED = "logit, bootstrap variance"


@dataclass(frozen=True)
class Setting:
    """A kind of test set: its true AUC, positive patients, and images of each patient."""

    auc: float
    positives: int
    images: int

    @property
    def shift(self) -> float:
        """By how much positive scores are higher, where a score has variance 1."""
        return 2**0.5 * NormalDist().inv_cdf(self.auc)

    def simulate(self, rng: np.random.Generator):
        """(N,) bool targets, scores and patients of one test set."""
        ill = np.arange(self.positives * (1 + NEGATIVES_PER_POSITIVE)) < self.positives
        of_patient = CORRELATION**0.5 * rng.normal(size=len(ill))
        patients = np.repeat(np.arange(len(ill)), self.images)
        of_image = (1 - CORRELATION) ** 0.5 * rng.normal(size=len(patients))
        return ill[patients], (self.shift * ill + of_patient)[patients] + of_image, patients


def intervals_of(targets, scores, patients, resamples: int, seed_text: str) -> dict[str, list]:
    """Kind of interval -> its ends, for one test set."""
    drawn = bootstrap.resample(
        targets[:, None].astype(float), scores[:, None], targets[:, None], patients,
        resamples=resamples, seed_text=seed_text, stream="test",
    ).auc  # fmt: skip
    aucs, covariance = auc_covariance(targets, scores[:, None], patients)
    value, variance = float(aucs[0]), float(covariance[0, 0])
    return {
        "percentile bootstrap": ordered(drawn),
        PUBLISHED: intervals.logit_of_replicates(value, drawn),
        "DeLong": intervals.normal(value, variance),
        "logit, DeLong variance": intervals.logit(value, variance),
    }


def ordered(replicates: np.ndarray) -> list[float]:
    """Percentile limits at (B + 1) p of the ordered replicates (Davison and Hinkley 1997)."""
    defined = replicates[~np.isnan(replicates)]
    return np.percentile(defined, [2.5, 97.5], method="weibull").tolist()


def coverage(setting: Setting, simulations: int, seed: int) -> list[tuple]:
    """Rows of the table: kind of interval, share that holds the truth, mean width."""
    hits, widths = defaultdict(list), defaultdict(list)
    for number in range(simulations):
        key = [seed, round(1000 * setting.auc), setting.positives, setting.images, number]
        data = setting.simulate(np.random.default_rng(key))
        resamples = RESAMPLES.get(setting.positives, 1000)
        for kind, (low, high) in intervals_of(*data, resamples, f"{number}").items():
            hits[kind].append(low <= setting.auc <= high)
            widths[kind].append(high - low)
    return [(kind, float(np.mean(hits[kind])), float(np.mean(widths[kind]))) for kind in hits]


def page(rows: list[tuple], options) -> str:
    """The Markdown page; ``rows`` are a setting followed by a row of :func:`coverage`."""
    short = [row for row in rows if row[3] == PUBLISHED and not held(row[4])]
    error = 100 * (0.95 * 0.05 / options.simulations) ** 0.5
    lines = [
        "# Coverage of 95 % intervals of the AUC",
        "",
        f"Made by `python benchmarks/coverage.py`: {options.simulations:,} simulated test sets for "
        f"each setting, seed {options.seed}, standard error of a coverage near 95 %: "
        f"{error:.1f} points. Resamples of each test set: "
        + ", ".join(f"{b} with {n:,} positive patients" for n, b in RESAMPLES.items())
        + ". What is simulated stands at the top of that file. The leaderboard gives the interval "
        "in **bold**; ⚠ marks coverage outside 93 to 97 %.",
        "",
        "## Where the leaderboard's interval falls short",
        "",
        *(f"- {describe(row)}: {100 * row[4]:.1f} %" for row in short),
        *([] if short else ["Nowhere in this grid."]),
        "",
        "## All settings",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "--:|" * 3 + ":--|" + "--:|" * 2,
        *(line(row) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def describe(row: tuple) -> str:
    """The setting of a row in words."""
    images = "image" if row[2] == 1 else "images"
    return f"true AUC {row[0]:g}, {row[1]:,} positive patients, {row[2]} {images} each"


def line(row: tuple) -> str:
    """One row of the Markdown table."""
    auc, positives, images, kind, share, width = row
    shown = f"**{kind}**" if kind == PUBLISHED else kind
    mark = "" if held(share) else " ⚠"
    specs = (
        f"{auc:g}",
        f"{positives:,}",
        images,
        shown,
        f"{100 * share:.1f} %{mark}",
        f"{width:.4f}",
    )
    return "| " + " | ".join(map(str, specs)) + " |"


def held(share: float) -> bool:
    """Whether a coverage is in the wanted range."""
    return WANTED[0] <= share <= WANTED[1]


def main() -> None:
    """Run the grid, say each row as it is known, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--auc", type=float, nargs="+", default=[0.6, 0.8, 0.95])
    parser.add_argument("--positives", type=int, nargs="+", default=[20, 100, 1000])
    parser.add_argument("--images", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("COVERAGE.md"))
    options = parser.parse_args()
    rows = []
    for values in product(options.positives, options.auc, options.images):
        positives, auc, images = values
        for found in coverage(Setting(auc, positives, images), options.simulations, options.seed):
            rows.append((auc, positives, images, *found))
            print(line(rows[-1]), flush=True)
    write_atomic(options.out, page(rows, options).encode())


if __name__ == "__main__":
    main()

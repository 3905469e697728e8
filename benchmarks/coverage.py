"""How often 95 % intervals of the AUC hold the truth: a simulation, run by hand.

Scores are normal, a patient's images share half of the variance, and all images of a patient have
the same label; there are four negative patients for each positive one. Four intervals are
compared: the percentile interval of the patient bootstrap (the one in the leaderboard), the same
bootstrap's variance on the logit scale, and the clustered DeLong variance on the plain and on the
logit scale. Coverage outside 93 to 97 % is marked.

    python benchmarks/coverage.py --positives 20 --images 1 8
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from statistics import NormalDist

import numpy as np

from benchmark.scoring import bootstrap, intervals
from benchmark.scoring.delong import auc_covariance

CORRELATION = 0.5
NEGATIVES_PER_POSITIVE = 4
WANTED = (0.93, 0.97)


def simulate(auc: float, positives: int, images: int, rng: np.random.Generator):
    """(N,) targets, scores and patients of one test set whose expected AUC is ``auc``."""
    ill = np.arange(positives * (1 + NEGATIVES_PER_POSITIVE)) < positives
    of_patient = CORRELATION**0.5 * rng.normal(size=len(ill))
    patients = np.repeat(np.arange(len(ill)), images)
    of_image = (1 - CORRELATION) ** 0.5 * rng.normal(size=len(patients))
    shift = 2**0.5 * NormalDist().inv_cdf(auc)
    return ill[patients], (shift * ill + of_patient)[patients] + of_image, patients


def intervals_of(targets, scores, patients, resamples: int, seed_text: str) -> dict[str, list]:
    """The four intervals of one test set."""
    drawn = bootstrap.resample(
        targets[:, None].astype(float), scores[:, None], targets[:, None], patients,
        resamples=resamples, seed_text=seed_text, stream="test",
    ).auc  # fmt: skip
    aucs, covariance = auc_covariance(targets, scores[:, None], patients)
    value, variance = float(aucs[0]), float(covariance[0, 0])
    return {
        "percentile bootstrap": intervals.percentile(drawn),
        "logit, bootstrap variance": intervals.logit(value, float(np.nanvar(drawn, ddof=1))),
        "DeLong": intervals.normal(value, variance),
        "logit, DeLong variance": intervals.logit(value, variance),
    }


def coverage(auc: float, positives: int, images: int, options) -> Iterator[tuple]:
    """Method, share of intervals that hold ``auc``, and their mean width."""
    hits, widths = defaultdict(list), defaultdict(list)
    for number in range(options.simulations):
        rng = np.random.default_rng([options.seed, round(1000 * auc), positives, images, number])
        data = simulate(auc, positives, images, rng)
        for method, (low, high) in intervals_of(*data, options.resamples, f"{number}").items():
            hits[method].append(low <= auc <= high)
            widths[method].append(high - low)
    for method in hits:
        yield method, np.mean(hits[method]), np.mean(widths[method])


def main() -> None:
    """Print one Markdown row for each setting and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--auc", type=float, nargs="+", default=[0.6, 0.8, 0.95])
    parser.add_argument("--positives", type=int, nargs="+", default=[20, 100, 1000])
    parser.add_argument("--images", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("| AUC | positive patients | images each | interval | coverage | mean width | |")
    print("|---|---|---|---|---|---|---|")
    for setting in product(options.auc, options.positives, options.images):
        for method, held, width in coverage(*setting, options):
            note = "" if WANTED[0] <= held <= WANTED[1] else "outside 93-97 %"
            cells = (*setting, method, f"{100 * held:.1f} %", f"{width:.4f}", note)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()

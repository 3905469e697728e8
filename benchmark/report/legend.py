"""The leaderboard's header: what every sign in it means."""

from __future__ import annotations

from benchmark.report.configuration import HIGH_AUC, MANY, MIN_SEEDS, SIMULATED
from benchmark.report.text import interval, table


def legend(*, cost: bool, stale: bool = False) -> list[str]:
    """Markdown lines that explain every column and mark.

    Args:
        cost: whether training time and hardware are shown.
        stale: whether anything was made by another version of the code.
    """
    entries = _ENTRIES | (_STALE if stale else {}) | (_COST if cost else {})
    return ["## How to read it", "", *table(["Sign", "Meaning"], entries.items(), "ll")]


_ENTRIES = {
    "One table per protocol": "All rows of a table share data set version, split, findings, label "
    "version, projections, rendition and the very same test images. Numbers of different tables "
    "are not comparable, and are never ranked together.",
    "Group": "Rank group by test AUC. The best configuration leads; those not significantly below "
    "it join (z-test on the paired difference, Holm's correction, 5 %); of the rest the best leads "
    "the next group. **Within a group the order means nothing.** A dash: not ranked, "
    "with the reason below the table.",
    "AUC": "Exact area under the ROC curve on the test split, mean over seeds; with several "
    "findings the mean over those with at least 10 positive and 10 negative patients in every "
    "split.",
    "F1": "At the threshold that is best for F1 on the validation split, then frozen; exclusive "
    "findings: the most probable one, averaged over findings.",
    "± 0.004": "**Seed spread**: standard deviation over the seeds, that is, chance in training. "
    "It says nothing about the choice of test patients.",
    interval(0.921, 0.947): "**Test sampling**: 95 % interval from drawing the patients of the "
    "test split anew, with all their images. With several seeds, each resample is scored for every "
    "seed and averaged. It does not hold the seed spread. Of an AUC it is made on the logit scale, "
    "where it holds the truth more often than plain percentiles (`benchmarks/COVERAGE.md`).",
    "§": f"Few patients, so that the interval may be too short: fewer than {SIMULATED} with (or "
    f"without) a finding, where nothing was simulated; or fewer than {MANY} and an AUC of "
    f"{HIGH_AUC:g} or more: with 20 of them and an AUC of 0.95, intervals of this kind held the "
    "truth in 92.7 to 94.5 % of simulations instead of 95 %.",
    "Gap": "Overfitting gap: AUC on the training images (un-augmented, same weights) minus AUC on "
    "test. Its two parts add up to it: *train − validation* is overfitting, *validation − test* "
    "is what differs between the splits themselves. Interval: patients of both splits drawn anew, "
    "independently of each other; with several seeds, each resample is scored for every seed and "
    "averaged.",
    "F1 gap": "The same for F1; beside it that of the constant predictor, which a difference in "
    "prevalence alone can make non-zero.",
    "Seeds": f"Number of runs that differ only in their seed. Fewer than {MIN_SEEDS} "
    f"(*2 of {MIN_SEEDS}*): incomplete, shown and not ranked. *1 fixed*: a model without chance in "
    "it, run once.",
    "Sensitivity, specificity": "At the same frozen threshold as F1.",
    "Baselines": "`constant` predicts the training prevalence, `metadata_only` sees age, sex and "
    "view but no image. They stand in the ranking like any model: what is not above them has "
    "learnt nothing.",
    "(ensemble)": "Made from the predictions or the networks of other rows of the table, seed by "
    "seed; below the table is how. Its parameters are those of all models it uses.",
    "Difference, p (Holm)": "The best configuration minus another, on the same test patients. Its "
    "interval and p hold both chances: drawing the patients anew, the same for both, and the seed "
    "spread divided by the number of seeds. p is corrected by Holm over the lines of the table.",
    "Shortcut probe": "A table in which a metadata field (sex, view, age, source of the labels) is "
    "to be read from the images in place of a finding. It stands below the tables of findings and "
    "is never ranked with them.",
    "Leakage verdict": "*clean*: no patient or image found in two splits. *suspected*: the data "
    "set declares an ambiguity, given with its reason. *leak*: known leak, legacy protocols only.",
    "Watermark": "Limited, smoke and legacy runs stand in tables of their own, marked, and are "
    "never ranked with full ones.",
    "◊": "External row: predictions made by another tool and read from a file, of exactly these "
    "test images. Only what is in the file is known of the model; the notes below the table say "
    "what could not be computed from it.",
    "†": "Predictions changed after the run; scored from the file as it is now.",
    "‡": "A finding outside the mean, with the reason below the table.",
    "–": "Undefined, or not known; the notes below the table say why.",
}  # fmt: skip
_STALE = {
    "¶": "Made by another version of the code than this one, or from rows that have been made anew "
    "since; below the table is which. It stays where it is until it is made anew; a configuration "
    "never averages runs of two versions, and of two that differ in nothing else one is ranked.",
}
_COST = {
    "Training, hardware": "Training time of one run, mean over seeds, on the machine named by its "
    "letter below the table. Times on different machines are not comparable.",
}

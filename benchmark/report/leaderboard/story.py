"""What came out, in a few sentences: templates that results fill.

A sentence whose ground is missing from the results is left out.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from benchmark.records.scores import Interval
from benchmark.records.store import Results
from benchmark.report.blocks.content import Content, Emphasis
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import count, interval, number, span
from benchmark.report.blocks.values import Measurement
from benchmark.report.columns import not_yet
from benchmark.report.gathering.choosing import on_validation
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.effects import AXES, Effect
from benchmark.report.gathering.table import LEAKAGE, Table
from benchmark.report.gathering.thresholds import decided
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.sections.attribute_prediction import FINDINGS, INPUTS, predicted_attributes
from benchmark.report.sections.external_validation import ExternalValidation
from benchmark.report.sections.splits import SplitPair
from benchmark.scoring.families import Family
from benchmark.scoring.intervals import quantile
from benchmark.scoring.metrics import GUESSING
from benchmark.scoring.ranking import ALPHA
from benchmark.scoring.stored import predictions_of
from benchmark.scoring.unshared import unshared_patients
from benchmark.suites.families import is_baseline

FEW = 2
"""Changes that are told one by one though none of them is sure."""
SIZE = AXES["resolutions"]
_PARTS = (
    "between train and validation (overfitting)",
    "between validation and test (the images differ)",
)


def story(of: Leaderboard, first: Sequence[Table]) -> list[Content]:
    """The sentences.

    Args:
        of: what they are about.
        first: its full tables of findings, the one that matters most first.
    """
    told = [sentence for main in first[:1] for sentence in _of_table(main, of.results)]
    return [
        *told,
        *_of_splits(of.pairs),
        *_of_external(of.external),
        *_of_attributes(of.tables),
    ]


def _of_table(main: Table, results: Results) -> Iterator[Content]:
    ranked = [c for c in main.ranked if not is_baseline(c.spec)]
    if not ranked:
        return
    chosen = max(ranked, key=on_validation)
    yield _leader(main, ranked, chosen)
    yield from _shared_ids(main, results, chosen, alone=chosen is ranked[0])
    yield from _validation(main, chosen, alone=chosen is ranked[0])
    yield from _threshold(chosen, alone=chosen is ranked[0])
    yield from _not_told_apart(main, chosen)
    yield from _ahead(main)
    yield from _effects(main.effects)
    yield from _gap(ranked)


def _leader(main: Table, ranked: list[Configuration], chosen: Configuration) -> Content:
    best, n = ranked[0], count(len(ranked))
    test = main.counts.get("test")
    kind = "simulated " if main.dataset.simulated else ""
    who = of_patients(test.patients, unknown=main.dataset.patients_unknown) if test else ""
    images = f" ({count(test.images)} {kind}test images{who})" if test else ""
    if len(ranked) == 1:
        return f"On {main.name}{images} {_named(main, best)} is ranked alone."
    begun = f"On {main.name}{images} validation chooses, of {n} ranked configurations, "
    if chosen is best:
        return f"{begun}{_named(main, chosen)} on test; none is higher there."
    return (
        f"{begun}{_named(main, chosen)} on test; the highest there is {_named(main, best)}, "
        "which as the best of many flatters itself."
    )


def _shared_ids(
    main: Table, results: Results, chosen: Configuration, *, alone: bool
) -> Iterator[Content]:
    """What is left without the patients that make a leak suspected."""
    if main.leakage_status == LEAKAGE[0] or main.dataset.patients_unknown:
        return
    runs = [predictions_of(results, run.row) for run in chosen.runs]
    findings = chosen.runs[0].scores.macro_findings
    told = unshared_patients(runs, findings)
    if told and told.auc is not None:
        low, high = told.interval or (None, None)
        test = main.counts["test"]
        own, of_all = told.positives, [test.positives[finding] for finding in findings]
        mix = (
            f" ({count(own[0])} images with {findings[0]}, {count(of_all[0])} of all "
            f"{count(test.images)})"
            if len(findings) == 1
            else ""
        )
        yield (
            f"{count(told.shared)} of the {count(told.shared + told.patients)} test patients have "
            "an id that train or validation has, too; on the "
            f"{count(told.images)} images of the other {count(told.patients)}{mix} "
            f"{'it' if alone else 'the chosen one'} has AUC "
            f"{number(told.auc)} {interval(low, high)}."
        )


def _validation(main: Table, chosen: Configuration, *, alone: bool) -> Iterator[Content]:
    """How much it says that validation chose one: what else it might have chosen.

    Args:
        alone: whether no other configuration was named before.
    """
    own = chosen.measurements["validation_auc"]
    if own.low is None:
        return
    near = [
        test
        for c in main.configurations
        if c is not chosen and not is_baseline(c.spec) and not c.differs
        if (c.measurements["validation_auc"].mean or 0) >= own.low
        if (test := c.measurements["test_auc"].mean) is not None
    ]
    if near:
        it = "it" if alone else "the chosen one"
        yield (
            f"Validation gives {it} AUC {_of(own)}, and {count(len(near))} "
            f"other{'s' * (len(near) > 1)} at least the lower end of that, ranked or not; on test "
            f"{'these have' if len(near) > 1 else 'it has'} {span(near)}."
        )


def _threshold(chosen: Configuration, *, alone: bool) -> Iterator[Content]:
    """What F1 owes to the threshold."""
    frozen, best = (chosen.measurements[name] for name in ("test_f1", "test_best_f1"))
    if frozen.mean is not None and best.mean is not None:
        its_f1 = "Its F1" if alone else "F1 of the chosen one"
        how = decided(chosen.runs[0].scores, chosen.runs[0].row)
        yield (
            f"{its_f1} on test is {_of(frozen)} {how}; the best threshold there would have given "
            f"{number(best.mean)}."
        )


def _not_told_apart(main: Table, chosen: Configuration) -> Iterator[Content]:
    """Who shares a letter with the best of a family of its own, and who else may be as good."""
    best = main.leading[0] if main.leading else None
    if best is None:
        return
    blind = {c.key for c in main.configurations if is_baseline(c.spec)}
    single = {c.second for c in main.outside} - blind
    beside = [main.labels[c.key] for c in main.leading if c.key in single]
    guesses = [main.labels[c.key] for c in main.leading if c.key in blind]
    families = [f.family for f in main.families if best.key in f.family.members]
    it = "it" if best is chosen else main.labels[best.key]
    if families:
        yield _in_family(main, best, families, it)
    if beside:
        were = "were" if len(beside) > 1 else "was"
        of = f"Of the {count(len(single))} in no family with {it}, each compared with it alone, "
        said = (
            f"{of}{count(len(beside))} {were}" if len(single) > 1 else f"Compared with {it}, 1 was"
        )
        yield f"{said} not told apart from it: {_listed(beside)}."
    if guesses:
        yield f"What sees no image was not told apart from {it}: {_listed(guesses)}."


def _in_family(main: Table, best: Configuration, families: Sequence[Family], it: str) -> str:
    """Of all its families, those whose letters no table bears, too."""
    members = dict.fromkeys(key for family in families for key in family.members)
    alike = [main.labels[c.key] for c in main.leading if c is not best and c.key in members]
    others = len(members) - 1
    if len(alike) == others:
        said = f"none of the others was told apart from it: {_listed(alike)}"
    elif alike:
        were = "were" if len(alike) > 1 else "was"
        said = (
            f"{count(len(alike))} of the {count(others)} others {were} not told apart from it: "
            f"{_listed(alike)}"
        )
    else:
        others_of_it = [main.labels[key] for key in members if key != best.key]
        told = "all others were" if len(others_of_it) > 1 else "the other one was"
        said = f"{told} told apart from it: {_listed(others_of_it)}"
    few = any(best.key in family.provisional for family in families)
    provisional = ", as far as so few seeds tell" if few else ""
    whose = "its family" if it == "it" else f"the family of {it}"
    return f"In {whose} {said}{provisional}."


def _ahead(main: Table) -> Iterator[Content]:
    if main.ahead:
        c, more = main.ahead[0], len(main.ahead) - 1
        further = f", and {count(more)} more" if more else ""
        yield f"Above all of these, and {_unfinished(c)}: {_named(main, c)}{further}."


def _unfinished(c: Configuration) -> str:
    seeds, rest = not_yet(c).split(", ", 1)
    return f"{rest} ({seeds})"


def _effects(effects: Sequence[Effect]) -> Iterator[Content]:
    """Of each choice the largest change that is not chance, or that there was none."""
    known: dict[str, list[tuple[float, Interval, Effect]]] = defaultdict(list)
    for e in effects:
        if e.comparison.difference is not None and e.comparison.interval:
            known[e.axis].append((e.comparison.difference, e.comparison.interval, e))
    for axis, changes in known.items():
        sure = [one for one in changes if one[1][0] * one[1][1] > 0]
        if not sure:
            yield _within_chance(axis, changes)
            continue
        change, ends, e = max(sure, key=lambda one: abs(one[0]))
        which = f"largest of {len(changes)} changes" if len(changes) > 1 else "change"
        yield (
            f"The {which} that {axis} made there, all else the same: {_from_to(axis, e)}, "
            f"{number(change, sign=True)} AUC "
            f"{interval(*ends)}, better in {e.helped} of {e.pairs} pair{'s' * (e.pairs > 1)} "
            f"of {_listed(e.models)}."
        )


def _from_to(axis: str, e: Effect) -> str:
    return f"{e.told[0]} to {e.told[1]}{' px' * (axis == SIZE)}"


def _within_chance(axis: str, changes: Sequence[tuple[float, Interval, Effect]]) -> str:
    """That no change is sure; of few how large they are, since an interval may hold much."""
    several = len(changes) > 1
    tried = f"None of {len(changes)} changes" if several else "The one change"
    did = "changed" if several else "did not change"
    told = [
        f"{_from_to(axis, e)}, {number(change, sign=True)} AUC {interval(*ends)} in "
        f"{e.pairs} pair{'s' * (e.pairs > 1)}"
        for change, ends, e in changes
    ]
    few = f": {'; '.join(told)}" if len(told) <= FEW else ""
    return f"{tried} of {axis} {did} AUC there by more than chance may{few}."


def _gap(ranked: Sequence[Configuration]) -> Iterator[Content]:
    """In which of its two parts the gap lies."""
    parts = [
        (own, shift)
        for c in ranked
        if (own := c.measurements["gap_auc_train_minus_validation"].mean) is not None
        and (shift := c.measurements["gap_auc_validation_minus_test"].mean) is not None
    ]
    if not parts:
        return
    lose = f"the {count(len(parts))} whose gap is known lose" if len(parts) > 1 else "it loses"
    gaps = [own + shift for own, shift in parts]
    shifted = sum(shift > own for own, shift in parts)
    here, there = _PARTS if 2 * shifted < len(parts) else reversed(_PARTS)
    most = max(shifted, len(parts) - shifted)
    yield (
        f"From train to test {lose} {span(gaps)} AUC, "
        f"{_of_all(most, len(parts)) if len(parts) > 1 else ''} more {here} than {there}."
    )


def _of_splits(pairs: Sequence[SplitPair]) -> Iterator[Content]:
    for dataset in dict.fromkeys(pair.dataset for pair in pairs):
        of_set = [pair for pair in pairs if pair.dataset == dataset]
        shown = [pair.difference("test_auc") for pair in of_set if not _left_out(pair)]
        known = [(m.mean, m.limits) for m in shown if m.mean is not None and m.limits is not None]
        if known:
            least, most = min(m for m, _ in known), max(m for m, _ in known)
            apart = sum(low * high > 0 for _, (low, high) in known)
            others = Counter(why for pair in of_set if (why := _left_out(pair)))
            reasons = ", ".join(f"{count(n)} {why}" for why, n in others.items())
            yield (
                f"The same {count(len(known))} configurations of {dataset} differ by "
                f"{number(least, sign=True)} to {number(most, sign=True)} AUC between a split "
                "inside the training images and the published test images; the interval excludes "
                f"zero for {_of_all(apart, len(known))}."
                + (f" Left out of {count(len(of_set))}: {reasons}." if reasons else "")
            )


def _of_all(n: int, among: int) -> str:
    if n == among:
        return "all of them" if n > 1 else "it"
    return f"{count(n) if n else 'none'} of them"


def _left_out(pair: SplitPair) -> str:
    """Why a pair is not counted; empty where it is."""
    if is_baseline(pair.published.spec):
        return "without an image"
    if pair.published.wants_seeds:
        return "with too few seeds"
    return "not ranked for another reason" if pair.published.obstacle else ""


def _of_external(every: Sequence[ExternalValidation]) -> Iterator[Content]:
    """What is left on the images of another set, of all that was trained on one."""
    together: dict[tuple[str, str], list[tuple[float, Measurement, ExternalValidation]]]
    together = defaultdict(list)
    for each in every:
        there = each.configuration.measurements["test_auc"]
        if each.home is not None and there.limits is not None:
            builder = each.trained_on.dataset.partition("/")[0]
            together[builder, each.row.protocol.id].append((each.home, there, each))
    for (builder, _), measured in together.items():
        row, n = measured[0][2].row, len(measured)
        test = row.counts["test"]
        findings = measured[0][2].configuration.runs[0].scores.macro_findings
        yield (
            f"{count(n)} configuration{'s' * (n > 1)} trained on {builder} reach{'es' * (n == 1)} "
            f"AUC {span([home for home, _, _ in measured])} of {_listed(findings)} on its own "
            "test images, and "
            f"{span([there.mean for _, there, _ in measured if there.mean is not None])} on "
            f"{count(test.images)} test images of {row.protocol.dataset}"
            f"{_against_guessing([each.configuration for _, _, each in measured])}."
        )


def _against_guessing(there: Sequence[Configuration]) -> str:
    """How many are surely better or worse than guessing, of those whose seeds' spread is known."""
    known = [c for c in there if len(c.runs) > 1 or c.model.deterministic]
    if not known:
        return ""
    ends = [with_seeds(c.measurements["test_auc"], len(c.runs)) for c in known]
    above = sum(low > GUESSING for low, _ in ends)
    below = sum(high < GUESSING for _, high in ends)
    n = len(known)
    if n == 1:
        whose = (
            "its" if n == len(there) else "of the one that has several seeds, or needs none, the"
        )
        where = "lies above" if above else "lies below" if below else "holds"
        limits = f"95 % interval there, over patients and seeds, {where} {GUESSING:g}, guessing"
        return f"; {whose} {limits}"
    those = "them" if n == len(there) else f"the {count(n)} that have several seeds, or need none"
    return (
        f"; the 95 % interval there, over patients and seeds, is above guessing for {count(above)} "
        f"of {those}, and below for {count(below)}, where guessing alone would give some "
        f"{ALPHA * n:.2g} of {count(n)} on one side or the other"
    )


def with_seeds(auc: Measurement, n: int) -> tuple[float, float]:
    """Its interval over patients, widened by what the mean of n seeds varies (MOVER)."""
    assert auc.mean is not None
    assert auc.limits is not None
    low, high = auc.limits
    seeds = quantile(n - 1) * auc.seed_sd / math.sqrt(n) if auc.seed_sd else 0.0
    return auc.mean - math.hypot(auc.mean - low, seeds), auc.mean + math.hypot(
        high - auc.mean, seeds
    )


def _of_attributes(tables: Sequence[Table]) -> Iterator[Content]:
    for each in predicted_attributes(tables):
        asked = [
            (a, c.measurements["test_auc"])
            for a in each.asked
            if a.question != FINDINGS and (c := a.answers.get(INPUTS["raw"]))
        ]
        read = [(a, auc) for a, auc in asked if auc.low is not None and auc.low > GUESSING]
        if read:
            read.sort(key=lambda pair: -(pair[1].mean or 0))
            first, tested = read[0][0], read[0][0].tested
            who = of_patients(tested.n_patients, unknown=first.table.dataset.patients_unknown)
            said = _listed([f"{a.question} with AUC {_of(auc)}" for a, auc in read])
            yield (
                f"From the images of {each.dataset} ({count(tested.n_images)}{who}) "
                f"{first.model} also reads {said}: what ",
                Emphasis("can"),
                " be read, not what a model of findings uses.",
            )


def _named(main: Table, c: Configuration) -> str:
    return f"{main.labels[c.key]} with AUC {_of(c.measurements['test_auc'])}"


def _of(m: Measurement) -> str:
    return f"{number(m.mean)} {interval(m.low, m.high)}".rstrip()


def _listed(names: Sequence[str], most: int = 4) -> str:
    more = [f"{len(names) - most} more"] if len(names) > most else []
    *first, last = [*names[:most], *more]
    return f"{', '.join(first)} and {last}" if first else last

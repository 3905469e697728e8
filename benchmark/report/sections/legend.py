"""The leaderboard's header: what every column and sign in it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.plugins import Axis
from benchmark.report.blocks.content import (
    BREAK,
    Code,
    Content,
    Emphasis,
    Strong,
    joined,
    with_code,
)
from benchmark.report.blocks.tables import Block, Column, DataTable, Details, Heading, text_column
from benchmark.report.blocks.text import UNDEFINED
from benchmark.report.blocks.values import as_text, limits
from benchmark.report.columns import COLUMNS, IMPROVING, STALE, STALLED, Entry
from benchmark.report.gathering.configuration import HIGH_AUC, MANY, SIMULATED, Configuration
from benchmark.report.gathering.labels import recipe_name
from benchmark.spec import Spec
from benchmark.training.imbalance import AXIS as POLICIES
from benchmark.training.recipes import find
from benchmark.training.recipes import names as recipes
from benchmark.training.schemes import AXIS as SCHEMES

Meaning = tuple[Content, Content]
"""A sign and what it means."""
MARKS = frozenset(["(ensemble)", *f"§◊{IMPROVING}{STALLED}†‡{STALE}{UNDEFINED}"])
"""Signs that stand by themselves in a table's cells and headings."""


def legend(shown: Sequence[Configuration] = (), *, cost: bool) -> list[Block]:
    """What explains every column and mark, and the words for how these were trained.

    Args:
        shown: what stands in the tables.
        cost: whether training time and hardware are shown.
    """
    stale = any(c.outdated for c in shown)
    shape = any(c.spec.model == "geometry_only" for c in shown)
    sign: Column[Meaning] = text_column("Sign", lambda m: m[0])
    meaning: Column[Meaning] = text_column("Meaning", lambda m: m[1])
    entries = [*meanings(cost=cost, stale=stale, shape=shape), *trained([c.spec for c in shown])]
    table = DataTable.of([sign, meaning], entries, sortable=False)
    box = Details("What every sign means", (table,), folded=False, css="legend")
    return [Heading(2, "How to read it"), box]


def meanings(*, cost: bool, stale: bool, shape: bool = False) -> list[Meaning]:
    """Every entry: what all tables share, then columns among the signs, then what tells of cost."""
    columns = [column for column in COLUMNS if column.legend and (cost or not column.cost)]
    known = {column.name: column for column in columns}
    placed = [known[each] if isinstance(each, str) else each for each in _ORDER]
    further = [c for c in columns if not (c.cost or c.name in _ORDER)]
    at = _ORDER.index(_AFTER_THESE) + 1
    ordered = [*placed[:at], *further, *placed[at:]]
    ordered += [*(_SHAPE if shape else ()), *(_STALE if stale else ())]
    ordered += [column for column in columns if column.cost]
    return [_of(each) if isinstance(each, Column) else each for each in ordered]


def trained(specs: Sequence[Spec]) -> list[Meaning]:
    """The words for preparation and training that occur, as the files of their axes say them."""
    found: list[Meaning] = []
    for sign, axis in _AXES.items():
        used = {getattr(spec, axis.what) for spec in specs} - {"none"}
        cards = {n: p.card["description"] for n, p in axis.discover().items() if n in used}
        found += [(sign, _listed(cards))] if cards else []
    names = {recipe_name(spec) for spec in specs}
    known = {name: find(name).description for name in recipes() if name in names}
    known |= {"unnamed": _UNNAMED} if "unnamed" in names else {}
    found += [("Recipe", _listed(known))] if known else []
    mixed = sorted({s.precision for s in specs if s.precision.startswith("mixed")})
    found += [(f"precision {name}", _MIXED) for name in mixed]
    return [*found, ("Other ways to train", ("See ", Code("docs/suites.md"), "."))] if found else []


def _listed(told: Mapping[str, str]) -> Content:
    return joined(BREAK, [(Code(name), ": ", with_code(text)) for name, text in told.items()])


def explained(table: DataTable) -> Iterator[Content]:
    """What the marks in a table mean that leaves the leaderboard, where its reasons stay."""
    headings = (column.heading for column in table.columns)
    cells = (cell for row in table.rows for cell in row)
    words = {word for each in (*headings, *cells) for word in as_text(each).split()}
    for sign, meaning in meanings(cost=False, stale=True):
        mark = as_text(sign)
        if mark in MARKS & words:
            said = as_text(meaning).replace("below the table", "below the leaderboard's table")
            yield f"{mark} {said}"


def _of(column: Column[Entry]) -> Meaning:
    return column.sign or column.header, column.legend


_AFTER_THESE = "test_sensitivity"
"""Columns that have no place of their own in the legend stand below this one."""
_ORDER: tuple[str | Meaning, ...] = (
    ("One table per protocol", "All rows of a table share data set version, split, findings, label "
     "version, projections, image source and the very same test images. Numbers of different "
     "tables are not comparable, and are never ranked together."),
    "letters",
    "test_auc",
    "test_f1",
    ("± 0.004", (Strong("Seed spread"), ": standard deviation over the seeds, that is, chance in "
     "training. It says nothing about the choice of test patients.")),
    (limits(0.921, 0.947).shown, (Strong("Test sampling"), ": 95 % interval from the choice of "
     "test patients, each with all images, of the mean over the seeds. It does not hold the seed "
     "spread. Of an AUC by DeLong's variance, clustered by patient, on the logit scale with "
     "Student's t, one-sided where the AUC is 1.000; of F1 from 10,000 resamples. How often such "
     "intervals hold the truth: ", Code("benchmarks/COVERAGE.md"), ".")),
    ("§", f"Few patients, so that the interval may be too short: fewer than {SIMULATED} with (or "
     f"without) a finding, where nothing was simulated; or fewer than {MANY} and an AUC of "
     f"{HIGH_AUC:g} or more: with 20 of them, intervals of this kind held the truth in 88 to 99 % "
     "of simulations instead of 95 %."),
    "gap_auc",
    "gap_f1",
    "seeds",
    "test_sensitivity",
    ("Baselines", (Code("constant"), " predicts the training prevalence, ", Code("metadata_only"),
     " sees age, sex and view but no image. They stand beside the families, which they are not "
     "part of; what is not above them has learnt nothing.")),
    ("(ensemble)", "Made from the predictions or the networks of other rows of the table, seed by "
     "seed; below the table is how. Its parameters are those of all models it uses."),
    ("Difference, p (Holm)", "The best configuration of a family minus another, on the same test "
     "patients. Its interval and p hold both chances: that of the patients, the same for both, and "
     "the seed spread of each divided by the number of its seeds (seeds are paired where one was "
     "made from the other). p is corrected by Holm over all pairs of the family; the interval is "
     "that of one comparison."),
    ("Comes first", "In how many of 10,000 resamples of patients and of seeds the configuration "
     "has the best mean of its family. Not the chance that it is the best."),
    ("Attribute prediction", "A table in which a metadata field (sex, view, age, source of the "
     "labels) is to be read from the images in place of a finding. It stands below the tables of "
     "findings and is never ranked with them."),
    ("Leakage status", (Emphasis("clean"), ": no patient or image found in two splits. ",
     Emphasis("suspected"), ": the data set declares an ambiguity, given with its reason. ",
     Emphasis("leak"), ": known leak, legacy protocols only.")),
    ("1 of 3 seeds", "Too few seeds to be compared. It stands above those that are ranked where it "
     "is better than all of them so far, below them otherwise."),
    ("Watermark", "Limited, smoke and legacy runs stand in tables of their own, marked, and are "
     "never ranked with full ones."),
    ("◊", "External row: predictions made by another tool and read from a file, of exactly these "
     "test images. Only what is in the file is known of the model; the notes below the table say "
     "what could not be computed from it."),
    (IMPROVING, "Still improving when training ended: in the last fifth of the epochs (of the last "
     "stage, where there are several) AUC on validation rose by more than one standard error "
     "(DeLong) of the best epoch's, for one seed or more. Trained for longer, it may do better "
     "than its place says."),
    (STALLED, "Never better on validation than after the first of several epochs, for one seed or "
     "more: those weights are little more than their random start, and the spread of seeds is that "
     "of chance."),
    ("†", "Predictions changed after the run; scored from the file as it is now."),
    ("‡", "A finding outside the mean, with the reason below the table."),
    ("–", "Undefined, or not known; the notes below the table say why."),
)  # fmt: skip
_AXES: dict[str, Axis] = {
    "Scheme": SCHEMES,
    "Augmentation": AUGMENTATIONS,
    "Imbalance policy": POLICIES,
}
"""What of the training tables say by a name of its own."""
_UNNAMED = "Values that the suite itself says; how each was trained stands below its table."
_MIXED = (
    "Computed in 16 bits where Keras can, with weights in 32 bits; all else in 32 bits (float32)."
)
_SHAPE: tuple[Meaning, ...] = (
    (Code("geometry_only"), "A baseline, too: it sees the shape of the original file (width, "
     "height, aspect ratio, pixel spacing, bit depth, bytes a pixel) but no image."),
)  # fmt: skip
_STALE: tuple[Meaning, ...] = (
    (STALE, "Made by another version of the code than this one, or from rows that have been made "
     "anew since; below the table is which. It stays where it is until it is made anew; a "
     "configuration never averages runs of two versions, and of two that differ in nothing else "
     "one is ranked."),
)  # fmt: skip

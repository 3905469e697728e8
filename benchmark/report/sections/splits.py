"""The same configuration on an internal and on a published split of one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import hypot

from benchmark.hashing import canonical_json
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Details,
    Heading,
    Paragraph,
    text_column,
)
from benchmark.report.blocks.text import counted
from benchmark.report.blocks.values import Measurement, Value, difference
from benchmark.report.gathering.choosing import chosen_first
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.labels import likeness
from benchmark.report.gathering.table import Table
from benchmark.scoring.intervals import mover

PAIRS = {
    "kermany_pneumonia": ("kermany_pneumonia/internal", "kermany_pneumonia/official"),
    "kermany_pneumonia/three_class": (
        "kermany_pneumonia/internal_three_class",
        "kermany_pneumonia/official_three_class",
    ),
}
"""What two data sets are together -> the one split inside the published training images, and the
one with the published test images."""
_DATA = ("dataset", "dataset_version", "manifest_sha256", "seed")


@dataclass(frozen=True)
class SplitPair:
    """One configuration under both protocols.

    Attributes:
        dataset: what the two are called together, see :data:`PAIRS`.
        label: the configuration's name within its table.
        internal, published: its two measurements.
    """

    dataset: str
    label: str
    internal: Configuration
    published: Configuration

    def difference(self, name: str) -> Measurement:
        """Internal minus published; the patients of the two test sets are independent."""
        ours, theirs = (c.measurements[name] for c in (self.internal, self.published))
        if ours.mean is None or theirs.mean is None:
            return Measurement(None)
        if ours.limits is None or theirs.limits is None:
            return Measurement(ours.mean - theirs.mean)
        limits = mover(ours.mean, ours.limits, theirs.mean, theirs.limits)
        return Measurement(ours.mean - theirs.mean, None, *limits)

    @property
    def f1_at_published_prevalence(self) -> Measurement:
        """F1 that the internal sensitivity and specificity give at the published prevalence.

        At the threshold that was frozen on the internal validation split. Known where there is one
        finding; its interval holds that of sensitivity and of specificity, squared and added.
        """
        sensitivity, specificity = (
            self.internal.measurements[f"test_{name}"] for name in ("sensitivity", "specificity")
        )
        tested = list(self.published.runs[0].scores.splits["test"].per_finding.values())
        if len(tested) > 1 or sensitivity.mean is None or specificity.mean is None:
            return Measurement(None)
        if sensitivity.limits is None or specificity.limits is None:
            return Measurement(None)
        f1 = partial(_f1_at, tested[0].n_positive / tested[0].n)
        a, b = sensitivity.mean, specificity.mean
        value = f1(a, b)
        below, above = (
            hypot(f1(end, b) - value, f1(a, other) - value)
            for end, other in zip(sensitivity.limits, specificity.limits, strict=True)
        )
        return Measurement(value, None, value - below, value + above)


def _f1_at(prevalence: float, sensitivity: float, specificity: float) -> float:
    """F1 per image of a set with this share of positive images."""
    true, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return 2 * true / (true + false + prevalence)


def split_pairs(tables: list[Table]) -> list[SplitPair]:
    """Pairs of configurations that differ only in the split of their data set.

    Watermarked tables are left out. In the order of the published table.
    """
    comparable = [t for t in tables if not t.watermarks and t.split_protocol.asks_findings]
    internal = {
        _key(name, table, c): c
        for name, (inside, _) in PAIRS.items()
        for table in comparable
        if table.protocol.dataset == inside
        for c in _counting(table)
    }
    together = {published: name for name, (_, published) in PAIRS.items()}
    return [
        SplitPair(name, table.labels[c.key], internal[key], c)
        for table in comparable
        if (name := together.get(table.protocol.dataset))
        for c in _counting(table)
        if (key := _key(name, table, c)) in internal
    ]


def split_section(pairs: list[SplitPair]) -> list[Block]:
    """The pairs beside each other; nothing without any."""
    if not pairs:
        return []
    columns = [
        text_column("Data set", lambda pair: pair.dataset, "dataset"),
        text_column("Configuration", lambda pair: pair.label, "label", names_row=True),
        *_columns("test_auc", "AUC"),
        *_columns("test_f1", "F1"),
        Column(
            "test_f1_at_published_prevalence",
            "F1 internal, at the published prevalence",
            lambda pair: pair.f1_at_published_prevalence,
        ),
        text_column("Seeds", lambda pair: _seeds(pair.internal, pair.published), "seeds"),
    ]
    chosen, rest = chosen_first(
        pairs, lambda pair: (pair.dataset, pair.published.spec.model), lambda pair: pair.published
    )
    others = f"The other {counted(len(rest), 'configuration')}"
    return [
        Heading(2, "Internal against published split"),
        Paragraph(
            "The same configuration, trained and tested on a split made inside the training images "
            "and on the split as published. Not a ranking. The difference is internal minus "
            "published, with its 95 % interval from the intervals of both (MOVER, one comparison, "
            "over patients and not over seeds, whose numbers stand last); where it excludes zero, "
            "the two splits do not measure the same thing. The last but one column is what the "
            "internal sensitivity and specificity give where as many images are positive as on the "
            "published split: how much of the drop in F1 is prevalence alone. First, of "
            "each model, what validation of the published training images chooses among those that "
            "were run on both."
        ),
        DataTable.of(columns, chosen),
        *([Details(others, (DataTable.of(columns, rest),))] * bool(rest)),
    ]


def _seeds(*sides: Configuration) -> str:
    return " / ".join(str(len(each.runs)) for each in sides)


def _columns(name: str, said: str) -> list[Column[SplitPair]]:
    def mean_on(side: str) -> Callable[[SplitPair], Value]:
        return lambda pair: getattr(pair, side).measurements[name].mean

    return [
        Column(f"{name}_internal", f"{said} internal", mean_on("internal")),
        Column(f"{name}_published", f"{said} published", mean_on("published")),
        Column(f"{name}_difference", "Difference", lambda pair: difference(pair.difference(name))),
    ]


def _counting(table: Table) -> list[Configuration]:
    return [c for c in table.configurations if not c.differs]


def _key(name: str, table: Table, configuration: Configuration) -> bytes:
    protocol = [
        getattr(table.protocol, field)
        for field in ("findings", "label_version", "projections", "image_source")
    ]
    return canonical_json([name, protocol]) + likeness(configuration.spec, *_DATA)

"""The same configuration on an internal and on a published split of one data set."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.hashing import canonical_json
from benchmark.report.configuration import Configuration, Measurement
from benchmark.report.gather import Table
from benchmark.report.labels import likeness
from benchmark.report.titles import asks_for_findings
from benchmark.scoring.intervals import percentile

INTERNAL, PUBLISHED = "internal", "official"
_DATA = ("dataset", "dataset_version", "manifest_sha256", "seed")


@dataclass(frozen=True)
class SplitPair:
    """One configuration under both protocols.

    Attributes:
        dataset: the builder's name, with the rest of the config's name.
        label: the configuration's name within its table.
        internal, published: its two measurements.
    """

    dataset: str
    label: str
    internal: Configuration
    published: Configuration

    def difference(self, name: str) -> Measurement:
        """Internal minus published; the test sets are resampled independently of each other."""
        ours, theirs = (c.measurements[name].mean for c in (self.internal, self.published))
        if ours is None or theirs is None:
            return Measurement(None)
        resampled = self.internal.replicates(name) - self.published.replicates(name)
        low, high = percentile(resampled) or (None, None)
        return Measurement(ours - theirs, None, low, high)


def split_pairs(tables: list[Table]) -> list[SplitPair]:
    """Pairs of configurations that differ only in the split of their data set.

    ``<builder>/internal...`` and ``<builder>/official...`` are such splits; watermarked tables
    are left out. In the order of the published table.
    """
    internal = {
        _key(table, c): c for table in tables if _is(table, INTERNAL) for c in _counting(table)
    }
    return [
        SplitPair(_family(table), table.labels[c.key], internal[key], c)
        for table in tables
        if _is(table, PUBLISHED)
        for c in _counting(table)
        if (key := _key(table, c)) in internal
    ]


def _counting(table: Table) -> list[Configuration]:
    return [c for c in table.configurations if not c.differs]


def _is(table: Table, kind: str) -> bool:
    comparable = not table.watermarks and asks_for_findings(table.protocol)
    return comparable and kind in _config(table).split("_")


def _config(table: Table) -> str:
    return table.protocol.dataset.partition("/")[2]


def _family(table: Table) -> str:
    builder = table.protocol.dataset.partition("/")[0]
    rest = [p for p in _config(table).split("_") if p not in (INTERNAL, PUBLISHED)]
    return f"{builder}/{'_'.join(rest)}" if rest else builder


def _key(table: Table, configuration: Configuration) -> bytes:
    protocol = [
        getattr(table.protocol, name)
        for name in ("findings", "label_version", "projections", "rendition")
    ]
    return canonical_json([_family(table), protocol]) + likeness(configuration.spec, *_DATA)

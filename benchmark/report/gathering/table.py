"""Everything measured under one protocol: what is ranked, what is not, and what was told apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase

from benchmark.protocols import SplitProtocol, of_row
from benchmark.records.facts import DatasetFacts, ProtocolFacts, SplitCounts
from benchmark.records.row import Row
from benchmark.report.gathering import environments
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.effects import Effect
from benchmark.report.gathering.families import Letters, TableFamily, letters_of
from benchmark.report.gathering.labels import labels, settings
from benchmark.report.gathering.places import table_name
from benchmark.scoring.implied import Implied
from benchmark.scoring.ranking import ALPHA, Comparison
from benchmark.suites.families import is_baseline

LEAKAGE = ("clean", "suspected", "leak")
"""Every leakage status, the worst last."""


@dataclass(frozen=True)
class Table:
    """Everything measured under one protocol and one set of watermarks.

    A configuration is known by its key: its config id, unless its runs were made by another
    version of the code than those that count, or others of that id stand in another table.

    Attributes:
        protocol: what all its rows share.
        watermarks: why none of its rows stands beside full ones; empty for a full table.
        ranked: configurations that can be compared, by AUC; which of them differ, families say.
        ahead: configurations that only want seeds and are above all of these so far, by AUC.
        unranked: the others that cannot be compared, by AUC.
        obstacles: key -> why it is not ranked.
        families: what its suites compare.
        outside: the best configuration minus each that is in no family with it.
        effects: what each choice changes.
        implied: a finding that stands behind all others of its mean; None where there is none.
        stopped: rows that failed or could not run.
        rows: all rows, finished or not.
    """

    protocol: ProtocolFacts
    watermarks: tuple[str, ...]
    ranked: tuple[Configuration, ...]
    ahead: tuple[Configuration, ...]
    unranked: tuple[Configuration, ...]
    obstacles: dict[str, str]
    families: tuple[TableFamily, ...]
    outside: tuple[Comparison, ...]
    effects: tuple[Effect, ...]
    implied: Implied | None
    stopped: tuple[Row, ...]
    rows: tuple[Row, ...]

    @property
    def key(self) -> tuple:
        """Orders the tables: full ones first, then by dataset, findings first, and protocol id."""
        protocol = self.protocol
        own_task = not self.split_protocol.asks_findings
        place = (protocol.dataset, own_task, protocol.id, self.watermarks)
        return (bool(self.watermarks), *place)

    @cached_property
    def split_protocol(self) -> SplitProtocol:
        """What its protocol does with the data set."""
        return of_row(self.rows[0])

    @property
    def tested(self) -> bool:
        """False where its rows left the test images alone; such rows have tables of their own."""
        return not self.rows[0].spec.no_test

    @property
    def name(self) -> str:
        """The data set, and what its protocol does with it. Plain text."""
        return self.split_protocol.title(self.protocol.dataset)

    @property
    def anchor(self) -> str:
        """Name of the table within a document."""
        return f"protocol-{table_name(self.protocol, self.watermarks)}"

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """All finished configurations in the order of the table."""
        return (*self.ahead, *self.ranked, *self.unranked)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Key -> the shortest name that tells it from the others of the table.

        Configurations of which no run finished are known by their config id.
        """
        names = labels({row.config_id: row.spec for row in self.rows})
        own = {c.key: names[c.config_id] for c in self.configurations}
        others = {c.key: f"{own[c.key]} [{c.differs}]" for c in self.unranked if c.differs}
        return names | own | others

    @cached_property
    def settings(self) -> dict[str, str]:
        """Key -> in which settings without a column it differs from others of its model."""
        return settings({c.key: c.spec for c in self.configurations})

    @cached_property
    def normalised_differently(self) -> bool:
        """Whether its images have more than one normalisation."""
        return len({c.spec.normalisation for c in self.configurations} - {""}) > 1

    @cached_property
    def machines(self) -> dict[str, str]:
        """Machine in words -> the letter that stands for it in the table."""
        names = sorted({str(machine) for c in self.configurations for machine in c.machines})
        return {name: _letter(i) for i, name in enumerate(names)}

    @cached_property
    def letters(self) -> dict[str, Letters]:
        """Key -> its letters; configurations of no family that gives some are not in it."""
        return letters_of(self.families)

    @cached_property
    def leading(self) -> tuple[Configuration, ...]:
        """The best that sees images, and those that were not told apart from it.

        By a family of both, or by one comparison of the two where there is none.
        """
        best = best_of(self.ranked)
        letters = [each.family.letters for each in self.families]
        alike = {
            key
            for each in letters
            for key, text in each.items()
            if best and set(text) & set(each.get(best.key, ""))
        }
        alike |= {c.second for c in self.outside if c.p is None or c.p >= ALPHA}
        return tuple(c for c in self.ranked if c is best or c.key in alike)

    @property
    def excluded(self) -> dict[str, str]:
        """Findings outside the macro mean with the reason, which the data alone decide."""
        found = self.configurations[0].runs[0].scores.excluded if self.configurations else {}
        # Scores keep these words, whatever the number.
        return {f: re.sub(r"\b1 (\w+) patients", r"1 \1 patient", why) for f, why in found.items()}

    @property
    def dataset(self) -> DatasetFacts:
        """Facts about the data set, from the first row."""
        return self.rows[0].dataset

    @property
    def counts(self) -> dict[str, SplitCounts]:
        """Images, patients and positives per split, from the first finished row."""
        return next((row.counts for row in self.rows if row.done), {})

    @property
    def one_training_set(self) -> bool:
        """True where all finished rows were trained and validated on the same images."""
        return len({row.spec.manifest_sha256 for row in self.rows}) <= 1

    @cached_property
    def environments(self) -> dict[str, list[str]]:
        """In what the environments differ that networks were trained in, and how."""
        return environments.differences(self.rows)

    @cached_property
    def leakage_status(self) -> str:
        """The worst leakage status of its rows."""
        return max({row.dataset.leakage_status for row in self.rows}, key=LEAKAGE.index)

    @property
    def reasons(self) -> list[str]:
        """What the leakage statuses of its rows rest on."""
        return list(dict.fromkeys(r for row in self.rows for r in row.dataset.reasons))

    @property
    def reasons_told(self) -> str:
        """The same as one text, in which an explanation that several share stands once."""
        shared: dict[str, list[str]] = defaultdict(list)
        for found, _, why in (reason.partition(": ") for reason in self.reasons):
            shared[why.removesuffix(".")].append(found)
        return "; ".join(": ".join(filter(None, (", ".join(f), w))) for w, f in shared.items())


def _letter(place: int) -> str:
    more, last = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[more - 1] if more else "") + ascii_uppercase[last]


def best_of(ranked: Sequence[Configuration]) -> Configuration | None:
    """That with the highest AUC; one that sees no image only where there is no other."""
    return next((c for c in ranked if not is_baseline(c.spec)), next(iter(ranked), None))

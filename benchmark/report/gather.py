"""Rows and scores -> one table per protocol, ranked in groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import filterfalse

from benchmark.records.files import canonical_json, sha256
from benchmark.records.store import Results, Row, is_segmentation
from benchmark.report.configuration import MIN_SEEDS, Configuration, Run
from benchmark.report.labels import labels
from benchmark.report.titles import asks_for_findings, protocol_title
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.ranking import Comparison, Entry, rank_configurations
from benchmark.scoring.stored import stored_scores

LEGACY = "legacy protocol: kept for comparison with older results, known to leak or to mislead"
VERDICTS = ("clean", "suspected", "leak")


@dataclass(frozen=True)
class Table:
    """Everything measured under one protocol and one set of watermarks.

    Attributes:
        protocol: what all its rows share.
        watermarks: why none of its rows stands beside full ones; empty for a full table.
        groups: complete configurations in rank groups, best first; within a group the order is by
            AUC and means nothing.
        unranked: configurations that cannot be compared, by AUC.
        obstacles: config id -> why it is not ranked.
        behind: config id -> the best configuration minus this one, with Holm's p.
        stopped: rows that failed or could not run.
        rows: all rows, finished or not.
    """

    protocol: dict
    watermarks: tuple[str, ...]
    groups: tuple[tuple[Configuration, ...], ...]
    unranked: tuple[Configuration, ...]
    obstacles: dict[str, str]
    behind: dict[str, tuple[Comparison, float]]
    stopped: tuple[Row, ...]
    rows: tuple[Row, ...]

    @property
    def key(self) -> tuple:
        """Orders the tables: full ones first, then by dataset, findings first, and protocol id."""
        protocol = self.protocol
        own_task = not asks_for_findings(protocol)
        place = (protocol["dataset"], own_task, protocol["id"], self.watermarks)
        return (bool(self.watermarks), *place)

    @property
    def name(self) -> str:
        """The data set, and the class that was kept for the test or the field that is probed."""
        return protocol_title(self.protocol)

    @property
    def anchor(self) -> str:
        """Name of the table within a document."""
        return f"protocol-{table_name(self.protocol, self.watermarks)}"

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """All finished configurations in the order of the table."""
        return (*(c for group in self.groups for c in group), *self.unranked)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Config id -> the shortest name that tells it from the others of the table, escaped."""
        cells = {row["config_id"]: row["cell"] for row in self.rows}
        return labels(cells)

    @cached_property
    def group_numbers(self) -> dict[str, int]:
        """Config id -> rank group, 1 for the best; unranked configurations are not in it."""
        return {c.config_id: n for n, group in enumerate(self.groups, 1) for c in group}

    @property
    def excluded(self) -> dict[str, str]:
        """Findings outside the macro mean with the reason, which the data alone decide."""
        return {} if not self.configurations else self.configurations[0].runs[0].scores["excluded"]

    @property
    def dataset(self) -> dict:
        """Facts about the data set, from the first row."""
        return self.rows[0]["dataset"]

    @property
    def counts(self) -> dict:
        """Images, patients and positives per split, from the first finished row."""
        return next((row["counts"] for row in self.rows if row["status"] == "done"), {})

    @property
    def one_training_set(self) -> bool:
        """True where all finished rows were trained and validated on the same images."""
        return len({row["cell"]["manifest_sha256"] for row in self.rows}) <= 1

    @cached_property
    def verdict(self) -> str:
        """The worst leakage verdict of its rows."""
        found = {row["dataset"]["verdict"] for row in self.rows}
        return max(found, key=VERDICTS.index)

    @property
    def reasons(self) -> list[str]:
        """What the leakage verdicts of its rows rest on."""
        return list(dict.fromkeys(r for row in self.rows for r in row["dataset"]["reasons"]))


def gather(results: Results) -> list[Table]:
    """All tables of a results folder; segmentation has its own (``lungs.py``).

    Raises:
        UserError: a row or prediction file is missing or damaged; it is named.
    """
    together: dict[tuple, list[Row]] = defaultdict(list)
    for row in filterfalse(is_segmentation, results.rows()):
        together[row["protocol"]["id"], _watermarks(row)].append(row)
    tables = [_table(results, marks, rows) for (_, marks), rows in together.items()]
    return sorted(tables, key=lambda table: table.key)


def table_name(protocol: dict, watermarks: tuple[str, ...]) -> str:
    """A short name of a table: the protocol's id, and what tells its watermarks."""
    marks = sha256(canonical_json(watermarks))[:4] if watermarks else ""
    return "-".join(filter(None, (protocol["id"], marks)))


def _watermarks(row: Row) -> tuple[str, ...]:
    legacy = [LEGACY] if row["protocol"]["legacy"] else []
    return tuple(sorted({*row["watermarks"], *legacy}))


def _table(results: Results, watermarks: tuple[str, ...], rows: list[Row]) -> Table:
    done = [row for row in rows if row["status"] == "done"]
    configurations = {c.config_id: c for c in _configurations(results, done)}
    complete = [_entry(c) for c in configurations.values() if c.complete]
    stored = StoredComparisons(
        results.comparisons_path(table_name(rows[0]["protocol"], watermarks))
    )
    ranking = rank_configurations(complete, compared=stored.compare)
    stored.save()
    obstacles = ranking.unranked | {
        c.config_id: _incomplete(c) for c in configurations.values() if not c.complete
    }
    return Table(
        protocol=rows[0]["protocol"],
        watermarks=watermarks,
        groups=tuple(tuple(configurations[i] for i in g.members) for g in ranking.groups),
        unranked=tuple(sorted((configurations[i] for i in obstacles), key=_by_auc)),
        obstacles=obstacles,
        behind={
            c.second: (c, leading.adjusted_p[c.second])
            for leading in ranking.groups[:1]
            for c in leading.comparisons
        },
        stopped=tuple(row for row in rows if row["status"] != "done"),
        rows=tuple(rows),
    )


def _incomplete(configuration: Configuration) -> str:
    k = len(configuration.runs)
    return f"{k} of the {MIN_SEEDS} seeds that a comparison needs"


def _configurations(results: Results, rows: Iterable[Row]) -> list[Configuration]:
    runs: dict[str, list[Run]] = defaultdict(list)
    for row in rows:
        runs[row["config_id"]].append(Run(row, stored_scores(results, row)))
    return [
        Configuration(config_id, tuple(sorted(of_one, key=lambda run: run.row["cell"]["seed"])))
        for config_id, of_one in runs.items()
    ]


def _entry(configuration: Configuration) -> Entry:
    values, resampled = configuration.values("test_auc"), configuration.resampled["test_auc"]
    return Entry(
        configuration.config_id,
        [{"value": v, "replicates": r} for v, r in zip(values, resampled, strict=True)],
        deterministic=configuration.model["deterministic"],
        predictions=[run.scores["predictions_sha256"] for run in configuration.runs],
    )


def _by_auc(configuration: Configuration) -> tuple[float, str, str]:
    auc = configuration.measurements["test_auc"].mean
    return (-auc if auc is not None else 1.0, configuration.cell["model"], configuration.config_id)

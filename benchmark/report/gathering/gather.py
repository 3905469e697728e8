"""Rows and scores -> one table per protocol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchmark.errors import UserError
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.effects import effects_of
from benchmark.report.gathering.families import TableFamily, families_of
from benchmark.report.gathering.mismatches import mismatches
from benchmark.report.gathering.places import in_several_tables, table_name, watermarks
from benchmark.report.gathering.run import Run
from benchmark.report.gathering.table import Table, best_of
from benchmark.report.gathering.versions import Versions, configurations
from benchmark.scoring.comparisons import StoredComparisons
from benchmark.scoring.implied import Implied, implied_finding
from benchmark.scoring.influence import Influence
from benchmark.scoring.ranking import Comparison, Entry, Seed
from benchmark.scoring.stored import predictions_of, scored, stored_influence, stored_scores


def gather(
    results: Results, rows: Sequence[Row] | None = None, left_out: list[UserError] | None = None
) -> list[Table]:
    """All tables of a results folder; segmentation has its own (``sections/lungs.py``).

    Args:
        results: the folder.
        rows: all that are in it, where they have been read already.
        left_out: takes what is wrong with rows that cannot be used, or predictions.
    """
    versions = Versions()
    together: dict[tuple, list[Row]] = defaultdict(list)
    known = {row.spec_id: row for row in (results.rows() if rows is None else rows)}
    for row in known.values():
        if not row.holds_masks:
            together[row.protocol.id, watermarks(row)].append(row)
    several = in_several_tables(known.values())
    tables = []
    for (_, marks), of_one in together.items():
        usable = scored(results, of_one, stored_scores, left_out)
        runs = {row.spec_id: Run.of(row, scores, known) for row, scores in usable}
        shown = [row for row in of_one if not row.done or row.spec_id in runs]
        if shown:
            every = configurations(runs.values(), versions, results, several)
            tables.append(_table(results, every, marks, shown))
    return sorted(tables, key=lambda table: table.key)


def _table(
    results: Results, every: list[Configuration], watermarks: tuple[str, ...], rows: list[Row]
) -> Table:
    protocol = rows[0].protocol
    entries = {c.key: _entry(results, c) for c in every}
    obstacles = {key: e.obstacle for key, e in entries.items() if e.obstacle}
    other = mismatches(protocol, every)
    obstacles |= other | {c.key: c.obstacle for c in every if c.obstacle}
    ranked = sorted((c for c in every if c.key not in obstacles), key=_by_auc)
    stored = StoredComparisons(
        results.comparisons_path(table_name(protocol, watermarks)), protocol.id
    )
    unranked = sorted((c for c in every if c.key in obstacles), key=_by_auc)
    ahead = [c for c in unranked if c.wants_seeds and c.key not in other and _leads(c, ranked)]
    families = families_of(ranked, entries, stored)
    table = Table(
        protocol=protocol,
        watermarks=watermarks,
        ranked=tuple(ranked),
        ahead=tuple(ahead),
        unranked=tuple(c for c in unranked if c not in ahead),
        obstacles=obstacles,
        families=tuple(families),
        outside=tuple(_outside(ranked, families, entries, stored)),
        effects=tuple(effects_of(ranked, entries, stored)),
        implied=_implied(results, every),
        stopped=tuple(row for row in rows if not row.done),
        rows=tuple(rows),
    )
    stored.save()
    return table


def _implied(results: Results, every: list[Configuration]) -> Implied | None:
    run = every[0].runs[0] if every and every[0].tested else None
    if run is None or run.scores.kind != "multilabel":
        return None
    return implied_finding(predictions_of(results, run.row).part("test"), run.scores.macro_findings)


def _leads(c: Configuration, ranked: Sequence[Configuration]) -> bool:
    """Whether a configuration that is not ranked has a higher AUC than all that are."""
    best = ranked[0].measurements["test_auc"].mean if ranked else None
    auc = c.measurements["test_auc"].mean
    return best is not None and auc is not None and auc > best


def _outside(
    ranked: list[Configuration],
    families: list[TableFamily],
    entries: dict[str, Entry],
    stored: StoredComparisons,
) -> Iterator[Comparison]:
    """The best minus each configuration that no family compares it with."""
    best = best_of(ranked)
    if best is None:
        return
    together = [set(f.family.members) for f in families if best.key in f.family.members]
    for other in ranked:
        if other is not best and not any(other.key in members for members in together):
            yield stored.compare(entries[best.key], entries[other.key])


def _entry(results: Results, c: Configuration) -> Entry:
    seeds = [
        Seed(value, run.row.spec_id, run.made_from, run.scores.predictions_sha256)
        for value, run in zip(c.values("test_auc"), c.runs, strict=True)
    ]

    def load() -> list[Influence]:
        found = [stored_influence(results, run.row, run.scores) for run in c.runs]
        return [each for each in found if each is not None]

    return Entry(c.key, seeds, load, c.model.deterministic)


def _by_auc(configuration: Configuration) -> tuple[float, str, str]:
    of = "test_auc" if configuration.tested else "validation_auc"
    auc = configuration.measurements[of].mean
    return (-auc if auc is not None else 1.0, configuration.spec.model, configuration.key)

"""Rows by the code that made them: a configuration averages rows of one version only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, partial

from benchmark import kinds
from benchmark.errors import UserError
from benchmark.kinds.code import code_of
from benchmark.models import ModelFile, discover
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.report.gathering.configuration import Configuration, key_of
from benchmark.report.gathering.places import table_of
from benchmark.report.gathering.run import Run
from benchmark.scoring.stored import stored_intervals

AGAIN = "cxr-bench run --suite SUITE --rerun stale"


class Versions:
    """What the code is now.

    Model files are those of this package; of any other model a row's own version is taken for
    the current one.
    """

    @cached_property
    def _files(self) -> Mapping[str, ModelFile]:
        return discover()

    def stale(self, row: Row) -> str:
        """The components of which a row has another version, in words; empty for a current one."""
        now = self._now(row)
        return ", ".join(
            f"{name} {row.code.get(name, 'none')}, now {now.get(name, 'none')}"
            for name in sorted(row.code.keys() | now.keys())
            if row.code.get(name) != now.get(name)
        )

    def _now(self, row: Row) -> dict[str, str]:
        try:
            name = kinds.find(row.spec.kind).own_model(row.spec)
            model_file = self._files.get(name) if name else None
            known = model_file is not None and not model_file.problem
            elsewhere = {"model": row.code["model"]} if not known and "model" in row.code else {}
            return elsewhere | code_of(row.spec, model_file if known else None)
        except (UserError, KeyError):  # a variant or a rule that is not here
            return row.code


def configurations(
    runs: Iterable[Run], versions: Versions, results: Results, several: Collection[str]
) -> list[Configuration]:
    """The configurations of runs of a results folder, each of one version of the code.

    Of several that differ in nothing but the code one counts: the one made by the current code,
    or else the one that was finished last. It comes first; the others say what they differ in.

    Args:
        runs: of one table.
        versions: of the code as it is.
        results: the folder.
        several: config ids that stand in other tables of the folder, too.
    """
    together: dict[str, dict[tuple, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in sorted(runs, key=lambda run: run.row.spec.seed):
        together[run.row.config_id][tuple(sorted(run.row.code.items()))].append(run)
    return [
        c
        for of_one in together.values()
        for c in _versions(list(of_one.values()), versions, results, several)
    ]


def _versions(
    every: list[list[Run]], versions: Versions, results: Results, several: Collection[str]
) -> list[Configuration]:
    """The configurations that share their config id."""
    stale = {id(runs): versions.stale(runs[0].row) for runs in every}
    every.sort(key=lambda runs: (not stale[id(runs)], max(r.row.finished for r in runs)))
    *others, counted = every
    row = counted[0].row
    made = partial(_made, results, table=table_of(row) if row.config_id in several else "")
    told = [made(counted, stale=stale[id(counted)])]
    for runs in reversed(others):
        differs = _differing(runs[0].row.code, counted[0].row.code)
        instead = _differing(counted[0].row.code, runs[0].row.code)
        told.append(made(runs, stale=stale[id(runs)], differs=differs, instead=instead))
    return told


def _made(results: Results, runs: list[Run], **facts: str) -> Configuration:
    rows, scores = [run.row for run in runs], [run.scores for run in runs]
    key = key_of(rows[0].config_id, facts["table"], facts.get("differs", ""))
    intervals = stored_intervals(results, key, rows, scores)
    return Configuration(rows[0].config_id, tuple(runs), intervals, **facts)


def _differing(code: dict[str, str], other: dict[str, str]) -> str:
    names = sorted(name for name in code.keys() | other.keys() if code.get(name) != other.get(name))
    return ", ".join(f"{name} {code.get(name, 'none')}" for name in names)

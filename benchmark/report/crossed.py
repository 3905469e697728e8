"""Rows tested on another data set than theirs: tables of their own, never ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.records.store import Results
from benchmark.report.configuration import Configuration, Run
from benchmark.report.labels import labels
from benchmark.report.section import measured
from benchmark.report.text import count, number, plain, table
from benchmark.scoring.stored import stored_scores


@dataclass(frozen=True)
class Crossed:
    """One configuration on another data set.

    Attributes:
        configuration: its runs there.
        home: macro AUC of the same findings on its own test split, mean over the same seeds; None
            where a finding was put together from several, or its rows are gone.
    """

    configuration: Configuration
    home: float | None

    @property
    def row(self) -> dict:
        """The first row."""
        return self.configuration.runs[0].row

    @property
    def marks(self) -> list[str]:
        """What may make these numbers too good."""
        every = [mark for run in self.configuration.runs for mark in run.row["watermarks"]]
        return list(dict.fromkeys(every))


def gather_crossed(results: Results) -> list[Crossed]:
    """All evaluations of a results folder: by data set and findings, then by AUC.

    Raises:
        UserError: a row or prediction file is missing or damaged; it is named.
    """
    runs: dict[tuple, list[Run]] = defaultdict(list)
    for row in results.cross.rows():
        runs[row["protocol"]["id"], row["config_id"]].append(
            Run(row, stored_scores(results.cross, row))
        )
    found = []
    for (_, config_id), of_one in runs.items():
        ordered = tuple(sorted(of_one, key=lambda run: run.row["cell"]["seed"]))
        found.append(Crossed(Configuration(config_id, ordered), _home(results, ordered)))
    return sorted(found, key=_order)


def crossed_section(crossed: Sequence[Crossed]) -> list[str]:
    """Markdown lines; none without evaluations."""
    if not crossed:
        return []
    lines = [
        "## Tested on another data set",
        "",
        "The networks of the rows above, as they are, on the test images of another set, for the "
        "findings that both sets label. Not a ranking: what differs between two rows may be the "
        "data that they were trained on. F1 at the threshold that was frozen on the validation "
        "split of their own set. *Own AUC*: the same findings on the test split of their own set.",
        "",
    ]
    together: dict[str, list[Crossed]] = defaultdict(list)
    for each in crossed:
        together[each.row["protocol"]["id"]].append(each)
    for of_one in together.values():
        lines += _table(of_one)
    return lines


def crossed_entries(crossed: Sequence[Crossed]) -> list[dict[str, Any]]:
    """The same as plain values, one dictionary a configuration and data set."""
    return [
        {
            "protocol": each.row["protocol"],
            "config_id": each.configuration.config_id,
            "trained_on": each.row["source"]["dataset"],
            "source_config_id": each.row["source"]["config_id"],
            "model": each.row["cell"]["model"],
            "seeds": each.configuration.seeds,
            "watermarks": each.marks,
            "own_auc": each.home,
            "measurements": {
                name: vars(each.configuration.measurements[name])
                for name in ("test_auc", "test_f1")
            },
            "cells": [run.row["cell_id"] for run in each.configuration.runs],
        }
        for each in crossed
    ]


def _table(crossed: list[Crossed]) -> list[str]:
    first = crossed[0].row
    protocol, test = first["protocol"], first["counts"]["test"]
    findings = (f"{plain(f)} ({count(n)} positive images)" for f, n in test["positives"].items())
    names = labels({c.configuration.config_id: _own_cell(c) for c in crossed})
    notes = list(dict.fromkeys(mark for each in crossed for mark in each.marks))
    rows = [
        [
            plain(each.row["source"]["dataset"]),
            names[each.configuration.config_id]
            + "".join(f" ({notes.index(mark) + 1})" for mark in each.marks),
            number(each.home),
            measured(each.configuration.measurements["test_auc"]),
            measured(each.configuration.measurements["test_f1"]),
            str(len(each.configuration.runs)),
        ]
        for each in crossed
    ]
    header = ["Trained on", "Configuration", "Own AUC", "AUC", "F1", "Seeds"]
    return [
        f"### On {plain(protocol['dataset'])} {plain(protocol['dataset_version'])}",
        "",
        f"{count(test['images'])} test images of {count(test['patients'])} patients, "
        f"{plain(protocol['rendition'])}. Findings: {', '.join(findings)}.",
        "",
        *table(header, rows, "llrrrr"),
        *(f"- ({number}) {plain(note)}." for number, note in enumerate(notes, 1)),
        *([""] if notes else []),
    ]


def _own_cell(each: Crossed) -> dict:
    """The cell for its label: not told apart by which row the weights come from."""
    return each.row["cell"] | {"weights": each.row["source"]["weights"]}


def _home(results: Results, runs: tuple[Run, ...]) -> float | None:
    values = []
    for run in runs:
        source = run.row["source"]
        row = results.read_row(source["cell_id"])
        names = [own for own in source["findings"][0].values() if len(own) == 1]
        if row is None or len(names) < len(source["findings"][0]):
            return None
        tested = stored_scores(results, row)["splits"]["test"]["per_finding"]
        macro = [list(source["findings"][0]).index(f) for f in run.scores["macro_findings"]]
        aucs = [tested[names[i][0]]["auc"] for i in macro]
        if not aucs or None in aucs:
            return None
        values.append(sum(aucs) / len(aucs))
    return sum(values) / len(values)


def _order(each: Crossed) -> tuple[str, str, float, str]:
    auc = each.configuration.measurements["test_auc"].mean
    protocol = each.row["protocol"]
    better_first = 1.0 if auc is None else -auc
    return protocol["dataset"], protocol["id"], better_first, each.row["cell_id"]

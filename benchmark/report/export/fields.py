"""What files hold of a configuration: its fields, in the order of the CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmark.report.blocks.tables import Column
from benchmark.report.blocks.values import ABSENT, Cell, Parts
from benchmark.report.columns import Entry
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.ensembles import rule_name
from benchmark.report.gathering.labels import AXES, recipe_name
from benchmark.scoring.uncertainty import INTERVALS


@dataclass(frozen=True)
class Structured(Cell):
    """What JSON holds as it is; a CSV file holds its parts."""

    data: Any = None


def _joined(values: Iterable[object], name: str) -> Parts:
    return {name: "|".join(map(str, values))}


def _measurements(each: Mapping[str, Mapping[str, float | None]], name: str) -> Parts:
    return {
        quantity if part == "mean" else f"{quantity}_{part}": number
        for quantity, measurement in each.items()
        for part, number in measurement.items()
    }


def _per_finding(aucs: Mapping[str, float | None], name: str) -> Parts:
    return {f"test_auc:{finding}": auc for finding, auc in aucs.items()}


def _machines(each: Iterable[Mapping[str, object]], name: str) -> Parts:
    return _joined((", ".join(f"{k} {v}" for k, v in machine.items()) for machine in each), name)


def _field(
    name: str,
    legend: str,
    value: Callable[[Entry], Any],
    flat: Callable[[Any, str], Parts] | None = None,
    *,
    cost: bool = False,
    wide: bool = False,
) -> Column[Entry]:
    """A field; ``flat`` makes columns of a file of it, ``wide``: so many that no table shows it."""

    def held(entry: Entry) -> Any:
        data = value(entry)
        if not flat:
            return data
        shown = () if wide else flat(data, name).values()
        said = ", ".join(map(str, shown)).replace("|", ", ")
        return Structured(said, parts=partial(flat, data), data=data)

    return Column(name, name, held, align="l", legend=legend, cost=cost)


def _lettered(entry: Entry, name: str) -> Any:
    return getattr(entry.table.letters.get(entry.configuration.key), name, None)


def _axis(name: str) -> Column[Entry]:
    said = f"What the spec asks for: {name.replace('_', ' ')}."
    return _field(name, said, lambda e: getattr(e.configuration.shown, name))


def measured(configuration: Configuration) -> dict[str, dict[str, float | None]]:
    """Every quantity of a configuration, with its spread and, where there is one, its interval."""
    found = {}
    for name, m in configuration.measurements.items():
        sampling = {"low": m.low, "high": m.high} if name in (*INTERVALS, "subgroup_gap") else {}
        found[name] = {"mean": m.mean, "seed_sd": m.seed_sd} | sampling
    return found


FIELDS: tuple[Column[Entry], ...] = (
    _field("protocol_id", "What all rows of a table share, as a hash.",
           lambda e: e.table.protocol.id),
    _field("dataset", "The data set, builder/config.",
           lambda e: e.table.protocol.dataset),
    _field("dataset_version", "Version of the data set.",
           lambda e: e.table.protocol.dataset_version),
    _field("withheld", "The finding that training never saw; only of screening.",
           lambda e: e.table.split_protocol.withheld or ABSENT),
    _field("probe", "What is read from the images in place of a finding, if anything is.",
           lambda e: e.table.split_protocol.attribute or ABSENT),
    _field("verdict", "Leakage status: clean, suspected or leak.",
           lambda e: e.table.leakage_status),
    _field("watermarks", "Why the row does not stand beside full ones.",
           lambda e: list(e.table.watermarks), _joined),
    _field("family", "Number of the family that its letters are of; empty where it has none.",
           lambda e: _lettered(e, "family")),
    _field("letters", "Configurations of a family that share one were not told apart.",
           lambda e: _lettered(e, "text")),
    _field("provisional", "Whether it has fewer seeds than letters need.",
           lambda e: _lettered(e, "provisional")),
    _field("not_ranked_because", "Why it is not ranked.",
           lambda e: e.table.obstacles.get(e.configuration.key)),
    _field("config_id", "What the seeds of a configuration share, as a hash.",
           lambda e: e.configuration.config_id),
    _field("stale", "Components of the code that have other versions by now.",
           lambda e: e.configuration.stale),
    _field("remade", "Seeds that were made from rows that have been made anew since.",
           lambda e: e.configuration.remade, _joined),
    *map(_axis, (*AXES, "precision")),
    _field("recipe", "Name of the recipe it was trained by, or unnamed; empty where it has none.",
           lambda e: recipe_name(e.configuration.spec)),
    _field("seeds", "The seeds that were run to the end.",
           lambda e: e.configuration.seeds, _joined),
    _field("deterministic", "Whether there is no chance in the model, so that one run is enough.",
           lambda e: e.configuration.model.deterministic),
    _field("complete", "Whether it has the seeds that a comparison needs.",
           lambda e: e.configuration.complete),
    _field("edited_seeds", "Seeds whose prediction file was changed after the run.",
           lambda e: e.configuration.edited_seeds, _joined),
    _field("improving_seeds", "Seeds whose training was ended while it still got better.",
           lambda e: e.configuration.improving_seeds, _joined),
    _field("stalled_seeds", "Seeds that were never better on validation than after one epoch.",
           lambda e: e.configuration.stalled_seeds, _joined),
    _field("external", "Whether the predictions were made by another tool.",
           lambda e: e.configuration.external),
    _field("short_interval", "Whether patients are few, so that intervals may be too short.",
           lambda e: e.configuration.short_interval),
    _field("parameters", "Weights of the model, trainable or not.",
           lambda e: e.configuration.model.parameters),
    _field("ensemble", "How an ensemble is made of its members.",
           lambda e: rule_name(e.configuration.spec)),
    _field("measurements", "Every quantity: in JSON with spread and interval, in CSV as columns.",
           lambda e: measured(e.configuration), _measurements, wide=True),
    _field("test_auc_per_finding", "Test AUC by finding; in CSV as columns test_auc:FINDING.",
           lambda e: e.configuration.finding_auc, _per_finding, wide=True),
    _field("specs", "Ids of its rows, by seed.",
           lambda e: [run.row.spec_id for run in e.configuration.runs], _joined),
    _field("train_seconds", "Training time of one run in seconds, median over seeds.",
           lambda e: e.configuration.train_seconds, cost=True),
    _field("hardware", "The machines it was trained on.",
           lambda e: [m.as_dict() for m in e.configuration.machines], _machines,
           cost=True),
)  # fmt: skip
"""What the files hold of a configuration, in the order of the CSV file."""

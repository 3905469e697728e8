"""Run the spec of a row again, beside the results, and say what came out differently and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import msgspec
import numpy as np

from benchmark import kinds
from benchmark.data.prepared import load_prepared
from benchmark.errors import UnknownName, UserError
from benchmark.machine.environment import Environment, check, current
from benchmark.models import discover
from benchmark.planning.plan import Plan, PlannedSpec
from benchmark.protocols import find
from benchmark.records.row import Row
from benchmark.records.run_facts import EnvironmentFacts
from benchmark.records.store import Results
from benchmark.scheduling.runner import run_plan
from benchmark.scheduling.slots import Folders
from benchmark.scoring.stored import predictions_of, stored_headline, stored_scores

_NEEDED = ("rows", "predictions", "private", "weights", "masks")
_METRICS = ("auc", "f1", "log_loss")
TOLERANCE, EXACT = 0.02, 1e-6
"""Of the test AUC or Dice, in another environment: where a network was trained, since rounding
differs between processors and frameworks and hundreds of steps make more of it, about as much as
another seed; and where none was."""
Numbers = dict[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class Reproduction:
    """A row and the same spec run again.

    Attributes:
        again: the row of the second run.
        numbers: name of a score -> its value then and now.
        largest: largest difference of a probability of any image; None for masks.
        changes: what else differs between the runs -> how it was and how it is.
    """

    row: Row
    again: Row
    numbers: Numbers
    largest: float | None
    changes: dict[str, tuple[str, str]]

    @property
    def identical(self) -> bool:
        """True where every byte of the prediction files is the same."""
        return self.row.predictions_sha256 == self.again.predictions_sha256

    @property
    def one_environment(self) -> bool:
        """True where nothing that is known of the two environments differs: bits are promised."""
        return not _differences(_told(self.row.environment), _told(self.again.environment))

    @property
    def tolerance(self) -> float:
        """Largest difference that another environment may make; see :attr:`compared`."""
        return TOLERANCE if self.row.spec.precision else EXACT

    @property
    def compared(self) -> tuple[str, float]:
        """What is held against the tolerance and how much it differs.

        That is the test score (on validation where test was left out), or where it is undefined,
        as on a small set, any probability.
        """
        split = "validation" if self.row.spec.no_test else "test"
        then, now = next(v for name, v in self.numbers.items() if name.startswith(split))
        if then is None or now is None:
            return "any probability", inf if self.largest is None else self.largest
        return f"the {split} score", abs(then - now)

    @property
    def as_promised(self) -> bool:
        """Every bit within one environment, within the tolerance in another."""
        if self.identical or self.one_environment:
            return self.identical
        return self.compared[1] <= self.tolerance


def reproduce(
    row: Row, folders: Folders, scratch: Path, watch: Callable = lambda planned, event: None
) -> Reproduction:
    """Run the spec of a finished row in a folder of its own; nothing of the results is changed.

    Args:
        row: of the results in ``folders``.
        scratch: an empty folder.
        watch: told about every event of the run.

    Raises:
        UserError: the data or the model are not here as they were, or the run fails.
    """
    results, again = Results(folders.results), Results(scratch)
    planned = _planned(row, folders)
    _link(results, again, row.spec_id)
    environment = _environment(row)
    check(environment)
    run_plan(Plan([planned]), replace(folders, results=scratch), environment, watch)
    made = again.read_row(row.spec_id)
    if made is None or not made.done:
        reason = made.reason if made else "it left no row"
        raise UserError(f"the second run did not finish: {reason}")
    return Reproduction(
        row,
        made,
        _numbers(results, again, row, made),
        _largest(results, again, row),
        _changes(row, made),
    )


def _environment(row: Row) -> Environment:
    """That of the row as far as this machine can give it: its backend, device and threads."""
    here, then = current(), row.environment
    return Environment(
        then.backend or here.backend,
        "cpu" if then.device == "cpu" else here.device,
        min(then.threads or here.threads, here.threads),
        then.devices,
    )


def _planned(row: Row, folders: Folders) -> PlannedSpec:
    elsewhere = not kinds.find(row.spec.kind).run_here
    if not row.done or elsewhere:
        reason = "not made by a run" if elsewhere else row.status.replace("_", " ")
        raise UserError(f"row {row.spec_id} cannot be run again: it is {reason}")
    spec = row.spec
    prepared = find(spec.protocol).apply(load_prepared(spec.dataset, folders.data_dir))
    if (prepared.version, prepared.manifest_sha256) != (spec.dataset_version, spec.manifest_sha256):
        raise UserError(
            f"{spec.dataset} is not here as it was: version {spec.dataset_version}, manifest "
            f"{spec.manifest_sha256[:12]} then; {prepared.version}, "
            f"{prepared.manifest_sha256[:12]} now. Prepare the same files again."
        )
    model_files = discover(folders.models_dirs)
    try:
        model_file = kinds.find(spec.kind).model_file(spec, model_files)
    except UnknownName:
        raise UserError(
            f"there is no model file {spec.model}; name its folder by --models-dir"
        ) from None
    return PlannedSpec(spec, row.suite, prepared, model_file, "missing")


def _link(results: Results, again: Results, spec_id: str) -> None:
    """Links to everything that a spec may build on, but for its own files."""
    for name in _NEEDED:
        for path in (results.folder / name).glob("[!.]*"):
            if not path.name.startswith(spec_id):
                (again.folder / name).mkdir(parents=True, exist_ok=True)
                (again.folder / name / path.name).symlink_to(path.resolve())


def _numbers(results: Results, again: Results, row: Row, made: Row) -> Numbers:
    if row.holds_masks:
        (name, before), (_, after) = stored_headline(results, row), stored_headline(again, made)
        return {name: (before, after)}
    then, now = stored_scores(results, row), stored_scores(again, made)
    return {
        f"{split} {metric}": (of_one.metrics[metric], now.splits[split].metrics[metric])
        for split, of_one in then.splits.items()
        for metric in _METRICS
    }


def _largest(results: Results, again: Results, row: Row) -> float | None:
    if row.holds_masks:
        return None
    first, second = (predictions_of(each, row).probabilities for each in (results, again))
    return float(np.abs(first - second).max()) if first.shape == second.shape else None


def _changes(row: Row, made: Row) -> dict[str, tuple[str, str]]:
    """What is known of both runs and differs: code, then environment."""
    code = _differences(_code(row), _code(made))
    return code | _differences(_told(row.environment), _told(made.environment))


def _code(row: Row) -> dict[str, str]:
    own = {"code_version": row.code_version, "commit": row.commit or ""}
    return own | {f"version of {name}": version for name, version in row.code.items()}


def _told(environment: EnvironmentFacts) -> dict[str, str]:
    """What is known of an environment, flat."""
    facts = msgspec.to_builtins(environment)
    packages = facts.pop("packages")
    for name in ("accelerator", "keras"):
        part = facts.pop(name) or {}
        facts |= {f"{name} {key}": value for key, value in part.items()}
    return {key: str(value) for key, value in (facts | packages).items() if value is not None}


def _differences(then: dict[str, str], now: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {
        name: (then[name], now[name]) for name in then if name in now and then[name] != now[name]
    }

"""What `cxr-bench doctor` looks at: is this machine ready for the chosen suites?"""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmark.data.discovery import datasets, state
from benchmark.data.prepared import NotPrepared, load_prepared
from benchmark.errors import UserError
from benchmark.machine.environment import Environment, check, check_installed, installed_version
from benchmark.models import ModelFile
from benchmark.records.disk import existing, free_bytes
from benchmark.records.door import RecordError
from benchmark.suites.suite import Suite

GOOD, POOR, BAD = "ok", "warning", "problem"
TESTED = Path(__file__).parents[2] / "constraints.txt"
"""The versions that were tested; not there where only the package is installed."""
CORE = ("keras", "tensorflow", "tensorflow-datasets", "keras-cv", "numpy", "pandas", "scikit-learn",
        "protobuf")  # fmt: skip
ROOM_FOR_RESULTS = 2.0
"""Weights and their temporary copy, of every spec."""
BYTES_PER_PARAMETER = 4


@dataclass(frozen=True)
class Check:
    """One finding of the check-up: what was looked at, the verdict, and what to do."""

    what: str
    verdict: str
    text: str
    remedy: str = ""


def environment_checks(environment: Environment) -> list[Check]:
    """Python, packages against the tested versions, arithmetic. Imports no framework."""
    python = platform.python_version()
    supported = (3, 11) <= sys.version_info < (3, 14)
    checks = [
        Check("Python", GOOD if supported else BAD, python, "" if supported else "use 3.11 to 3.13")
    ]
    checks += [_package(name, version) for name, version in _tested_versions().items()]
    text = f"{environment.backend} on {environment.device}, {environment.threads} cores"
    return [*checks, _passed("Arithmetic", text, lambda: check_installed(environment.backend))]


def _passed(what: str, text: str, check: Callable[[], object]) -> Check:
    """Good with this text where a check passes, else bad with what it says."""
    try:
        check()
    except UserError as error:
        return Check(what, BAD, str(error))
    return Check(what, GOOD, text)


def _tested_versions() -> dict[str, str]:
    lines = TESTED.read_text().splitlines() if TESTED.is_file() else []
    pinned = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    if "tensorflow" not in pinned and "tensorflow-cpu" in pinned:
        pinned["tensorflow"] = pinned["tensorflow-cpu"]
    return {name: pinned.get(name, "") for name in CORE}


def _package(name: str, tested: str) -> Check:
    candidates = (name, f"{name}-cpu")
    found = next((v for candidate in candidates if (v := installed_version(candidate))), None)
    if found is None:
        return Check(name, BAD, "not installed", "run `make install`")
    if tested and found != tested:
        remedy = f"tested with {tested}; `make install` gives the tested versions"
        return Check(name, POOR, found, remedy)
    return Check(name, GOOD, found)


def folder_checks(folders: Mapping[str, Path]) -> list[Check]:
    """Whether each folder can be written to."""
    return [_folder(what, path) for what, path in folders.items()]


def _folder(what: str, path: Path) -> Check:
    if not os.access(existing(path), os.W_OK | os.X_OK):
        return Check(what, BAD, f"{path} cannot be written to", "choose another folder")
    return Check(what, GOOD, str(path))


def dataset_checks(suites: Iterable[Suite], data_dir: Path) -> list[Check]:
    """The state of every data set that the suites name."""
    known = datasets(data_dir)
    users: dict[str, list[str]] = {}
    for suite in suites:
        for name, _ in suite.datasets:
            users.setdefault(name, []).append(suite.name)
    checks = []
    for name, wanting in users.items():
        wanted = f"for {', '.join(dict.fromkeys(wanting))}"
        status = state(known[name], data_dir) if name in known else "missing"
        text = f"{status}, {wanted}"
        if status in ("prepared", "damaged"):
            checks.append(_passed(name, text, partial(load_prepared, name, data_dir)))
            continue
        ready = status == "embedded"
        remedy = "" if ready else f"cxr-bench prepare {name} --manual-dir DIR"
        checks.append(Check(name, GOOD if ready else POOR, text, remedy))
    return checks


def disk_checks(
    suites: Iterable[Suite],
    models: Mapping[str, ModelFile],
    data_dir: Path,
    cache_dir: Path,
    results: Path,
) -> list[Check]:
    """Free room against what the prepared sets of the suites will take."""
    suites = list(suites)
    needs = {"Room for views": (cache_dir, _view_bytes(suites, models, data_dir)),
             "Room for results": (results, _result_bytes(suites, models, data_dir))}  # fmt: skip
    return [_room(what, path, need) for what, (path, need) in needs.items()]


def _room(what: str, path: Path, need: float) -> Check:
    free = free_bytes(path)
    text = f"{need / 1e9:.1f} GB needed at most, {free / 1e9:.1f} GB free at {path}"
    if free < need:
        return Check(what, BAD, text, "free some, or choose another folder")
    return Check(what, GOOD, text)


def _view_bytes(suites: list[Suite], models: Mapping[str, ModelFile], data_dir: Path) -> float:
    """One byte a pixel of every view; a view that several suites share counts once."""
    views: dict[tuple, int] = {}
    for suite, name, images in _prepared_sets(suites, data_dir):
        for model in suite.models(models):
            for variant in suite.variants(model):
                key = (name, variant["resolution"], variant["preprocessing"])
                views[key] = images * variant["resolution"] ** 2
    return sum(views.values())


def _result_bytes(suites: list[Suite], models: Mapping[str, ModelFile], data_dir: Path) -> float:
    total = 0.0
    for suite, _, _ in _prepared_sets(suites, data_dir):
        for model in suite.models(models):
            card = models[model].card or {}
            specs = sum(len(seeds) for _, seeds in suite.points(model))
            parameters = card.get("parameters", {}).get("count", 0)
            total += ROOM_FOR_RESULTS * BYTES_PER_PARAMETER * parameters * specs
    return total


def _prepared_sets(suites: list[Suite], data_dir: Path) -> Iterator[tuple[Suite, str, int]]:
    for suite in suites:
        for name, _ in suite.datasets:
            try:
                counts = load_prepared(name, data_dir).counts
            except (NotPrepared, RecordError):  # the check of data sets names it
                continue
            yield suite, name, sum(split.images for split in counts.values())


def accelerator_check(environment: Environment) -> Check:
    """Which devices the backend finds to be computed with; asking it takes seconds."""
    try:
        found = check(environment)
    except UserError as error:
        return Check("Accelerators", BAD, str(error))
    if not found:
        return Check("Accelerators", GOOD, "none asked for; training runs on the CPU")
    names = Counter(each.name for each in found)
    text = ", ".join(f"{n} x {name}" for name, n in names.items())
    coarse = sorted({each.name for each in found if each.bfloat16 is False})
    without = f"; no bfloat16 on {', '.join(coarse)}" if coarse else ""
    return Check("Accelerators", GOOD, f"{environment.backend} finds {text}{without}")


def self_test(folder: Path, environment: Environment) -> Check:
    """Train one small spec on the embedded set in a folder of its own, as a run would."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from benchmark.models import discover
    from benchmark.planning.inputs import PlanInputs
    from benchmark.planning.resolve import make_plan
    from benchmark.records.store import Results
    from benchmark.scheduling.runner import run_plan
    from benchmark.scheduling.slots import Folders
    from benchmark.suites.axes import DEFAULTS

    name = "thorax_phantom/small"
    prepared = prepare(find_dataset(name), folder / "data", None)
    matrix = DEFAULTS | {"datasets": [name], "models": ["cnn"], "resolutions": [32], "seeds": [0]}
    suite = Suite("self_test", "Self-test", "", matrix, {"epochs": 1})
    results = Results(folder / "results")
    plan = make_plan([suite], PlanInputs(discover(), {name: prepared}, results))
    run_plan(plan, Folders(folder / "data", folder / "cache", results.folder), environment)
    row = next(results.rows())
    if row.error:
        return Check("Self-test", BAD, row.error.reason, row.error.detail)
    seconds = sum(row.phases.values())
    return Check("Self-test", GOOD, f"one small spec trained and scored in {seconds:.0f} s")

"""What a suite would take on some hardware: hours, memory, storage, and what bounds it.

Seconds of a spec are its nominal price times what past rows took of theirs on the same device: rows
of its model where there are some, else of all models together, which is the model of multiply-adds
in ``cost.py``. Where no row was made on a device nothing is made up: operations are counted.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import structs

from benchmark import kinds
from benchmark.models import ModelFile
from benchmark.planning.cost import forward_passes, nominal_seconds
from benchmark.planning.memory import expected_mb
from benchmark.planning.points import NO_IMAGE, within_budget
from benchmark.records.facts import SplitCounts
from benchmark.records.row import Row
from benchmark.records.run_facts import EnvironmentFacts
from benchmark.records.timing import is_timed_whole
from benchmark.spec import Spec
from benchmark.suites.suite import Suite
from benchmark.training.recipe import make_recipe
from benchmark.training.schemes import is_by_gradient

Counts = Mapping[str, SplitCounts]
SPLIT = {"train": 0.7, "validation": 0.1, "test": 0.2}
"""How a set that is not prepared here is taken to be split."""
BYTES_PER_PARAMETER = 4
BYTES_PER_PREDICTION = 50
"""Of an image in a prediction file, compressed; the committed ones have 20 to 60."""
WAITING = 0.5
"""Share of the training steps from which on it is the images that bound it."""


class Hardware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Devices side by side, as a file for ``--hardware`` describes them.

    Attributes:
        name: for people.
        device: name of the accelerator, or of the processor, as rows have it.
        threads: of a processor, that each spec has; None for accelerators.
        count: devices, each with a spec at a time.
        memory_mb: of the host, that each spec may take; None where it is not known.
        disk_gb: free; None where it is not known.
    """

    name: str
    device: str
    threads: int | None = None
    count: int = 1
    memory_mb: int | None = None
    disk_gb: float | None = None


@dataclass(frozen=True)
class Work:
    """A spec to come, its model's card, and the images of its set."""

    spec: Spec
    card: Mapping[str, Any]
    counts: Counts

    @property
    def price(self) -> float:
        """Nominal seconds."""
        return nominal_seconds(self.spec, dict(self.card), dict(self.counts))

    @property
    def multiply_adds(self) -> float:
        """Of all its passes, in 1e9."""
        images, each = forward_passes(self.spec, self.card, self.counts) or (0.0, 0.0)
        return images * each


@dataclass
class Rates:
    """What past rows took on one device, in parts of their nominal price.

    Attributes:
        seconds, prices: by model, summed over rows.
        waited: seconds of training steps in which images were waited for, and of all.
    """

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    prices: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    waited: tuple[float, float] = (0.0, 0.0)

    def of(self, model: str) -> tuple[float, bool]:
        """Seconds a nominal second, and whether the model's own rows say so."""
        if own := self.prices.get(model):
            return self.seconds[model] / own, True
        return sum(self.seconds.values()) / sum(self.prices.values()), False


@dataclass(frozen=True)
class Forecast:
    """What a suite takes on some hardware.

    Attributes:
        hours: until the last spec has ended; None where no row of the device is there.
        longest: hours of the dearest spec.
        measured: share of the price that the models' own rows speak for.
        bound: what it is that bounds it, in words.
    """

    hours: float | None
    longest: float | None
    measured: float
    bound: str


def work_of(
    suite: Suite, files: Mapping[str, ModelFile], dataset: str, counts: Counts, *, masks: bool
) -> list[Work]:
    """The specs of a suite on a set of which no more is known than how many images it has."""
    cards = {name: files[name].card for name in suite.models(files) if files[name].card}
    wanted = "masks" if masks else "findings"
    found = {
        name: [Work(spec, card, counts) for spec in _specs(suite, name, card, dataset)]
        for name, card in cards.items()
        if card["predicts"] == wanted
    }
    cost = {name: sum(each.price for each in work) for name, work in found.items()}
    names = sorted(found, key=lambda name: (name not in suite.named_models, cost[name], name))
    if suite.budget_minutes is not None:
        names = within_budget(names, cost, suite.budget_minutes * 60)
    return [each for name in names for each in found[name]]


def _specs(suite: Suite, model: str, card: Mapping[str, Any], dataset: str) -> Iterator[Spec]:
    points = suite.points(model)
    if card["inputs"] != "image":
        points = [(dict(NO_IMAGE), points[0][1])]
    kind = kinds.of_card(card)
    for variant, seeds in points:
        recipe = make_recipe(*suite.recipe_values(model, variant["resolution"]))
        trains = card["inputs"] == "image" and is_by_gradient(variant["scheme"])
        spec = Spec(
            kind=kind.name,
            dataset=dataset,
            dataset_version="",
            manifest_sha256="0" * 64,
            model=model,
            seed=0,
            recipe=recipe.as_dict() if trains else {},
            precision=recipe.precision if card["inputs"] == "image" else "",
            **variant,
        )
        for seed in [0] if kind.deterministic(spec, card) else seeds:
            yield structs.replace(spec, seed=seed)


def device_of(environment: EnvironmentFacts) -> tuple[str | None, int | None]:
    """What a row was made with, as :class:`Hardware` names it."""
    if environment.accelerator:
        return environment.accelerator.name, None
    return environment.cpu, environment.threads


def rates(rows: Iterable[Row], files: Mapping[str, ModelFile]) -> dict[tuple, Rates]:
    """Device and threads -> what finished rows took there."""
    found: defaultdict[tuple, Rates] = defaultdict(Rates)
    for row in rows:
        card = files[row.spec.model].card if row.spec.model in files else None
        shared = row.speed is not None and row.speed.sharing > 1
        timed = row.done and row.phases and not shared and is_timed_whole(row)
        if not (timed and card and row.history):
            continue
        trained = row.spec.recipe | {"epochs": len(row.history.loss)}  # it may have ended early
        price = nominal_seconds(structs.replace(row.spec, recipe=trained), card, row.counts)
        rate = found[device_of(row.environment)]
        rate.seconds[row.spec.model] += sum(row.phases.values())
        rate.prices[row.spec.model] += price
        waited, steps = (row.profile or {}).get("input", 0.0), (row.profile or {}).get("steps", 0.0)
        rate.waited = rate.waited[0] + waited, rate.waited[1] + waited + steps
    return dict(found)


def forecast(work: Sequence[Work], hardware: Hardware, known: Mapping[tuple, Rates]) -> Forecast:
    """Hours of specs on some hardware, the dearest first, where no training ends early."""
    rate = known.get((hardware.device, hardware.threads))
    if rate is None or not work:
        return Forecast(None, None, 0.0, "not measured")
    factors = [rate.of(each.spec.model) for each in work]
    seconds = [each.price * factor for each, (factor, _) in zip(work, factors, strict=True)]
    own = sum(each.price for each, (_, measured) in zip(work, factors, strict=True) if measured)
    ends = [0.0] * hardware.count
    for each in sorted(seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + each)
    hours, longest = max(ends) / 3600, max(seconds) / 3600
    waited, steps = rate.waited
    if hardware.count > 1 and hours < 1.01 * longest:
        bound = "the dearest spec: more devices do not help"
    elif steps and waited / steps > WAITING:
        bound = "waiting for images"
    else:
        bound = "computing"
    return Forecast(hours, longest, own / sum(each.price for each in work), bound)


def memory_mb(work: Iterable[Work], rows: Sequence[Row]) -> tuple[int | None, list[str]]:
    """Host memory of the largest network by past rows, and models of which there are none."""
    networks = {each.spec.config_id: each.spec for each in work if each.spec.precision}.values()
    found = dict.fromkeys((each.model for each in networks), 0)
    for each in networks:
        found[each.model] = max(found[each.model], expected_mb(each, rows) or 0)
    unknown = sorted(model for model, peak in found.items() if not peak)
    return max(found.values(), default=0) or None, unknown


def view_bytes(work: Iterable[Work]) -> int:
    """Of the decoded images: a byte a pixel of every set, size and preparation, once."""
    views = {
        (w.spec.dataset, w.spec.resolution, w.spec.preprocessing): _images(w.counts) for w in work
    }
    return sum(n * size**2 for (_, size, _), n in views.items())


def result_bytes(work: Iterable[Work]) -> int:
    """Of weights and prediction files."""
    return sum(
        BYTES_PER_PARAMETER * (w.card.get("parameters") or {}).get("count", 0)
        + BYTES_PER_PREDICTION * _images(w.counts)
        for w in work
    )


def supposed_counts(images: int) -> dict[str, SplitCounts]:
    """The splits of a set of so many images."""
    return {
        split: SplitCounts(images=round(share * images), patients=0, positives={})
        for split, share in SPLIT.items()
    }


def _images(counts: Counts) -> int:
    return sum(split.images for split in counts.values())

"""A cell: one fully resolved point of a suite, named by a hash of everything that changes it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from benchmark.errors import UnknownName, UserError
from benchmark.legacy import HONEST
from benchmark.records.files import canonical_json, sha256

ID_LENGTH = 12
NEUTRAL = {"protocol": HONEST, "ensemble": None, "weights_sha256": None, "memory_fallback": False}
"""Values that are left out of a cell's canonical JSON."""


@dataclass(frozen=True)
class Cell:
    """What is trained on what, how, and by which arithmetic.

    Attributes:
        dataset: ``<builder>/<config>``; ``dataset_version`` and ``manifest_sha256`` fix its
            images, labels and splits.
        model: name of the model file.
        resolution: pixels per side; 0 for models that see no image.
        preprocessing, normalisation, imbalance, weights, augmentation: names of the variants.
        seed: of every random draw.
        recipe: the training protocol as plain values.
        backend, device, precision, threads, micro_batch: the arithmetic; another machine may
            resolve these differently and then has another cell.
        limit: at most so many images of each split; None for all.
        protocol: ``"honest"``, a legacy protocol (see :mod:`benchmark.legacy`), a screening one
            (see :mod:`benchmark.screening`) or a shortcut probe (see :mod:`benchmark.probes`).
        ensemble: of an ensemble its kind, options and ``members``: by model name, what tells the
            member's cell from this one (see :mod:`benchmark.ensembles.cells`); ``model`` is then
            the ensemble's name. None for a model.
        weights_sha256: of the files that ``weights`` loads; None where it loads none, or where
            they are not there and the cell cannot be run.
        memory_fallback: whether ``micro_batch`` is smaller than was planned, for want of memory.
    """

    dataset: str
    dataset_version: str
    manifest_sha256: str
    model: str
    resolution: int
    preprocessing: str
    normalisation: str
    imbalance: str
    weights: str
    augmentation: str
    seed: int
    recipe: dict[str, Any]
    backend: str
    device: str
    precision: str
    threads: int
    micro_batch: int
    limit: int | None = None
    protocol: str = HONEST
    ensemble: dict[str, Any] | None = None
    weights_sha256: str | None = None
    memory_fallback: bool = False

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain JSON values, but for what says nothing.

        Leaving out the usual value of a field that came later keeps the ids of earlier cells.
        """
        # Not asdict, which copies every value in depth: a run has thousands of cells to name.
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: value for key, value in values.items() if NEUTRAL.get(key, ...) != value}

    @cached_property
    def cell_id(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the canonical JSON."""
        return sha256(canonical_json(self.as_dict()))[:ID_LENGTH]

    @property
    def config_id(self) -> str:
        """The same without the seed: cells of one configuration share it."""
        values = {key: value for key, value in self.as_dict().items() if key != "seed"}
        return sha256(canonical_json(values))[:ID_LENGTH]

    @property
    def label(self) -> str:
        """A short name for people."""
        size = f" {self.resolution}px" if self.resolution else ""
        variants = [
            value
            for value, usual in (
                (self.preprocessing, "raw"),
                (self.normalisation, "unit"),
                (self.imbalance, "none"),
                (self.weights, "random"),
                (self.augmentation, "none"),
            )
            if value not in (usual, "")
        ]
        variants += [f"{self.micro_batch} images at a time"] if self.memory_fallback else []
        extra = f" [{', '.join(variants)}]" if variants else ""
        dataset = self.dataset if self.protocol == HONEST else f"{self.dataset}@{self.protocol}"
        return f"{dataset} {self.model}{size}{extra} seed {self.seed}"


FILTER_KEYS = {
    "dataset": "dataset",
    "protocol": "protocol",
    "model": "model",
    "size": "resolution",
    "preprocessing": "preprocessing",
    "normalisation": "normalisation",
    "imbalance": "imbalance",
    "weights": "weights",
    "augmentation": "augmentation",
    "seed": "seed",
}


def parse_filter(text: str) -> dict[str, set[str]]:
    """Parse ``'model=cnn|mlp,size=64'`` into cell fields and their allowed values.

    Raises:
        UnknownName: a key is not one of :data:`FILTER_KEYS`.
        UserError: a part is not ``key=value``.
    """
    wanted: dict[str, set[str]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, sign, values = part.partition("=")
        if not sign or not values.strip():
            raise UserError(f"filter {part!r} is not of the form key=value or key=value|value")
        if key.strip() not in FILTER_KEYS:
            raise UnknownName("filter key", key.strip(), FILTER_KEYS)
        wanted[FILTER_KEYS[key.strip()]] = {value.strip() for value in values.split("|")}
    return wanted


def matches(cell: Cell, wanted: dict[str, set[str]]) -> bool:
    """True where every filtered field of the cell has one of its allowed values.

    A preprocessing variant also matches without the network that it names after an ``@``.
    """
    fields = {field: str(getattr(cell, field)) for field in wanted}
    return all(
        values & {fields[field], fields[field].partition("@")[0]}
        for field, values in wanted.items()
    )

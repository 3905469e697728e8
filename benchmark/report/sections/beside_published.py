"""The nearest published matrix beside what was measured here: same family, size and scheme.

Where weights, images or architecture are not the same, a cell is context, without a difference.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.report.blocks.tables import Block, Column, DataTable, Heading, Paragraph, text_column
from benchmark.report.blocks.values import Measurement, Value
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.training.weights import FINETUNE, SCRATCH

FILE = Path(__file__).with_name("medmnist_plus.toml")
SCHEMES = {"end to end": (SCRATCH, FINETUNE), "linear probe": ("linear_probe",)}
"""How a published network was trained -> the schemes that train as much of it."""


@dataclass(frozen=True)
class Published:
    """One cell of the published matrix.

    Attributes:
        dataset: as it is called there.
        beside: the data set here that stands for it.
        split: whether its test images are other ones.
        name: of the model there.
        family: models here that are of its kind.
        model: the same architecture here; empty where there is none.
        scheme: a key of :data:`SCHEMES`.
        size: pixels a side.
        auc: test AUC in [0, 1], mean over three seeds.
        sd: over these seeds; None where it is not given.
    """

    dataset: str
    beside: str
    split: bool
    name: str
    family: tuple[str, ...]
    model: str
    scheme: str
    size: int
    auc: float
    sd: float | None

    def differs_in(self, ours: Configuration) -> list[str]:
        """Why an AUC of ours is no measurement of the same."""
        spec = ours.spec
        differing = {
            "architecture": spec.model != self.model,
            "weights": spec.weights != "imagenet",
            "split": self.split,
            "images": spec.preprocessing != "center_crop",
            "augmentation": spec.augmentation != "none",
        }
        return [name for name, differs in differing.items() if differs]


@dataclass(frozen=True)
class Beside:
    """A published cell and the configuration here that stands for it, by validation AUC."""

    published: Published
    label: str
    ours: Configuration

    @property
    def measured(self) -> Measurement:
        """Test AUC of ours."""
        return self.ours.measurements["test_auc"]

    @property
    def difference(self) -> float | None:
        """Ours minus theirs in AUC; None where they are not the same."""
        if self.measured.mean is None or self.published.differs_in(self.ours):
            return None
        return self.measured.mean - self.published.auc


def published() -> list[Published]:
    """All cells of the matrix, in the order of the file."""
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    sizes = content.pop("sizes")
    return [
        Published(
            dataset=dataset,
            beside=matrix["beside"],
            split=matrix.get("split", False),
            name=line["name"],
            family=tuple(line["family"]),
            model=line.get("model", ""),
            scheme=line["scheme"],
            size=size,
            auc=auc / 100,
            sd=None if sd is None else sd / 100,
        )
        for dataset, matrix in content.items()
        for line in matrix["lines"]
        for size, auc, sd in zip(
            sizes, line["auc"], line.get("sd", [None] * len(sizes)), strict=True
        )
    ]


def beside_published(tables: list[Table]) -> list[Beside]:
    """Published cells that something measured here stands beside; whole data sets only."""
    whole = [t for t in tables if not t.watermarks and t.tested and t.dataset.fraction is None]
    return [
        found
        for cell in published()
        for table in whole
        if table.protocol.dataset == cell.beside and table.split_protocol.asks_findings
        for found in _chosen(cell, table)
    ]


def _chosen(cell: Published, table: Table) -> Iterator[Beside]:
    """The configuration that validation chooses of those of a cell, among ranked ones."""
    alike = [
        c
        for c in table.ranked
        if c.spec.model in cell.family
        and c.spec.resolution == cell.size
        and c.spec.scheme in SCHEMES[cell.scheme]
    ]
    if alike:
        best = max(alike, key=lambda c: (c.measurements["validation_auc"].mean or 0, c.key))
        yield Beside(cell, table.labels[best.key], best)


def beside_section(found: list[Beside]) -> list[Block]:
    """Both beside each other; nothing where nothing was measured."""
    if not found:
        return []
    columns: list[Column[Beside]] = [
        text_column("Data set there", lambda e: e.published.dataset, "dataset"),
        text_column("Trained", lambda e: e.published.scheme, "trained"),
        Column("size", "Size (px)", lambda e: e.published.size),
        text_column("Model there", lambda e: e.published.name, "published_model"),
        Column("published_auc", "AUC there", _theirs),
        text_column("Here", lambda e: e.label, "label"),
        Column("test_auc", "AUC here", lambda e: e.measured),
        *_differences(found),
        text_column("Not the same", _differing, "not_the_same"),
    ]
    return [
        Heading(2, "Beside the nearest published matrix", "beside-medmnist"),
        Paragraph(
            "MedMNIST+ (Doerrich et al. 2025, arXiv:2404.15786; from a secondary copy, not "
            "reproduced here) trained ten architectures at four sizes from ImageNet weights and "
            "without augmentation, on images cropped to the central square; PneumoniaMNIST has "
            "Kermany's published test images, ChestMNIST a split of its own. There: mean ± "
            "standard deviation over three seeds. Here: of the ranked configurations of the same "
            "family, size and scheme the one with the best AUC on validation, with its 95 % "
            "interval over patients. Where the last column names anything, the cell is context, "
            "and no difference is given."
        ),
        DataTable.of(columns, found),
    ]


def _theirs(each: Beside) -> Value:
    return Measurement(each.published.auc, each.published.sd)


def _differences(found: list[Beside]) -> list[Column[Beside]]:
    """The column, where any is the same."""
    if all(each.difference is None for each in found):
        return []
    return [Column("difference", "Difference", lambda e: e.difference)]


def _differing(each: Beside) -> str:
    return ", ".join(each.published.differs_in(each.ours))

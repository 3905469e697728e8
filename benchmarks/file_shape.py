"""What the shape of a file tells of pneumonia, and padding against squashing; writes SHAPE.md.

Takes the Kermany images of which the original size is known: those that have a lung mask, in a
folder with ``pairs.csv`` (columns ``image``, ``label``, ``patient_id``, ``original_width``,
``original_height``) and the images, squashed to one square. They get their aspect ratio back, are
prepared as a set of one's own, split by patient, and small networks are trained on them squashed,
padded and cropped::

    python -m benchmarks.file_shape DIR/lung_masks
    python -m benchmarks.file_shape DIR/lung_masks --epochs 1 --seeds 1 --out /tmp/some.md
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.machine.environment import current
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.records.files import write_atomic
from benchmark.records.store import Results
from benchmark.report.comparing.paired import Pair
from benchmark.report.eda.file_shape import ShapeAlone, shape_alone
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.gather import gather
from benchmark.report.gathering.table import Table
from benchmark.scheduling.runner import Options, run_plan
from benchmark.scheduling.slots import Folders
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.suite import Suite
from tfds_builders.image_folder.options import Options as Reading

NAME, FINDING = "image_folder/kermany_shape", "Pneumonia"
SHORT = 256
"""Pixels of the shorter side of an image that has its aspect ratio again."""
SQUASH, VARIANTS = "raw", ("pad", "center_crop")


@dataclass(frozen=True)
class Told:
    """What was measured: the shape alone, the table, and each variant against the squash."""

    prepared: Prepared
    shape: ShapeAlone
    table: Table
    pairs: dict[str, Pair]


def restore(masks: Path, raw: Path) -> Path:
    """Write the images in their true aspect ratio, and tables of labels and of sizes; the latter.

    Nothing is made smaller, so that all that the squashed image shows is still there.
    """
    lines = list(csv.DictReader((masks / "pairs.csv").open(encoding="utf-8", newline="")))
    (raw / "images").mkdir(parents=True)
    labels = [("image", FINDING, "patient")]
    sizes = [("image", "width", "height")]
    for line in lines:
        width, height = int(line["original_width"]), int(line["original_height"])
        name = f"{Path(line['image']).stem}.png"
        shape = (
            round(SHORT * width / min(width, height)),
            round(SHORT * height / min(width, height)),
        )
        with Image.open(masks / line["image"]) as image:
            image.convert("L").resize(shape, Image.Resampling.BICUBIC).save(raw / "images" / name)
        labels.append((name, str(int(line["label"] != "NORMAL")), line["patient_id"]))
        sizes.append((name, str(width), str(height)))
    _write(raw / "labels.csv", labels)
    return _write(raw / "sizes.csv", sizes)


def _write(path: Path, lines: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def measure(masks: Path, folder: Path, epochs: int, seeds: int) -> Told:
    """Prepare, train and compare."""
    reading = Reading(
        csv="labels.csv",
        image_column="image",
        finding_columns=(FINDING,),
        patient_column="patient",
    )
    sizes, dataset = restore(masks, folder / "raw"), replace(find_dataset(NAME), options=reading)
    prepared = prepare(dataset, folder / "data", folder / "raw", folder / "cache", sizes=sizes)
    results = Results(folder / "results")
    stock = PlanInputs(discover(), {NAME: prepared}, results)
    folders = Folders(folder / "data", folder / "cache", results.folder)
    run_plan(make_plan([_suite(epochs, seeds)], stock), folders, current(), _say, Options())
    (table,) = gather(results)
    by_variant = {c.spec.preprocessing: c for c in table.configurations if c.spec.resolution}
    squashed = by_variant[SQUASH]
    pairs = {name: Pair(by_variant[name], squashed, with_seeds=True) for name in VARIANTS}
    return Told(prepared, shape_alone(prepared), table, pairs)


def _suite(epochs: int, seeds: int) -> Suite:
    matrix = DEFAULTS | {
        "datasets": [NAME],
        "models": ["constant", "geometry_only", "cnn"],
        "resolutions": [64],
        "preprocessing": [SQUASH, *VARIANTS],
        "normalisation": ["imagenet"],
        "seeds": list(range(seeds)),
    }
    return Suite("file_shape", "The shape of the file", "", matrix, {"epochs": epochs})


def _say(planned: object, event: dict) -> None:
    if event["event"] == "done":
        print(planned.spec.label, event["headline"], flush=True)  # type: ignore[attr-defined]


def page(told: Told) -> str:
    """All of it, as Markdown."""
    counts = told.prepared.counts
    said = ", ".join(
        f"{counts[s].images} images of {counts[s].patients} patients in {s}" for s in SPLITS
    )
    (alone,) = told.shape.findings
    lines = [
        "# What the shape of a file tells, and padding against squashing",
        "",
        "`python -m benchmarks.file_shape DIR/lung_masks` writes this page.",
        "",
        f"Pneumonia in {told.shape.images:,} images of Kermany's training pool whose original size "
        "is known, in their true aspect ratio again (it was lost in a copy of 256 x 256 px), split "
        f"by patient: {said}.",
        "",
        "AUC of the file's shape alone, of models fitted to other patients (five folds): "
        f"**{alone.auc:.3f}** [{alone.low:.3f}, {alone.high:.3f}].",
        "",
        "On the test images, 64 px, mean over the seeds ± their spread [95 % interval]:",
        "",
        "| model | images become square by | seeds | AUC |",
        "|:--|:--|--:|--:|",
        *(_line(c) for c in told.table.configurations),
        "",
        "AUC minus that of the squash, paired over test patients and with the spread of the seeds:",
        "",
        "| instead | difference | 95 % interval | p |",
        "|:--|--:|--:|--:|",
        *(_difference(name, pair) for name, pair in told.pairs.items()),
        "",
    ]
    return "\n".join(lines)


def _line(c: Configuration) -> str:
    auc, how = c.measurements["test_auc"], {"": "–", SQUASH: "squash"}
    spread = "" if auc.seed_sd is None else f" ± {auc.seed_sd:.3f}"
    square = how.get(c.spec.preprocessing, c.spec.preprocessing)
    shown = f"{auc.mean:.3f}{spread} [{auc.low:.3f}, {auc.high:.3f}]"
    return f"| {c.spec.model} | {square} | {len(c.runs)} | {shown} |"


def _difference(name: str, pair: Pair) -> str:
    found = pair.compare("auc")
    if found.difference is None or found.interval is None or found.p is None:
        return f"| {name} | – | {found.note} | |"
    low, high = found.interval
    return f"| {name} | {found.difference:+.4f} | [{low:+.4f}, {high:+.4f}] | {found.p:.2f} |"


def main() -> None:
    """Read the command line, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("masks", type=Path, help="Folder with pairs.csv and images/.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("SHAPE.md"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(given.masks, Path(folder), given.epochs, given.seeds)
        write_atomic(given.out, page(told).encode())
    print(f"Written: {given.out}")


if __name__ == "__main__":
    main()

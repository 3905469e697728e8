"""`cxr-bench masks`: the best and the worst masks of a segmentation row, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmark.errors import UnknownName, UserError
from benchmark.records.row import Row
from benchmark.records.store import Results

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.report.mask_figure import Case

SHOWN = 5


def draw_row(spec_id: str, results: Path, data_dir: Path, cache_dir: Path, out: Path) -> None:
    """Write ``<spec_id>.png`` and ``.svg``; the figure shows images of the set, so it stays local.

    Raises:
        UnknownName: there is no such segmentation row.
        UserError: its masks are not here, or the set was prepared anew.
    """
    from benchmark.data.prepared import load_prepared
    from benchmark.report.eda_style import save, styled
    from benchmark.report.mask_figure import draw_masks

    stored = Results(results)
    row = _row(spec_id, stored)
    prepared = load_prepared(row.spec.dataset, data_dir)
    if prepared.manifest_sha256 != row.spec.manifest_sha256:
        raise UserError(f"{prepared.name} was prepared anew after row {spec_id} was made")
    cases, dices = _cases(row, stored, prepared, cache_dir)
    heading = (
        f"{row.spec.model} on {prepared.name}: {len(dices)} test images, "
        f"mean Dice {dices.mean():.3f}"
    )
    with styled():
        drawn = draw_masks(cases, heading)
        save(drawn, out / spec_id)
    click.echo(f"Figure: {out / spec_id}.png and .svg. It shows images of the set: keep it local.")


def _row(spec_id: str, results: Results) -> Row:
    by_id = {row.spec_id: row for row in results.rows() if row.holds_masks and row.done}
    if spec_id not in by_id:
        raise UnknownName("segmentation row", spec_id, by_id)
    return by_id[spec_id]


def _cases(
    row: Row, results: Results, prepared: Prepared, cache_dir: Path
) -> tuple[dict[str, list[Case]], np.ndarray]:
    """The best and the worst cases of the test split by name, and Dice of all of it."""
    from benchmark.data.mask_batches import LUNG
    from benchmark.data.views import open_masks, open_view
    from benchmark.records.mask_counts import packed_masks, read_mask_counts
    from benchmark.report.files import predictions_path
    from benchmark.report.mask_figure import Case
    from benchmark.scoring.overlap import dice

    size = row.spec.resolution
    counts = read_mask_counts(predictions_path(results, row))
    test = counts.take(counts.split == "test")
    predicted = dict(zip(*packed_masks(results.masks_path(row.spec_id)), strict=True))
    view = open_view(prepared, "test", size, "raw", cache_dir)
    true = open_masks(prepared, "test", size, cache_dir).images
    line = {image_id: i for i, image_id in enumerate(view.image_ids)}
    dices = dice(test.counts)

    def case(k: int) -> Case:
        image_id, at = test.image_id[k], line[test.image_id[k]]
        name = " ".join(filter(None, (Path(image_id).stem, test.pairing[k])))
        title = f"{name}\nDice {dices[k]:.3f}"
        return Case(view.images[at], true[at] == LUNG, predicted[image_id], title)

    order = np.argsort(-dices, kind="stable").tolist()
    shown = min(SHOWN, len(order) // 2)
    named = {"Best": order[:shown], "Worst": order[: -shown - 1 : -1]}
    return {name: [case(k) for k in which] for name, which in named.items()}, dices

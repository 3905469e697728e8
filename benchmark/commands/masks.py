"""`cxr-bench masks`: the best and the worst masks of a segmentation row, as a figure."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from benchmark.errors import UnknownName, UserError
from benchmark.records.store import Results, Row, is_segmentation

SHOWN = 5


def draw_row(cell_id: str, results: Path, data_dir: Path, cache_dir: Path, out: Path) -> None:
    """Write ``<cell_id>.png`` and ``.svg``; the figure shows images of the set, so it stays local.

    Raises:
        UnknownName: there is no such segmentation row.
        UserError: its masks are not here, or the set was prepared anew.
    """
    from benchmark.data.prepared import load_prepared
    from benchmark.report.eda_style import save, styled
    from benchmark.report.mask_figure import draw_masks

    stored = Results(results)
    row = _row(cell_id, stored)
    prepared = load_prepared(row["cell"]["dataset"], data_dir)
    if prepared.manifest_sha256 != row["cell"]["manifest_sha256"]:
        raise UserError(f"{prepared.name} was prepared anew after row {cell_id} was made")
    cases, dices = _cases(row, stored, prepared, cache_dir)
    heading = (
        f"{row['cell']['model']} on {prepared.name}: {len(dices)} test images, "
        f"mean Dice {dices.mean():.3f}"
    )
    with styled():
        drawn = draw_masks(cases, heading)
        save(drawn, out / cell_id)
    click.echo(f"Figure: {out / cell_id}.png and .svg. It shows images of the set: keep it local.")


def _row(cell_id: str, results: Results) -> Row:
    known = [r for r in results.rows() if is_segmentation(r) and r["status"] == "done"]
    by_id = {row["cell_id"]: row for row in known}
    if cell_id not in by_id:
        raise UnknownName("segmentation row", cell_id, by_id)
    return by_id[cell_id]


def _cases(row: Row, results: Results, prepared, cache_dir: Path):
    """The best and the worst cases of the test split by name, and Dice of all of it."""
    from benchmark.data.mask_batches import LUNG
    from benchmark.data.views import open_masks, open_view
    from benchmark.records.mask_counts import packed_masks, read_mask_counts
    from benchmark.report.mask_figure import Case
    from benchmark.scoring.overlap import dice

    cell_id, size = row["cell_id"], row["cell"]["resolution"]
    path = results.predictions_path(cell_id, row["dataset"]["redistributable"])
    counts = read_mask_counts(path)
    test = counts.take(counts.split == "test")
    predicted = dict(zip(*packed_masks(results.masks_path(cell_id)), strict=True))
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

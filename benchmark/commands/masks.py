"""`cxr-bench masks`: the best and the worst masks of a segmentation row, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.commands import drawn_row
from benchmark.commands.drawn_row import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.report.drawing.masks import Case

SHOWN = 5


def draw_row(text: str, **folders: Any) -> None:
    """Draw the rows that are meant; see :func:`benchmark.commands.drawn_row.draw_row`."""
    drawn_row.draw_row(
        text, "a finished row of segmentation", lambda row: row.holds_masks, _draw, **folders
    )


def _draw(subject: Subject) -> Figure:
    from benchmark.report.drawing.masks import draw_masks

    cases, dices = _cases(subject)
    return draw_masks(
        cases,
        f"{subject.row.spec.model} on {subject.prepared.name}: {len(dices)} test images, "
        f"mean Dice {dices.mean():.3f}",
    )


def _cases(subject: Subject) -> tuple[dict[str, list[Case]], np.ndarray]:
    """The best and the worst cases of the test split by name, and Dice of all of it."""
    from benchmark.data.mask_batches import LUNG
    from benchmark.data.views import open_masks, open_view
    from benchmark.records.mask_counts import packed_masks, read_mask_counts
    from benchmark.report.drawing.masks import Case
    from benchmark.scoring.overlap import dice

    row, results, prepared = subject.row, subject.results, subject.prepared
    size = row.spec.resolution
    counts = read_mask_counts(results.predictions_of(row))
    test = counts.take(counts.split == "test")
    predicted = dict(zip(*packed_masks(results.masks_path(row.spec_id)), strict=True))
    view = open_view(prepared, "test", size, "raw", subject.cache_dir)
    true = open_masks(prepared, "test", size, subject.cache_dir).images
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

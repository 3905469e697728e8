"""`cxr-bench anomaly-map`: where an anomaly screen finds images unlike normal ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.commands import drawn_row
from benchmark.commands.drawn_row import Subject
from benchmark.errors import UserError
from benchmark.protocols import of_row
from benchmark.records.row import Row
from benchmark.records.store import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.report.drawing.anomaly_maps import Case

SHOWN = 5


def draw_row(text: str, **folders: Any) -> None:
    """Draw the rows that are meant; see :func:`benchmark.commands.drawn_row.draw_row`."""
    drawn_row.draw_row(text, "a finished row of an anomaly screen", _is_screen, _draw, **folders)


def _is_screen(row: Row) -> bool:
    return bool(row.ensemble and row.ensemble.screening)


def _draw(subject: Subject) -> Figure:
    from benchmark.report.drawing.anomaly_maps import draw_anomalies

    model, withheld = subject.row.spec.model, of_row(subject.row).withheld
    return draw_anomalies(
        _cases(subject),
        f"{model} on test images of {subject.prepared.name}, never trained on {withheld}",
    )


def _member(row: Row, results: Results) -> Row:
    """The row of the network that the screen looks through."""
    (spec_id,) = row.spec.members.values()
    member = results.read_row(spec_id)
    if member is None:
        raise UserError(f"row {spec_id}, which {row.spec_id} is made from, is not here")
    return member


def _cases(subject: Subject) -> dict[str, list[Case]]:
    """The withheld images with the highest scores, and normal ones from lowest to highest."""
    from benchmark.records.anomaly_maps import read_anomaly_maps
    from benchmark.report.drawing.anomaly_maps import Case
    from benchmark.scoring.stored import predictions_of
    from benchmark.training.lung_views import open_prepared_view

    row, results = subject.row, subject.results
    test = predictions_of(results, row).part("test")
    found = read_anomaly_maps(results.anomaly_path(row.spec_id))
    if not np.array_equal(found.image_id, test.image_id.astype(str)):
        raise UserError(f"the maps of row {row.spec_id} are of other images; run it again")
    seen = _member(row, results).spec
    view = open_prepared_view(subject.prepared, "test", seen, subject.cache_dir, results)
    line = {image_id: i for i, image_id in enumerate(view.image_ids)}

    def case(k: int) -> Case:
        title = f"{Path(found.image_id[k]).stem}\nscore {found.score[k]:+.1f}, "
        title += f"confidence {found.confidence[k]:.2f}"
        return Case(view.images[line[found.image_id[k]]], found.distances[k], title)

    order = np.argsort(-found.score, kind="stable")
    anomalous = test.targets[order, 0] == 1
    normal = order[~anomalous][::-1]
    spread = np.unique(np.linspace(0, len(normal) - 1, SHOWN).round().astype(int))
    shown = {
        f"{of_row(row).withheld}, highest scores": order[anomalous][:SHOWN],
        "Normal, lowest to highest score": normal[spread],
    }
    return {name: [case(k) for k in which] for name, which in shown.items()}

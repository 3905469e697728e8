"""`cxr-bench anomaly-map`: where an anomaly screen finds images unlike normal ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmark.errors import UnknownName, UserError
from benchmark.protocols import of_row
from benchmark.records.row import Row
from benchmark.records.store import Results

if TYPE_CHECKING:
    from benchmark.data.prepared import Prepared
    from benchmark.report.anomaly_figure import Case

SHOWN = 5


def draw_row(spec_id: str, results: Path, data_dir: Path, cache_dir: Path, out: Path) -> None:
    """Write ``<spec_id>.png`` and ``.svg``; the figure shows images of the set, so it stays local.

    Raises:
        UnknownName: there is no such row of an anomaly screen.
        UserError: its maps are not here, or the set was prepared anew.
    """
    from benchmark.data.prepared import load_prepared
    from benchmark.report.anomaly_figure import draw_anomalies
    from benchmark.report.eda_style import save, styled

    stored = Results(results)
    row = _row(spec_id, stored)
    spec = row.spec
    prepared = load_prepared(spec.dataset, data_dir)
    if prepared.manifest_sha256 != spec.manifest_sha256:
        raise UserError(f"{prepared.name} was prepared anew after row {spec_id} was made")
    withheld = of_row(row).withheld
    heading = f"{spec.model} on test images of {prepared.name}, never trained on {withheld}"
    with styled():
        cases = _cases(row, stored, prepared, cache_dir)
        save(draw_anomalies(cases, heading), out / spec_id)
    click.echo(f"Figure: {out / spec_id}.png and .svg. It shows images of the set: keep it local.")


def _row(spec_id: str, results: Results) -> Row:
    by_id = {
        row.spec_id: row
        for row in results.rows()
        if row.done and row.ensemble and row.ensemble.screening
    }
    if spec_id not in by_id:
        raise UnknownName("row of an anomaly screen", spec_id, by_id)
    return by_id[spec_id]


def _member(row: Row, results: Results) -> Row:
    """The row of the network that the screen looks through."""
    (spec_id,) = row.spec.members.values()
    member = results.read_row(spec_id)
    if member is None:
        raise UserError(f"row {spec_id}, which {row.spec_id} is made from, is not here")
    return member


def _cases(
    row: Row, results: Results, prepared: Prepared, cache_dir: Path
) -> dict[str, list[Case]]:
    """The withheld images with the highest scores, and normal ones from lowest to highest."""
    from benchmark.records.anomaly_maps import read_anomaly_maps
    from benchmark.report.anomaly_figure import Case
    from benchmark.report.files import row_predictions
    from benchmark.training.lung_views import open_prepared_view

    test = row_predictions(results, row).part("test")
    found = read_anomaly_maps(results.anomaly_path(row.spec_id))
    if not np.array_equal(found.image_id, test.image_id.astype(str)):
        raise UserError(f"the maps of row {row.spec_id} are of other images; run it again")
    view = open_prepared_view(prepared, "test", _member(row, results).spec, cache_dir, results)
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

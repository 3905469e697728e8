"""Heat maps of a configuration, from its weights and the prepared images.

The only part of the report that needs Keras; it is imported when heat is computed, not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.records.door import sealed
from benchmark.records.predictions import Predictions
from benchmark.records.store import Results
from benchmark.report.drawing.grounds import save_both
from benchmark.report.files import write_asked
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.run import Run
from benchmark.report.html.figures_gradcam import Example, examples
from benchmark.report.html.gradcam_section import RECORD, VERSION, FindingHeat, HeatRecord
from benchmark.report.html.heat import heat_maps, share_inside
from benchmark.scoring.part import Part
from benchmark.scoring.stored import predictions_of
from benchmark.training.schemes import why_no_network
from benchmark.training.starting_weights import check_saved_weights

if TYPE_CHECKING:
    import keras

    from benchmark.data.prepared import Prepared

KINDS = {"true positive": (1, 1), "false positive": (0, 1), "false negative": (1, 0),
         "true negative": (0, 0)}  # fmt: skip
"""What an example is called: (truth, decision at the frozen threshold)."""
SHOWN = 4
Sides = dict[str, float]
"""A box: x, y, w and h as fractions of the side."""


@dataclass(frozen=True)
class Sources:
    """Where weights, images and model files are.

    Attributes:
        private: also show images that may not be passed on.
    """

    results: Results
    data_dir: Path
    cache_dir: Path
    models_dirs: tuple[Path, ...] = ()
    private: bool = False


def explain(configuration: Configuration, sources: Sources, folder: Path) -> None:
    """Write the heat maps of a configuration's first run, or why there are none, to a folder."""
    run = configuration.runs[0]
    record = HeatRecord(
        version=VERSION,
        spec_id=run.row.spec_id,
        seed=run.row.spec.seed,
        predictions_sha256=run.scores.predictions_sha256,
        private=not run.row.dataset.redistributable,
    )
    try:
        record = _explain(run, sources, folder, record)
    except UserError as error:
        record = replace(record, problem=str(error))
    write_asked(folder / RECORD, sealed(record))


def _explain(run: Run, sources: Sources, folder: Path, record: HeatRecord) -> HeatRecord:
    if record.private and not sources.private:
        raise UserError("the images of this set may not be passed on, so they are left out")
    prepared, images, image_ids, model = _opened(run, sources)
    test = predictions_of(sources.results, run.row).part("test")
    place = {image_id: k for k, image_id in enumerate(image_ids)}
    if not set(test.image_id) <= set(place):
        raise UserError("the test images of this protocol are not those of the set's test split")
    pixels = images[np.array([place[image_id] for image_id in test.image_id])]
    decisions = Part.scored(test, run.scores.thresholds).decisions
    heat, findings = None, []
    for column, finding in enumerate(test.findings):
        boxes = published_boxes(prepared, run, finding)
        chosen = _choose(test, decisions[:, column], column, boxes)
        lines = sorted({*chain(*chosen.values()), *_boxed(test, column, boxes)})
        heat = heat_maps(model, pixels[lines], column)
        maps = dict(zip(lines, heat.maps, strict=True))
        name = f"finding-{column}"
        shown = {
            kind: [_example(test, column, line, pixels[line], maps[line], boxes) for line in of]
            for kind, of in chosen.items()
            if of
        }
        save_both(partial(examples, shown), folder / name)
        shares = [
            share_inside(maps[line], boxes[str(test.image_id[line])])
            for line in _boxed(test, column, boxes)
        ]
        none = [kind for kind in KINDS if kind not in shown]
        findings.append(_finding_heat(finding, name, none, shares))
    told = {"method": heat.method, "layer": heat.layer, "map": heat.cells} if heat else {}
    return replace(record, findings=tuple(findings), **told)


def _opened(run: Run, sources: Sources) -> tuple[Prepared, np.ndarray, np.ndarray, keras.Model]:
    """Data set, test images (uint8), their ids, and the network with the run's weights."""
    from benchmark.data.prepared import load_prepared
    from benchmark.models import create, discover
    from benchmark.protocols import find

    spec = run.row.spec
    model_file = discover(sources.models_dirs).get(spec.model)
    if model_file is None or model_file.problem:
        raise UserError(f"the model file of {spec.model} is not here, or cannot be read")
    if spec.no_test:
        raise UserError("it left the test images alone, and these are of test images")
    if model_file.card["inputs"] != "image":
        raise UserError("this model sees no image")
    if why := why_no_network(spec.scheme):
        raise UserError(why)
    weights = sources.results.weights_path(run.row.spec_id)
    if not weights.is_file():
        raise UserError(f"its weights are not on this machine ({weights.name})")
    check_saved_weights(run.row, weights)
    if model_file.version != run.row.code.get("model"):
        raise UserError("its model file has changed since the run")
    prepared = load_prepared(spec.dataset, sources.data_dir)
    prepared = find(spec.protocol).apply(prepared)
    if prepared.manifest_sha256 != spec.manifest_sha256:
        raise UserError(f"{spec.dataset} was prepared anew since the run")

    import keras

    from benchmark.training.lung_views import open_prepared_view
    from benchmark.training.network import load_weights

    view = open_prepared_view(prepared, "test", spec, sources.cache_dir, sources.results)
    keras.config.set_dtype_policy("float32")
    model = create(model_file, spec.resolution, prepared.task, spec.normalisation)
    load_weights(keras.Model(model.inputs, model.outputs), weights)
    return prepared, view.images, view.image_ids, model


def _choose(
    test: Predictions, decided: np.ndarray, column: int, boxes: dict[str, list]
) -> dict[str, list[int]]:
    """Lines of the examples of each kind: those with boxes first, then by a hash of their id."""
    chosen = {}
    for kind, (truth, decision) in KINDS.items():
        lines = np.flatnonzero((test.targets[:, column] == truth) & (decided == decision))
        ids = {line: str(test.image_id[line]) for line in lines.tolist()}
        order = sorted(ids, key=lambda line: (ids[line] not in boxes, sha256(ids[line].encode())))
        chosen[kind] = order[:SHOWN]
    return chosen


def _boxed(test: Predictions, column: int, boxes: dict[str, list]) -> list[int]:
    positive = np.flatnonzero(test.targets[:, column] == 1).tolist()
    return [line for line in positive if str(test.image_id[line]) in boxes]


def published_boxes(
    prepared: Prepared, run: Run, finding: str
) -> dict[str, list[dict[str, float]]]:
    """image_id -> the published boxes of a finding, as fractions of the side.

    Boxes are in pixels of the images as published: none where these vary in size, or where the
    pixels have moved since.
    """
    from benchmark.data import preprocessing

    size = prepared.facts.original_size
    if not size or not preprocessing.find(run.row.spec.preprocessing).keeps_geometry:
        return {}
    found: dict[str, list[Sides]] = {}
    for box in prepared.facts.boxes:
        if box.finding == finding:
            sides = {side: getattr(box, side) / size for side in "xywh"}
            found.setdefault(box.image_id, []).append(sides)
    return found


def _example(
    test: Predictions,
    column: int,
    line: int,
    pixels: np.ndarray,
    heat: np.ndarray,
    boxes: dict[str, list[Sides]],
) -> Example:
    probability = float(test.probabilities[line, column])
    drawn = boxes.get(str(test.image_id[line]), [])
    inside = share_inside(heat, drawn)[0] if drawn else None
    return Example(pixels, heat, probability, drawn, inside)


def _finding_heat(
    finding: str, figure: str, none: list[str], shares: list[tuple[float | None, float]]
) -> FindingHeat:
    """With means over the images with boxes on which there is heat."""
    known = [(inside, area) for inside, area in shares if inside is not None]
    inside, area = np.mean(known, axis=0).round(4).tolist() if known else (None, None)
    return FindingHeat(
        finding=finding,
        figure=figure,
        none=none,
        boxed=len(known),
        heat_inside=inside,
        area_inside=area,
    )

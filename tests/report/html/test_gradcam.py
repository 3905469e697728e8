"""Heat maps: against an analytic case, and from a prepared set with weights to the page."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from benchmark.data.facts import FACTS, Box
from benchmark.hashing import sha256_of_file
from benchmark.records.door import read_record
from benchmark.records.row import Row
from benchmark.report.gathering.gather import gather
from benchmark.report.html import gradcam, row_figures
from benchmark.report.html.gradcam import Sources, explain
from benchmark.report.html.gradcam_section import RECORD, HeatRecord, gradcam_section
from benchmark.report.html.heat import heat_maps, share_inside
from benchmark.report.html.names import file_name
from benchmark.report.html.site import write_site
from benchmark.report.render import html
from tests.records.rows import resealed

SIZE = 32


def wrapped(network, size: int):
    """The network as ``benchmark.models.create`` hands it out."""
    import keras

    from benchmark.models._normalisation import Normalisation

    images = keras.Input((size, size, 1))
    return keras.Model(images, network(Normalisation("unit", 1, name="normalisation")(images)))


def test_with_average_pooling_heat_is_the_class_activation_map():
    """There the gradient is known: Grad-CAM is the weighted sum of the maps (Zhou et al. 2016)."""
    import keras

    keras.utils.set_random_seed(1)
    pixels = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(5, 3, strides=2, padding="same", name="maps")(pixels)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    network = keras.Model(pixels, keras.layers.Dense(2, name="logits")(pooled))
    network.trainable = False  # as a frozen backbone
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16)).astype(np.uint8)
    heat = heat_maps(wrapped(network, 16), images, 1)
    assert (heat.method, heat.layer, heat.cells) == ("Grad-CAM", "maps", (8, 8))
    features = keras.Model(pixels, maps).predict(images[..., None] / np.float32(255), verbose=0)
    weights = network.get_layer("logits").get_weights()[0][:, 1]
    expected = np.maximum(features @ weights, 0)[..., None]
    expected = keras.ops.convert_to_numpy(keras.ops.image.resize(expected, (16, 16)))[..., 0]
    expected /= expected.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(heat.maps, expected, atol=1e-5)


def test_where_the_map_is_flattened_heat_is_what_each_place_adds_to_the_logit():
    """One weight a channel, as Grad-CAM has it, would be the mean of weights of either sign."""
    import keras

    keras.utils.set_random_seed(2)
    pixels = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(3, 3, strides=2, padding="same", name="maps")(pixels)
    flat = keras.layers.Flatten()(maps)
    network = keras.Model(pixels, keras.layers.Dense(1, name="logits")(flat))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16)).astype(np.uint8)
    heat = heat_maps(wrapped(network, 16), images, 0)
    assert (heat.method, heat.cells) == ("HiResCAM", (8, 8))
    features = keras.Model(pixels, maps).predict(images[..., None] / np.float32(255), verbose=0)
    weights = network.get_layer("logits").get_weights()[0].reshape(8, 8, 3)
    added = (features * weights).sum(axis=-1, keepdims=True)
    expected = np.maximum(added, 0)
    expected = keras.ops.convert_to_numpy(keras.ops.image.resize(expected, (16, 16)))[..., 0]
    expected /= expected.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(heat.maps, expected, atol=1e-5)


def test_a_map_too_coarse_to_point_anywhere_is_passed_over():
    import keras

    pixels = keras.Input((16, 16, 1))
    fine = keras.layers.Conv2D(3, 3, strides=4, padding="same", name="fine")(pixels)
    coarse = keras.layers.Conv2D(3, 3, strides=2, padding="same", name="coarse")(fine)
    flat = keras.layers.Flatten()(coarse)
    network = keras.Model(pixels, keras.layers.Dense(1, name="logits")(flat))
    images = np.zeros((1, 16, 16), np.uint8)
    heat = heat_maps(wrapped(network, 16), images, 0)
    assert (heat.layer, heat.cells) == ("fine", (4, 4))


def test_share_of_heat_inside_boxes():
    heat = np.zeros((4, 4))
    heat[0, 0], heat[3, 3], heat[1, 1] = 1, 2, 1
    corner = {"x": 0, "y": 0, "w": 0.5, "h": 0.5}
    assert share_inside(heat, [corner]) == (0.5, 0.25)
    overlapping = {"x": 0, "y": 0, "w": 0.25, "h": 1}
    assert share_inside(heat, [corner, overlapping]) == (0.5, 6 / 16)
    assert share_inside(np.zeros((4, 4)), [corner]) == (None, 0.25)


@pytest.fixture
def explained(phantom, results, add, make_protocol):
    """A row of an untrained CNN on the phantom, its predictions and weights, and the sources."""
    import keras

    from benchmark.models import create, discover
    from benchmark.records.predictions import Predictions, link
    from tests.records.written import write_predictions

    prepared, data_dir, cache_dir = phantom
    model_file = discover()["cnn"]
    row = add(
        "cnn",
        kind=prepared.task.kind,
        spec={
            "dataset": prepared.name,
            "manifest_sha256": prepared.manifest_sha256,
            "resolution": SIZE,
        },
        shared=make_protocol(prepared.name, prepared.task.findings),
        counts=prepared.counts,
    )
    manifest = prepared.manifest()
    logits = np.random.default_rng(0).normal(size=(len(manifest), len(prepared.task.findings)))
    content = Predictions(
        prepared.task.findings,
        prepared.task.kind,
        **{n: manifest[n].to_numpy() for n in ("split", "image_id", "patient_id", "sex", "view")},
        age=manifest["age"].to_numpy(),
        targets=manifest[[f"target:{f}" for f in prepared.task.findings]].to_numpy(float),
        logits=logits.astype(np.float32),
        probabilities=link(logits, prepared.task.kind),
    )
    digest = write_predictions(results.predictions_path(row.spec_id), content)
    row = replace(row, predictions_sha256=digest)
    results.write_row(row)
    keras.utils.set_random_seed(0)
    model = create(model_file, SIZE, prepared.task, "unit")
    results.weights_path(row.spec_id).parent.mkdir()
    keras.Model(model.inputs, model.outputs).save_weights(results.weights_path(row.spec_id))
    return row, Sources(results, data_dir, cache_dir)


@pytest.fixture
def undrawn(monkeypatch):
    """Heat is computed and not drawn."""
    monkeypatch.setattr(gradcam, "save_both", lambda *_: None)


def only_the_first(save_both):
    """Save the figure of the first finding alone."""
    return lambda draw, path: save_both(draw, path) if path.name == "finding-0" else None


def not_to_be_passed_on(row: Row) -> Row:
    return replace(row, dataset=replace(row.dataset, redistributable=False))


def of_other_images(row: Row, results) -> Row:
    """The same as if the set had been prepared anew since."""
    spec = replace(row.spec, manifest_sha256="0" * 64)
    made = replace(row, spec=spec, spec_id=spec.spec_id, config_id=spec.config_id)
    for path in (results.predictions_path, results.weights_path):
        path(row.spec_id).rename(path(made.spec_id))
    results.remove_row(row.spec_id)
    return made


def record_of(row, sources, folder) -> HeatRecord:
    """The record after explaining the only configuration."""
    (table,) = gather(sources.results)
    explain(table.configurations[0], sources, folder)
    return read_record(folder / RECORD, HeatRecord, "")


def with_boxes(data_dir, prepared, row, results, tmp_path):
    """A copy of the data folder in which one positive test image has a box, its upper half."""
    manifest = prepared.manifest()
    finding = prepared.task.findings[0]
    positive = manifest[(manifest["split"] == "test") & (manifest[f"target:{finding}"] == 1)]
    box = {"image_id": positive["image_id"].iloc[0], "finding": finding}
    copied = shutil.copytree(data_dir, tmp_path / "data")
    metadata = copied / prepared.path.relative_to(data_dir) / "metadata.json"
    facts = json.loads(metadata.read_bytes())
    side = float(facts["original_size"])
    facts["boxes"] = [box | {"x": 0.0, "y": 0.0, "w": side, "h": side / 2}]
    metadata.write_text(json.dumps(facts))
    derived, digest = metadata.with_name(FACTS), sha256_of_file(metadata)
    told = resealed(derived.read_bytes(), lambda v: v.update(metadata_sha256=digest))
    derived.write_bytes(told)
    return copied


def test_from_weights_and_images_to_the_page(explained, phantom, tmp_path, monkeypatch):
    # Drawing takes time: one figure stands for all.
    monkeypatch.setattr(row_figures, "save_both", lambda *_: None)
    monkeypatch.setattr(gradcam, "save_both", only_the_first(gradcam.save_both))
    row, sources = explained
    prepared, data_dir, cache_dir = phantom
    copied = with_boxes(data_dir, prepared, row, sources.results, tmp_path)
    sources = Sources(sources.results, copied, cache_dir)
    out = tmp_path / "site"
    folder = out / "gradcam" / file_name(row.config_id)
    record = record_of(row, sources, folder)
    assert record.problem == ""
    assert [each.finding for each in record.findings] == list(prepared.task.findings)
    assert record.findings[0].boxed == 1
    assert record.findings[0].area_inside == 0.5
    assert 0 <= record.findings[0].heat_inside <= 1
    assert record.findings[1].boxed == 0
    write_site(sources.results, out)
    text = (out / "rows" / f"{row.config_id}.html").read_text()
    assert "HiResCAM; this network flattens its map) of seed 0" in text
    assert "the boxes cover 0.500 of the image" in text
    assert (folder / f"{record.findings[0].figure}.png").is_file()
    for each in record.findings:
        assert f"gradcam/{row.config_id}/{each.figure}-dark.svg" in text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("agreement", "may not be passed on"),
        ("weights", "weights are not on this machine"),
        ("model", "model file has changed"),
        ("data", "is not prepared in"),
        ("manifest", "prepared anew"),
    ],
)
def test_without_what_it_needs_the_page_says_why(explained, tmp_path, fault, said):
    row, sources = explained
    results = sources.results
    if fault == "agreement":
        old = results.predictions_path(row.spec_id)
        row = not_to_be_passed_on(row)
        private = results.predictions_path(row.spec_id, redistributable=False)
        private.parent.mkdir()
        old.rename(private)
    elif fault == "weights":
        results.weights_path(row.spec_id).unlink()
    elif fault == "model":
        row = replace(row, code=row.code | {"model": "0"})
    elif fault == "data":
        sources = Sources(results, tmp_path, sources.cache_dir)
    else:
        row = of_other_images(row, results)
    results.write_row(row)
    record = record_of(row, sources, tmp_path / "maps")
    assert said in record.problem
    assert record.findings == ()
    (table,) = gather(results)
    section = gradcam_section(table.configurations[0], tmp_path / "maps", "maps")
    assert said in html.blocks(section)


@pytest.mark.usefixtures("undrawn")
def test_images_under_an_agreement_are_shown_only_on_request(explained, tmp_path):
    row, sources = explained
    results = sources.results
    row = not_to_be_passed_on(row)
    private = results.predictions_path(row.spec_id, redistributable=False)
    private.parent.mkdir()
    results.predictions_path(row.spec_id).rename(private)
    results.write_row(row)
    asked = Sources(results, sources.data_dir, sources.cache_dir, private=True)
    assert record_of(row, asked, tmp_path).findings
    (table,) = gather(results)
    section = html.blocks(gradcam_section(table.configurations[0], tmp_path, "maps"))
    assert "keep this site on your machine" in section


@pytest.mark.usefixtures("undrawn")
def test_maps_of_other_predictions_are_not_shown(explained, tmp_path):
    row, sources = explained
    record_of(row, sources, tmp_path)
    path = tmp_path / RECORD
    path.write_bytes(resealed(path.read_bytes(), lambda v: v.update(predictions_sha256="0" * 64)))
    (table,) = gather(sources.results)
    section = html.blocks(gradcam_section(table.configurations[0], tmp_path, "maps"))
    assert "of other predictions" in section
    assert "<img" not in section


@pytest.mark.parametrize(
    ("preprocessing", "original_size", "expected"),
    [
        ("raw", 2048, {"a": [{"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.0625}]}),
        ("lung_masked", 2048, {"a": [{"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.0625}]}),
        ("lung_cropped", 2048, {}),
        ("raw", 0, {}),
    ],
)
def test_boxes_are_shares_of_the_published_size_where_nothing_moved(
    add, preprocessing, original_size, expected
):
    box = Box(image_id="a", finding="pneumonia", x=512, y=1024, w=256, h=128)
    facts = SimpleNamespace(boxes=[box], original_size=original_size)
    run = SimpleNamespace(row=add("cnn", spec={"preprocessing": preprocessing}))
    prepared = SimpleNamespace(facts=facts)
    assert gradcam.published_boxes(prepared, run, "pneumonia") == expected
    assert gradcam.published_boxes(prepared, run, "effusion") == {}

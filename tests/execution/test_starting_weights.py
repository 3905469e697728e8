"""What a plan says of weights before anything is trained: there, missing, or not to be trusted."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from msgspec.structs import replace

from benchmark.data.audit.between import Seen
from benchmark.data.prepared import MANIFEST, load_prepared, prepared_as
from benchmark.hashing import sha256_of_file
from benchmark.kinds.ancestry import overlaps
from benchmark.planning.cost import nominal_seconds
from benchmark.training import published
from benchmark.training.starting_weights import (
    check_saved_weights,
    not_as_published,
    remove_superseded,
)
from benchmark.training.weight_files import MissingWeights
from tests.data.claimed_sets import claim, some_facts, some_lines
from tests.execution.conftest import Bench, make_suite, write_row
from tests.execution.weight_files import CARD, write_tiny


@pytest.fixture
def bench(phantom, tmp_path, monkeypatch):
    """A bench with the model ``tiny`` and no weight file yet."""
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.py").write_text(CARD)
    return Bench(phantom, tmp_path / "results", [tmp_path / "models"])


def one(bench, scheme, weights="", **options):
    suite = make_suite(["tiny"], scheme=[scheme], weights=[weights], **options)
    *_, planned = bench.plan(suite).specs
    return planned


def continued(bench, source, **options):
    return one(bench, "continue", f"from:{source.spec_id}", **options)


def pretend(bench, spec, status="done", **changes):
    """Pretend that a spec was run, on whichever set it names."""
    prepared = dataclasses.replace(bench.prepared, name=spec.dataset)
    planned = dataclasses.replace(one(bench, "scratch"), spec=spec, prepared=prepared)
    return write_row(bench.results, planned, status, **changes)


def weights_of(bench, spec):
    """Pretend that a spec was run and saved its weights."""
    path = bench.results.weights_path(spec.spec_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights of " + spec.spec_id.encode())
    pretend(bench, spec, weights_sha256=sha256_of_file(path))
    return path


def test_missing_weights_refuse_the_spec_and_nothing_else(bench):
    suite = make_suite(["tiny", "linear"], scheme=["scratch", "frozen"])
    plan = bench.plan(suite)
    assert sorted(p.spec.model for p in plan.to_run()) == ["linear", "tiny"]
    reasons = {p.spec.model: p.refusal for p in plan.specs if p.refusal}
    assert "no tiny_notop.h5 in" in reasons["tiny"]
    assert "--weights-dir" in reasons["tiny"]
    assert "no weights are published for model linear" in reasons["linear"]


def test_the_bytes_of_the_weights_are_in_the_id(bench, tmp_path):
    path = write_tiny(tmp_path / "weights")
    first = one(bench, "frozen").spec
    assert first.weights_sha256 == sha256_of_file(path)
    write_tiny(tmp_path / "weights", seed=1)
    assert one(bench, "frozen").spec.spec_id != first.spec_id


@pytest.mark.parametrize(("scheme", "specs"), [("scratch", 2), ("frozen", 1)])
def test_a_frozen_spec_has_no_augmentation(bench, scheme, specs):
    suite = make_suite(["tiny"], scheme=[scheme], augmentation=["none", "standard"])
    found = [p.spec.augmentation for p in bench.plan(suite).specs]
    assert found == ["none", "standard"][:specs]


def test_a_refusal_ends_when_the_weights_arrive(bench, tmp_path):
    plan = bench.plan(make_suite(["tiny"], scheme=["frozen"]))
    assert bench.run(plan) == {"not_runnable": 1}
    write_tiny(tmp_path / "weights")
    plan = bench.plan(make_suite(["tiny"], scheme=["frozen"]))
    assert len(plan.to_run()) == 1
    remove_superseded([p.spec for p in plan.specs], bench.results)
    assert list(bench.results.rows()) == []


def test_a_spec_that_was_done_stays_done_when_its_weights_are_gone(bench, tmp_path):
    write_tiny(tmp_path / "weights")
    done = one(bench, "frozen")
    write_row(bench.results, done)
    shutil.rmtree(tmp_path / "weights")
    plan = bench.plan(make_suite(["tiny"], scheme=["frozen"]), rerun="all")
    assert [p.spec.spec_id for p in plan.specs] == [done.spec.spec_id]
    assert plan.summary() == {"done": 1}
    assert plan.to_run() == plan.refused() == []


def test_a_row_to_continue_from_must_be_there_with_its_weights(bench):
    source = one(bench, "scratch").spec
    assert f"no row {source.spec_id}" in continued(bench, source).refusal
    pretend(bench, source)
    assert continued(bench, source).refusal is None, "its weights are saved anew before"
    weights_of(bench, source)
    found = continued(bench, source)
    assert found.refusal is None
    assert found.spec.required_ids == {"weights": source.spec_id}
    assert found.spec.weights_sha256 is None, "which row they are of says which they are"
    pretend(bench, source, "failed")
    assert "it is failed" in continued(bench, source).refusal


def test_saved_weights_that_changed_are_not_continued_but_saved_anew(bench):
    source = one(bench, "scratch").spec
    weights = weights_of(bench, source)
    weights.write_bytes(b"others")
    assert continued(bench, source).refusal is None
    with pytest.raises(MissingWeights, match=f"is not what row {source.spec_id} saved"):
        check_saved_weights(bench.results.read_row(source.spec_id), weights)


@pytest.mark.parametrize(
    ("other", "fault"),
    [({"size": 24}, "resolution 16, this spec 24"), ({"normalisation": ["own"]}, "normalisation")],
)
def test_weights_are_continued_with_the_same_input_only(bench, other, fault):
    source = one(bench, "scratch").spec
    weights_of(bench, source)
    assert fault in continued(bench, source, **other).refusal


def test_a_frozen_spec_is_priced_by_one_pass(bench, tmp_path):
    write_tiny(tmp_path / "weights")
    options = {"size": 224, "recipe": {"epochs": 10}}
    prices = {
        scheme: nominal_seconds(
            one(bench, scheme, **options).spec, {"gmacs_224": 4.0}, bench.prepared.counts
        )
        for scheme in ("scratch", "frozen", "linear_probe", "knn")
    }
    assert prices["frozen"] == prices["linear_probe"] == prices["knn"] < prices["scratch"] / 10


def test_weights_that_are_not_the_published_ones_are_watermarked(bench, tmp_path, monkeypatch):
    path = write_tiny(tmp_path / "weights")
    spec = one(bench, "frozen").spec

    def marks():
        return not_as_published(spec, [path])

    assert marks() == []
    monkeypatch.setattr(published, "PUBLISHED", {path.name: ("", "0" * 32)})
    assert marks() == ["weights that are not the published ones: tiny_notop.h5"]


@pytest.fixture
def other_split(bench):
    """``thorax_phantom/other``: the same images, of which test is what was train."""
    mine = bench.prepared
    folder = mine.path.parents[1] / "other" / mine.version
    swapped = {"train": "test", "test": "train", "validation": "validation"}
    manifest = mine.manifest().copy()
    claim(folder, manifest.assign(split=manifest["split"].map(swapped)), mine.facts)
    yield load_prepared("thorax_phantom/other", mine.path.parents[2])
    shutil.rmtree(folder.parent)


def continuing(bench, source, **changes):
    """A spec on the small phantom that continues from ``source``."""
    weights = f"from:{source.spec_id}"
    return replace(one(bench, "scratch").spec, scheme="continue", weights=weights, **changes)


def seen(bench, source, **changes):
    """What is said of a spec on the small phantom that continues from ``source``."""
    pretend(bench, source)
    return marks_of(continuing(bench, source, **changes), bench)


def marks_of(spec, bench, prepared=None):
    """Why the network of a spec may know test images of a set, of the small phantom by default."""
    found = overlaps(spec, prepared or bench.prepared, bench.results, bench.cache_dir)
    return [mark for each in found for mark in each.marks]


def elsewhere(bench, prepared, **changes):
    """A spec on another split."""
    spec = one(bench, "scratch").spec
    values = {"dataset": prepared.name, "manifest_sha256": prepared.manifest_sha256}
    return replace(spec, **values | changes)


def test_weights_of_the_same_split_have_not_seen_its_test_images(bench):
    assert seen(bench, one(bench, "scratch").spec) == []


def test_weights_that_learnt_from_test_patients_are_told(bench, other_split):
    (reason,) = seen(bench, elsewhere(bench, other_split))
    n = bench.prepared.counts["test"].images
    assert f"trained on thorax_phantom/other: {n} of {n} test images" in reason
    assert "are among the images it was trained on" in reason


def test_weights_of_another_patients_are_not_told(bench, other_split):
    strange = {n: "q" + other_split.manifest()[n].astype(str) for n in ("patient_id", "sha256")}
    shutil.rmtree(other_split.path)
    claim(other_split.path, other_split.manifest().assign(**strange), other_split.facts)
    others = load_prepared(other_split.name, bench.data_dir)
    assert seen(bench, elsewhere(bench, others)) == []


def test_the_same_image_in_another_builders_set_is_told(bench, other_split):
    folder = bench.data_dir / "image_folder" / "mine" / "1.0.0"
    shutil.copytree(other_split.path, folder)
    (reason,) = seen(bench, elsewhere(bench, other_split, dataset="image_folder/mine"))
    assert "are among the images it was trained on" in reason
    shutil.rmtree(folder.parents[1])


@pytest.mark.parametrize("dataset", ["thorax_phantom/other", "padchest/other"])
def test_images_that_are_not_here_are_told(bench, other_split, dataset):
    gone = elsewhere(bench, other_split, dataset=dataset, manifest_sha256="f" * 64)
    (reason,) = seen(bench, gone)
    assert "not here, so that nobody looked" in reason


def test_the_version_that_was_trained_on_is_compared_not_the_newest(bench, other_split):
    newer = other_split.manifest().assign(patient_id="nobody", sha256="nothing")
    claim(other_split.path.with_name("1.0.1"), newer, other_split.facts)
    assert load_prepared(other_split.name, bench.data_dir).version == "1.0.1"
    (reason,) = seen(bench, elsewhere(bench, other_split))
    assert "are among the images it was trained on" in reason


def test_likely_copies_are_told_of_starting_weights(bench, other_split, monkeypatch):
    strange = other_split.manifest().assign(patient_id="nobody", sha256="nothing")
    shutil.rmtree(other_split.path)
    claim(other_split.path, strange, other_split.facts)
    others = load_prepared(other_split.name, bench.data_dir)
    monkeypatch.setattr(
        "benchmark.kinds.ancestry.copies_between",
        lambda *_: Seen(looked_at=[], surely=2, perhaps=3),
    )
    sure, likely = seen(bench, elsewhere(bench, others))
    assert "2 of" in sure
    assert "are among the images it was trained on, as they are or saved anew" in sure
    assert "3 of" in likely
    assert "look like copies" in likely


OWN = {"options": {}}
UNKNOWN = {"patients_unknown": True}


@pytest.mark.parametrize(
    ("trained", "tested", "theirs", "ours", "told"),
    [
        ("image_folder/mine", "image_folder/mine", OWN, OWN, True),
        ("image_folder/mine", "image_folder/yours", OWN, OWN, False),
        ("image_folder/mine", "image_folder/mine", OWN | UNKNOWN, OWN, False),
        ("image_folder/mine", "image_folder/mine", OWN, OWN | UNKNOWN, False),
        ("toy/one", "toy/other", {}, {}, True),
        ("toy/one", "toy/other", UNKNOWN, UNKNOWN, False),
        ("toy/one", "game/one", {}, {}, False),
    ],
)
def test_ids_of_patients_are_compared_where_they_mean_the_same_people(
    bench, tmp_path, trained, tested, theirs, ours, told
):
    """Both sets use the same ids, and no image is in both."""
    lines = some_lines()
    sets = []
    for name, version, facts in ((trained, "1.0.0", theirs), (tested, "1.0.1", ours)):
        folder = tmp_path / "data" / name / version
        files = [f"{name} {version} {image}" for image in lines["image_id"]]
        facts = some_facts("Mass", "Nodule", simulated=True, **facts)
        claim(folder, lines.assign(sha256=files, patient_id=lines["image_id"].str[-3:]), facts)
        sets.append(prepared_as(name, tmp_path / "data", sha256_of_file(folder / MANIFEST)))
    earlier, prepared = sets
    source = elsewhere(bench, earlier)
    pretend(bench, source)
    where = {"dataset": prepared.name, "manifest_sha256": prepared.manifest_sha256}
    found = marks_of(continuing(bench, source, **where), bench, prepared)
    assert bool(found) == told
    assert all("6 of 6 test images have patient ids it was trained on" in mark for mark in found)


def test_another_protocol_of_the_same_images_is_told(bench):
    legacy = replace(one(bench, "scratch").spec, protocol="legacy_s3")
    assert "under another protocol" in seen(bench, legacy)[0]


def test_weights_are_followed_to_where_they_began(bench, other_split):
    first = elsewhere(bench, other_split)
    pretend(bench, first)
    second = continuing(bench, first)
    (reason,) = seen(bench, second)
    assert first.spec_id in reason
    bench.results.remove_row(first.spec_id)
    assert "is gone" in seen(bench, second)[0]

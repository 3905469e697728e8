"""Models that see no image stand beside the networks under a legacy protocol, too."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import load_prepared
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.protocols import find
from benchmark.report.gathering.gather import gather
from tests.data.claimed_sets import claim, some_facts, some_lines
from tests.ensembles.conftest import Workbench
from tests.execution.conftest import make_suite
from tfds_builders.image_folder.fake_raw import write_folders

MODELS = ["constant", "linear"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A set of one finding, which is rare."""
    raw, data, cache, results = (tmp_path_factory.mktemp(name) for name in "rdco")
    write_folders(raw, patients=80, size=32)
    for path in sorted((raw / "EFFUSION").iterdir())[8:]:
        path.unlink()
    binary = prepare(find_dataset("image_folder/effusions"), data, raw)
    return Workbench((binary, data, cache), results)


def plan(bench, protocol, policies):
    name = bench.prepared.name
    suite = make_suite(MODELS, datasets=[f"{name}@{protocol}"], imbalance=policies)
    return make_plan([suite], PlanInputs(discover(), {name: bench.prepared}, bench.results))


def test_where_copies_are_made_first_the_constant_is_asked_about_the_same_images(bench):
    made = plan(bench, "legacy_s3", ["copies_s3"])
    assert {p.spec.model: p.spec.imbalance for p in made.specs} == dict.fromkeys(
        MODELS, "copies_s3"
    )
    assert bench.run(made) == {"done": 2}
    rows = {row.spec.model: row for row in bench.results.rows()}
    assert rows["constant"].protocol == rows["linear"].protocol
    assert rows["constant"].counts == rows["linear"].counts
    assert rows["constant"].code["imbalance"] == rows["linear"].code["imbalance"]
    (table,) = gather(bench.results)
    assert {c.spec.model for c in table.configurations} == set(MODELS)


def test_a_policy_for_another_task_is_refused_before_anything_is_run(tmp_path):
    """Copies as S3 made them are for binary tasks."""
    classes = ("Normal", "Bacterial", "Viral")
    facts = some_facts(*classes, kind="multiclass")
    claim(tmp_path / "some/set" / "1.0.0", some_lines(20, *classes), facts)
    prepared = load_prepared("some/set", tmp_path)
    bench = Workbench((prepared, tmp_path, tmp_path / "cache"), tmp_path / "results")
    made = plan(bench, "legacy_s3", ["copies_s3"])
    assert made.specs
    assert all("copies_s3" in p.refusal for p in made.specs)


def test_each_policy_is_another_test_set_where_copies_are_made_first_and_none_elsewhere(bench):
    def constants(protocol):
        specs = [p.spec for p in plan(bench, protocol, ["none", "copies_s3"]).specs]
        return [spec.imbalance for spec in specs if spec.model == "constant"]

    assert constants("legacy_s3") == ["none", "copies_s3"]
    assert constants("legacy_s1") == constants("published") == [""]


def test_no_policy_makes_no_copies(bench):
    protocol = find("legacy_s3")

    def ids(policy):
        data = protocol.data(SimpleNamespace(imbalance=policy), bench.prepared)
        return {split: each.part.image_id.tolist() for split, each in data.items()}

    assert ids("") == ids("none") != ids("copies_s3")

"""Attribute prediction: who is asked what, what is refused, and a suite of it up to the tables."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from msgspec import structs

from benchmark.data.prepared import SPLITS, Prepared, load_prepared
from benchmark.errors import UnknownName, UserError
from benchmark.kinds.external_run import Origin, read_entry
from benchmark.kinds.external_validation_run import evaluate
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.protocols import find, probe, spec_data
from benchmark.records.facts import ProbeFacts, SplitCounts
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
from benchmark.scoring.publishing import publish
from benchmark.scoring.stored import stored_scores
from benchmark.spec import PUBLISHED
from benchmark.suites.axes import DEFAULTS
from benchmark.suites.files import load_suite
from benchmark.suites.suite import Suite
from tests.data.claimed_sets import claim
from tests.ensembles.conftest import Workbench
from tests.execution.conftest import ENVIRONMENT

NAME = "thorax_phantom/small"


@pytest.fixture
def people(tmp_path):
    """A prepared set of which only the manifest exists: 40 patients a split, two images each."""
    n = 80
    patients = np.arange(n) // 2
    frame = pd.DataFrame(
        {
            "split": np.repeat(SPLITS, n),
            "patient_id": [f"{split}{p}" for split in SPLITS for p in patients],
            "age": np.tile(np.where(patients < 20, 30, 50), 3),
            "sex": np.tile(np.where(patients % 2 == 0, "F", "M"), 3),
            "view": np.tile(np.array(["AP", "PA", "L"])[patients % 3], 3),
            "label_source": "simulation",
            "sha256": "0" * 64,
            "width": 8,
            "height": 8,
            "target:Nodule": np.tile(patients % 2, 3),
            "labelled:Nodule": 1,
        }
    )
    frame.insert(0, "image_id", [f"image{i}" for i in range(3 * n)])
    claim(folder := tmp_path / "toy" / "people" / "1.0.0", frame)
    return frame, folder


def saved(people, **columns) -> Prepared:
    """The set with other columns."""
    frame, folder = people
    shutil.rmtree(folder)
    claim(folder, frame.assign(**columns))
    return load_prepared("toy/people", folder.parents[2])


def under(protocol, prepared) -> Prepared:
    return find(protocol).apply(prepared)


def images_of(asked):
    return find(f"probe:{asked.facts.probe.field}").data(None, asked)


def test_two_values_are_a_binary_task_on_the_same_images_and_splits(people):
    whole = saved(people)
    asked = under("probe:sex", whole)
    data = images_of(asked)
    assert asked.task.findings == ("sex M",)
    for split in SPLITS:
        part, own = data[split].part, whole.part(split)
        np.testing.assert_array_equal(part.image_id, own.image_id)
        np.testing.assert_array_equal(part.targets[:, 0] == 1, own.sex == "M")
        assert part.labelled.all()
        assert asked.counts[split] == SplitCounts(images=80, patients=40, positives={"sex M": 40})
    assert asked.derived.test_digest != whole.derived.test_digest
    assert asked.manifest_sha256 == whole.manifest_sha256


def test_more_values_exclude_each_other(people):
    asked = under("probe:view", saved(people))
    assert asked.task.kind == "multiclass"
    assert asked.task.findings == ("view AP", "view L", "view PA")
    for each in images_of(asked).values():
        assert (each.part.targets.sum(axis=1) == 1).all()


@pytest.mark.parametrize(("field", "blank"), [("sex", ""), ("view", ""), ("age", -1)])
def test_a_model_that_sees_metadata_is_not_told_the_answer(people, field, blank):
    part = images_of(under(f"probe:{field}", saved(people)))["train"].part
    assert set(getattr(part, field).tolist()) == {blank}
    others = {"sex", "view", "age"} - {field}
    assert all(len(set(getattr(part, other).tolist())) > 1 for other in others)


def test_unknown_and_rare_values_are_left_out_and_counted(people):
    view = people[0]["view"].to_numpy().copy()
    view[:5], view[160:163] = "", "COSTAL"
    asked = under("probe:view", saved(people, view=view))
    assert asked.facts.probe == ProbeFacts(
        field="view",
        values=["AP", "L", "PA"],
        left_out={
            "unknown": {"train": 5, "validation": 0, "test": 0},
            "COSTAL": {"train": 0, "validation": 0, "test": 3},
        },
    )
    data = images_of(asked)
    assert [len(data[split].part) for split in SPLITS] == [75, 80, 77]
    ids = people[0].query("split == 'test'")["image_id"].to_numpy()
    np.testing.assert_array_equal(ids[data["test"].rows], data["test"].part.image_id)


def test_ages_are_asked_for_in_bands_and_impossible_ones_are_unknown(people):
    ages = people[0]["age"].to_numpy().copy()
    ages[0] = 412
    asked = under("probe:age", saved(people, age=ages))
    assert asked.task.findings == ("age 40-59",)
    assert asked.facts.probe.left_out["unknown"]["train"] == 1


def test_the_source_of_the_labels_can_be_asked_for(people):
    source = np.where(people[0]["sex"] == "F", "Physician", "RNN_model")
    assert under("probe:source", saved(people, label_source=source)).task.findings == (
        "source RNN_model",
    )


def test_what_cannot_be_asked_is_refused_with_the_reason(people):
    with pytest.raises(UnknownName, match=r"Did you mean 'view'\? Choices: age, sex, source, view"):
        under("probe:vieww", saved(people))
    with pytest.raises(UserError, match="does not record sex"):
        under("probe:sex", saved(people, sex=""))
    with pytest.raises(UserError, match=r"10 patients have in every split.*simulation: 40 in tr"):
        under("probe:source", saved(people))
    few = np.where(people[0]["patient_id"].str.fullmatch("validation[0-8]"), "F", "M")
    with pytest.raises(UserError, match="M: 40 in train, 31 in validation"):
        under("probe:sex", saved(people, sex=few))
    masks = saved(people)
    with pytest.raises(UserError, match="holds lung masks"):
        under("probe:sex", replace(masks, facts=structs.replace(masks.facts, kind="segmentation")))


def test_a_star_stands_for_what_the_set_can_answer(people):
    answered, refused = find("probe:*").answers(saved(people, sex=""))
    assert [protocol.name for protocol, _ in answered] == ["probe:view", "probe:age"]
    assert refused.keys() == {"toy/people@probe:sex", "toy/people@probe:source"}
    whole = saved(people)
    published = find(PUBLISHED)
    assert published.answers(whole) == ([(published, whole)], {})
    with pytest.raises(UnknownName, match="attribute to predict"):
        under("probe:*", whole)  # given to a command that takes one


def test_suite_files_and_commands_name_probes(tmp_path, people):
    text = 'title = "T"\ndescription = "D."\n[matrix]\nmodels = ["cnn"]\nresolutions = [32]\n'
    (tmp_path / "good.toml").write_text(text + f'datasets = ["{NAME}@probe:*"]\n')
    (tmp_path / "bad.toml").write_text(text + f'datasets = ["{NAME}@prob:sex"]\n')
    assert load_suite("good", tmp_path).datasets == [(NAME, "probe:*")]
    with pytest.raises(
        UserError, match=r"bad\.toml: unknown protocol .*probe:<sex\|view\|age\|source>"
    ):
        load_suite("bad", tmp_path)
    with pytest.raises(UnknownName, match="unknown protocol 'prob:sex'"):
        under("prob:sex", saved(people))  # given by --dataset, so in no file
    shortcuts = load_suite("shortcuts")
    assert not shortcuts.run_all
    assert "probe:*" in dict(shortcuts.datasets).values()


def plan(bench, *datasets, models=("metadata_only", "cnn"), **options):
    matrix = {"datasets": [*datasets], "models": [*models], "resolutions": [32], "seeds": [0]}
    recipe = {"epochs": 8, "batch_size": 16, "warmup_steps": 0}
    suite = Suite("test", "Test", "", DEFAULTS | matrix, recipe)
    inputs = PlanInputs(discover(), {NAME: bench.prepared}, bench.results)
    return make_plan([suite], inputs, **options)


@pytest.fixture(scope="module")
def finished(phantom, tmp_path_factory):
    """The findings and the projection, asked of the same simulated films."""
    bench = Workbench(phantom, tmp_path_factory.mktemp("probes") / "results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "MINIMUM_PATIENTS", 3)  # the small set has few
        made = plan(bench, NAME, f"{NAME}@probe:view")
        assert bench.run(made) == {"done": 4}
        yield bench, made


def probe_row(bench, model):
    rows = (row for row in bench.results.rows() if row.spec.protocol != PUBLISHED)
    return next(row for row in rows if row.spec.model == model)


def test_the_projection_is_read_from_the_images(finished):
    bench, _ = finished
    row = probe_row(bench, "cnn")
    path = bench.results.predictions_path(row.spec_id)
    found, own = read_predictions(path, "binary").part("test"), bench.prepared.part("test")
    views = dict(zip(own.image_id, own.view, strict=True))
    assert [views[i] == "PA" for i in found.image_id] == (found.targets[:, 0] == 1).tolist()
    assert set(found.view) == {""}  # so that nobody can read it there
    tested = stored_scores(bench.results, row).splits["test"].per_finding["view PA"]
    assert tested.metrics["auc"] > 0.8  # 0.999 on the set of usual size


def test_a_probe_has_a_table_and_a_place_of_its_own(finished):
    bench, made = finished
    rows = [probe_row(bench, model) for model in ("cnn", "metadata_only")]
    assert rows[0].protocol == rows[1].protocol
    assert rows[0].protocol.probe == "view"
    assert rows[0].watermarks == []
    published = next(p.spec for p in made.specs if p.spec.protocol == PUBLISHED)
    assert "protocol" not in published.as_dict()
    text = write(bench.results).read_text()
    assert f"### {NAME} 1.0.0, attribute prediction: view" in text
    assert text.index("## Attribute prediction") > text.index(f"## {NAME} 1.0.0\n")


def test_nothing_is_run_twice_and_probes_are_filtered_by_name(finished):
    bench, _ = finished
    both = NAME, f"{NAME}@probe:view"
    assert plan(bench, *both).to_run() == []
    wanted = plan(bench, NAME, f"{NAME}@probe:*", wanted={"protocol": {"probe:sex"}}).specs
    assert {p.spec.protocol for p in wanted} == {"probe:sex"}


def test_a_limited_probe_takes_the_same_images_for_every_model(finished):
    bench, made = finished
    specs = [p.spec for p in made.specs if p.spec.protocol != PUBLISHED]
    prepared = under("probe:view", bench.prepared)
    kept = [
        spec_data(structs.replace(spec, limit=20), prepared)["train"].part.image_id.tolist()
        for spec in specs
    ]
    assert len(kept[0]) == 20
    assert kept[0] == kept[1]


def test_predictions_of_another_tool_can_stand_beside_a_probe(people, tmp_path):
    asked = under("probe:sex", saved(people))
    part = images_of(asked)["test"].part
    lines = [f"{i},{t:.1f}" for i, t in zip(part.image_id, part.targets[:, 0], strict=True)]
    (tmp_path / "theirs.csv").write_text("\n".join(["image_id,sex M", *lines]))
    results = Results(tmp_path / "results")
    entry = read_entry(tmp_path / "theirs.csv", 0, asked, Origin("theirs"), "probe:sex")
    row = publish(results, entry.row, entry.checked)
    assert row.protocol.probe == "sex"
    assert row.spec.protocol == "probe:sex"
    assert stored_scores(results, row).splits["test"].metrics["auc"] == 1


def test_a_probe_is_not_evaluated_on_another_set(finished, tmp_path):
    bench, _ = finished
    row = probe_row(bench, "cnn")
    with pytest.raises(UserError, match="is of probe:view: what it predicts is no finding"):
        next(
            evaluate([row], bench.prepared, discover()["cnn"], bench.results, tmp_path, ENVIRONMENT)
        )

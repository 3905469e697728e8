"""Seeds that are none: however they came into a folder, they are shown and not ranked."""

from __future__ import annotations

import json
from functools import partial

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import ExternalFacts
from benchmark.report.gathering.gather import gather
from tests.commands.conftest import SIZES, Score, lines
from tests.records.rows import resealed
from tests.records.written import write_predictions
from tests.report.made_rows import UNKNOWN, predictions, protocol

FACTS = ExternalFacts(file="x.csv", sha256=UNKNOWN, splits=["train", "validation", "test"])


@pytest.fixture
def theirs(add):
    """Add a seed of a model made elsewhere."""
    return partial(add, "theirs", spec={"kind": "external"}, external=FACTS)


@pytest.fixture
def change(results):
    """Write a row again with other facts about its model, or with other facts."""

    def written(row, *, model=None, **facts):
        of_model = replace(row.model, **model or {})
        results.write_row(replace(row, model=of_model, **facts))

    return written


OTHERS = {
    "reference": ({"model": {"reference": "B"}}, "seeds 0 and 2 differ in their reference"),
    "parameters": ({"model": {"parameters": 9}}, "differ in their parameters (1234567, 9)"),
    "splits": ({"external": replace(FACTS, splits=["test"])}, "differ in their splits"),
    "chance": ({"model": {"deterministic": True}}, "said to be deterministic, with several"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_seeds_of_another_model_are_not_ranked(case, results, add_seeds, theirs, change):
    facts, why = OTHERS[case]
    *_, last = [theirs(seed) for seed in range(3)]
    add_seeds("cnn")
    (before,) = gather(results)
    assert (len(before.ranked), before.obstacles) == (2, {})
    change(last, **facts)
    (table,) = gather(results)
    assert [c.spec.model for c in table.ranked] == ["cnn"]
    (said,) = table.obstacles.values()
    assert why in said
    assert not any(c.wants_seeds for c in table.configurations)


@pytest.mark.parametrize("kind", ["external", "classifier"])
def test_a_seed_that_changes_nothing_is_none(kind, results, add, theirs):
    made = theirs if kind == "external" else partial(add, "mlp")
    first, second = made(0), made(1)
    made(2)
    content = results.predictions_path(first.spec_id).read_bytes()
    results.predictions_path(second.spec_id).write_bytes(content)
    (table,) = gather(results)
    assert table.ranked == ()
    (said,) = table.obstacles.values()
    assert said.startswith("seeds 0 and 1 have the same predictions: ")


@pytest.mark.parametrize(("noise", "ranked"), [(1e-7, 0), (1e-3, 1)])
@pytest.mark.parametrize("kind", ["external", "classifier"])
def test_a_seed_that_changes_rounding_alone_on_test_is_none(
    kind, noise, ranked, results, add, theirs
):
    """However it came here; `score` asks the same before it enters one."""
    made = theirs if kind == "external" else partial(add, "mlp")
    paths = [results.predictions_path(made(seed).spec_id) for seed in range(3)]
    first, last = (read_predictions(path, "binary") for path in (paths[0], paths[2]))
    of_test = last.split == "test"
    last.logits[of_test] = first.logits[of_test] + noise
    write_predictions(paths[2], last)
    (table,) = gather(results)
    assert len(table.ranked) == ranked
    copied = ["seeds 0 and 2 have the same predictions" in why for why in table.obstacles.values()]
    assert copied == [True] * (1 - ranked)
    if copied:  # what is stored of it names seeds that there are, or counts for nothing
        saved = next(results.folder.rglob("intervals/*.json"))
        data = resealed(saved.read_bytes(), lambda values: values.update(alike=[0, 3]))
        saved.write_bytes(data)
        assert gather(results)[0].obstacles == table.obstacles


def test_two_names_for_one_file_are_no_seeds(results, add):
    facts = {"shared": protocol(), "kind": "binary"}
    content = predictions(facts["shared"], 2.0, 1, "binary")
    for model in ("cnn", "mlp"):
        for seed in range(3):
            made = add(model, seed, **facts)
            content.logits[-1, 0] = seed  # of a test image
            digest = write_predictions(results.predictions_path(made.spec_id), content)
            results.write_row(replace(made, predictions_sha256=digest))
    (table,) = gather(results)
    assert len(table.ranked) == 2


def test_one_file_scored_apart_and_merged_is_one_training(tmp_path):
    parts = []
    for seed in range(2):
        part = Score.on_a_set(tmp_path / str(seed))
        told = part(part.write("x.csv", lines(SIZES)), "--name", "x", "--seed", seed)
        assert told.code == 0, told.said
        parts.append(str(part.results.folder))
    target = tmp_path / "all"
    done = CliRunner().invoke(main, ["merge", *parts, "--results", str(target)])
    assert done.exit_code == 0, done.output
    (found,) = json.loads((target / "leaderboard.json").read_bytes())["configurations"]
    assert found["seeds"] == [0, 1]
    assert found["not_ranked_because"].startswith("seeds 0 and 1 have the same predictions")
    told = CliRunner().invoke(main, ["show", found["config_id"], "--results", str(target)])
    assert "seeds 0 and 1 have the same predictions" in told.output

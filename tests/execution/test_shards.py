"""A plan in parts, and the folders that they fill as one."""

from __future__ import annotations

import dataclasses
import re
import shutil

import msgspec
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.errors import UserError
from benchmark.planning.resolve import make_plan
from benchmark.planning.shards import Shard, parse_shard
from benchmark.records.store import Results
from benchmark.suites.ensembles import Ensemble
from tests.execution.conftest import Bench, hashes, make_suite, write_row


def suite(models=("linear", "mlp", "cnn", "constant"), seeds=(0, 1, 2)):
    vote = Ensemble("vote", "soft_vote", models[:2])
    return dataclasses.replace(make_suite(models, seeds=seeds), ensembles=(vote,))


def ids(bench, shard=None):
    plan = make_plan([suite()], dataclasses.replace(bench.inputs(), shard=shard))
    return {planned.spec.spec_id: planned.spec for planned in plan.specs}


def test_the_parts_are_the_whole_and_no_spec_is_in_two(bench):
    parts = [ids(bench, Shard(i, 3)) for i in (1, 2, 3)]
    assert sum(map(len, parts)) == len(ids(bench))
    assert set().union(*parts) == set(ids(bench))
    assert all(parts)


def test_what_is_made_from_one_another_stays_together(bench):
    for part in (ids(bench, Shard(i, 3)) for i in (1, 2, 3)):
        for spec in part.values():
            assert set(spec.required_ids.values()) <= set(part)


def test_every_machine_divides_alike_whatever_it_has_done(bench):
    before = ids(bench, Shard(2, 3))
    plan = make_plan([suite()], bench.inputs())
    for planned in plan.specs[::2]:
        write_row(bench.results, planned)
    assert ids(bench, Shard(2, 3)).keys() == before.keys()


@pytest.mark.parametrize("text", ["3/2", "0/2", "2", "a/b", "1/0", "-1/2"])
def test_what_is_no_part_is_told(text):
    with pytest.raises(UserError, match="is no part"):
        parse_shard(text)


def test_no_part_is_all():
    assert parse_shard("") is None
    assert parse_shard("2/8") == Shard(2, 8)


@pytest.fixture(scope="module")
def filled(phantom, tmp_path_factory):
    """A folder with everything, and two with a part each."""
    folder = tmp_path_factory.mktemp("shards")
    for name, shard in (("whole", None), ("one", Shard(1, 2)), ("two", Shard(2, 2))):
        bench = Bench(phantom, folder / name)
        inputs = dataclasses.replace(bench.inputs(), shard=shard)
        models = ("linear", "metadata_only", "constant")
        ended = bench.run(make_plan([suite(models, seeds=(0, 1))], inputs))
        assert set(ended) == {"done"}
    return folder


@pytest.fixture
def folders(filled, tmp_path):
    """Copies of the same, to be spoilt."""
    return shutil.copytree(filled, tmp_path / "filled")


def merged(folders, *names):
    words = ["merge", *(str(folders / name) for name in names)]
    return CliRunner().invoke(main, [*words, "--results", str(folders / "merged")])


@pytest.mark.xdist_group("shards")
def test_two_parts_that_are_merged_are_the_whole(folders):
    assert merged(folders, "one", "two").exit_code == 0
    assert hashes(folders / "merged") == hashes(folders / "whole")
    for kind in ("predictions", "scores", "weights"):
        names = {path.name for path in (folders / "whole" / kind).iterdir()}
        assert {path.name for path in (folders / "merged" / kind).iterdir()} == names
    assert (folders / "merged" / "LEADERBOARD.md").is_file()
    again = merged(folders, "one", "two", "whole")
    assert again.exit_code == 0
    assert "there already" in again.output
    assert "taken" not in again.output


def respoken(folder, spec_id, **changes):
    """A row as if something in it had been otherwise."""
    results = Results(folder)
    row = msgspec.structs.replace(results.read_row(spec_id), **changes)
    results.write_row(row)


@pytest.mark.xdist_group("shards")
def test_a_contradiction_is_refused_by_name_and_nothing_is_written(folders):
    spec_id = next(iter(hashes(folders / "one")))
    row = Results(folders / "one").read_row(spec_id)
    respoken(folders / "whole", spec_id, code=row.code | {"training": "0"})
    result = merged(folders, "one", "whole")
    assert result.exit_code == 2
    assert spec_id in result.output
    assert not (folders / "merged" / "rows").exists()
    assert "made with other code" in result.output


@pytest.mark.xdist_group("shards")
def test_a_row_of_other_images_than_its_predictions_are_of_is_left_out(folders):
    spec_id = next(iter(hashes(folders / "one")))
    row = Results(folders / "one").read_row(spec_id)
    respoken(folders / "whole", spec_id, counts=_one_less(row.counts))
    result = merged(folders, "whole", "one")
    assert result.exit_code == 0
    assert re.search(rf"Left out: .*{spec_id}.* of other test images", result.output)
    assert Results(folders / "merged").read_row(spec_id) == row, "the other folder's"


def _one_less(counts):
    test = counts["test"]
    return counts | {"test": msgspec.structs.replace(test, images=test.images - 1)}


@pytest.mark.xdist_group("shards")
def test_of_two_results_of_the_same_the_earlier_stands(folders, phantom):
    """As of two machines: the same spec and code, other bits."""
    spec_id = next(
        row.spec_id for row in Results(folders / "one").rows() if row.spec.model == "linear"
    )
    other, theirs = Results(folders / "whole"), Results(folders / "one")
    path = other.predictions_path(spec_id)
    _nudge(other, spec_id)
    assert other.read_row(spec_id).predictions_sha256 != theirs.read_row(spec_id).predictions_sha256
    assert path.is_file()
    respoken(folders / "whole", spec_id, finished="2000-01-01T00:00:00+00:00")
    assert merged(folders, "one").exit_code == 0
    result = merged(folders, "whole")
    assert "other numbers, of an earlier run: taken" in result.output
    kept = hashes(folders / "merged")[spec_id]
    assert kept == other.read_row(spec_id).predictions_sha256
    result = merged(folders, "one")
    assert "other numbers, of a later run: left out" in result.output
    assert hashes(folders / "merged")[spec_id] == kept


def _nudge(results, spec_id):
    """Predictions that differ in the last bits, published as a run would."""
    from benchmark.records.predictions import read_predictions
    from benchmark.scoring.publishing import check, publish

    row = results.read_row(spec_id)
    made = read_predictions(results.predictions_path(spec_id), row.dataset.task.kind)
    made = dataclasses.replace(made, logits=made.logits * 1.001)
    publish(results, row, check(made, row.protocol), replace=True)


@pytest.mark.xdist_group("shards")
def test_predictions_that_were_edited_are_left_out_and_the_others_taken(folders):
    before = hashes(folders / "one")
    spec_id = next(iter(before))
    Results(folders / "one").predictions_path(spec_id).write_bytes(b"edited")
    result = merged(folders, "one")
    assert result.exit_code == 0
    assert f"{spec_id}.csv.gz" in result.output
    assert hashes(folders / "merged").keys() == before.keys() - {spec_id}


def test_a_folder_without_rows_is_told(tmp_path):
    result = CliRunner().invoke(main, ["merge", str(tmp_path), "--results", str(tmp_path / "m")])
    assert result.exit_code == 2
    assert "no rows to merge" in result.output

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256
from benchmark.records.door import save_derived
from benchmark.records.files import readable_json, write_atomic, write_in_order
from benchmark.records.store import IGNORED, WRITTEN, Results
from tests.records.rows import a_row, a_spec


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "row.json"
    write_atomic(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmark.records.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["row.json"]


def test_canonical_json_depends_on_values_alone():
    assert canonical_json({"b": 1, "a": [1.5, None]}) == canonical_json({"a": [1.5, None], "b": 1})
    assert canonical_json({"a": 1}) != canonical_json({"a": 2})
    with pytest.raises(ValueError, match=r"nan|NaN|compliant"):
        canonical_json({"a": float("nan")})


def test_sha256_is_the_standard_one():
    assert sha256(b"abc").startswith("ba7816bf8f01cfea")


def test_rows_come_back_in_order_of_their_ids(tmp_path):
    results = Results(tmp_path)
    rows = {row.spec_id: row for row in (a_row(a_spec(seed=seed)) for seed in range(4))}
    for row in rows.values():
        results.write_row(row)
    (results.row_path("a" * 12).parent / ".half.json.tmp").write_text("{")
    assert {row.spec_id: row for row in results.rows()} == rows
    assert [row.spec_id for row in results.rows()] == sorted(rows)
    assert results.read_row("c" * 12) is None


def test_what_rows_have_in_common_is_in_memory_once(tmp_path):
    results = Results(tmp_path)
    for row in (a_row(a_spec(seed=0)), a_row(a_spec(seed=1))):
        results.write_row(row)
    first, second = results.rows()
    assert first.dataset is second.dataset
    assert first.environment is second.environment


def test_files_that_belong_together_are_written_in_order_or_not_at_all(tmp_path, monkeypatch):
    files = {tmp_path / "z": b"1", tmp_path / "b" / "a": b"2", tmp_path / "m": b"3"}
    order, rename = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: order.append(b) or rename(a, b))
    write_in_order(files)
    assert order == list(files)
    assert {path: path.read_bytes() for path in files} == files

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmark.records.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_in_order(dict.fromkeys(files, b"new"))
    assert {path: path.read_bytes() for path in files} == files
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 3


def test_what_is_derived_is_not_saved_behind_a_link_unless_a_person_named_it(tmp_path):
    elsewhere, named = tmp_path / "elsewhere", tmp_path / "named"
    elsewhere.mkdir()
    named.symlink_to(elsewhere)
    results, within = Results(tmp_path / "results"), Results(named)
    results.folder.mkdir()
    (results.folder / "cross").symlink_to(elsewhere)
    for each in (results, results.cross):
        save_derived(each.scores_path("a"), {}, each.top)
    assert not any(elsewhere.iterdir())
    assert results.scores_path("a").is_file()
    save_derived(within.scores_path("a"), {}, within.top)
    assert (elsewhere / "scores").is_dir()


@pytest.mark.parametrize("place", [*WRITTEN, *(f"cross/{name}" for name in WRITTEN), "cross"])
def test_nothing_of_a_row_is_written_through_a_link(place, tmp_path):
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "results" / place
    elsewhere.mkdir()
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    results = Results(tmp_path / "results")
    part = results.cross if place.startswith("cross") else results
    file = link / "rows" / "a" if place == "cross" else link / "a"
    with pytest.raises(UserError, match=f"{link}.* leads to another folder.*--results DIR"):
        results.check_writable()
    with pytest.raises(UserError, match="leads to another folder"):
        part.write({part.folder / "sound": b"", file: b""})
    assert not any(elsewhere.iterdir())


def test_a_results_folder_may_be_a_link_and_a_file_in_it_gives_way(tmp_path):
    (tmp_path / "elsewhere" / "rows").mkdir(parents=True)
    (tmp_path / "results").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "other").write_bytes(b"theirs")
    results = Results(tmp_path / "results")
    path = results.row_path("a")
    path.symlink_to(tmp_path / "other")
    results.check_writable()
    results.write({path: b"ours"})
    assert (path.is_symlink(), path.read_bytes()) == (False, b"ours")
    assert (tmp_path / "other").read_bytes() == b"theirs"


def test_an_unwritable_folder_is_said_so(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(UserError, match="--results"):
        Results(in_the_way / "results").check_writable()


def test_readable_json_is_json(tmp_path):
    assert json.loads(readable_json({"a": [1, 2]})) == {"a": [1, 2]}


def test_what_is_large_or_private_is_kept_out_of_git(tmp_path):
    results = Results(tmp_path / "results")
    results.check_writable()
    git = partial(subprocess.run, cwd=results.folder, capture_output=True, text=True)
    if git(["git", "init"], check=False).returncode:
        pytest.skip("needs git")
    paths = {
        results.predictions_path("a", False), results.cross.predictions_path("a", False),
        results.weights_path("a"), results.masks_path("a"), results.anomaly_path("a"),
        results.log_path("worker"), results.checkpoints / "a",
    }  # fmt: skip
    kept = {results.predictions_path("a"), results.row_path("a"), results.scores_path("a")}
    for path in paths | kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    seen = git(["git", "status", "--porcelain", "--untracked-files=all"], check=True).stdout
    names = {line.removeprefix("?? ") for line in seen.splitlines()}
    assert names == {".gitignore", *(str(path.relative_to(results.folder)) for path in kept)}


def test_a_gitignore_of_ones_own_stays(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n")
    Results(tmp_path).check_writable()
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_that_of_the_reference_run_is_what_is_written():
    root = Path(__file__).parents[2]
    assert (root / "results" / ".gitignore").read_text() == IGNORED

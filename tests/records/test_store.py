from __future__ import annotations

import json

import pytest

from benchmark.errors import UserError
from benchmark.records.files import canonical_json, readable_json, sha256, write_atomic
from benchmark.records.store import Results


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
    for cell_id in ("bb", "aa"):
        results.write_row({"cell_id": cell_id, "status": "done"})
    assert [row["cell_id"] for row in results.rows()] == ["aa", "bb"]
    assert results.read_row("aa")["status"] == "done"
    assert results.read_row("cc") is None


def test_an_unknown_status_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="status"):
        Results(tmp_path).write_row({"cell_id": "aa", "status": "fine"})
    assert not (tmp_path / "rows").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 99, "cell_id": "aa"}'])
def test_a_damaged_row_is_refused_by_name(tmp_path, content):
    results = Results(tmp_path)
    write_atomic(results.row_path("aa"), content)
    with pytest.raises(UserError, match=r"aa\.json"):
        results.read_row("aa")


def test_a_row_under_another_name_is_refused(tmp_path):
    results = Results(tmp_path)
    results.write_row({"cell_id": "aa", "status": "done"})
    results.row_path("aa").rename(results.row_path("bb"))
    with pytest.raises(UserError, match=r"bb\.json"):
        list(results.rows())


def test_an_unwritable_folder_is_said_so(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(UserError, match="--results"):
        Results(in_the_way / "results").check_writable()


def test_readable_json_is_json(tmp_path):
    assert json.loads(readable_json({"a": [1, 2]})) == {"a": [1, 2]}

"""The door of record files: whatever was changed is noticed, and named with what to do."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.hashing import sha256
from benchmark.records.door import RecordError, parse_record, read_record, sealed, write_record
from benchmark.records.row import Row
from benchmark.records.store import Results
from tests.records.rows import a_row, changed_by_hand, changed_bytes, changed_values

ROW = a_row()
DATA = sealed(ROW)
REMEDY = "Throw it away."


def parsed(data: bytes, kind: type = Row, **options):
    return parse_record(data, "folder/file.json", kind, REMEDY, **options)


def refused(data: bytes, kind: type = Row, **options) -> str:
    with pytest.raises(RecordError) as caught:
        parsed(data, kind, **options)
    said = str(caught.value)
    assert said.startswith("folder/file.json: ")
    assert said.endswith(REMEDY)
    return said


def under_seal(body: bytes) -> bytes:
    return b'{"content_sha256":"' + sha256(body).encode() + b'",' + body


def outcome(read: Callable[[], Row]) -> Row | str:
    """What was read, or why it was refused; any other error is one."""
    try:
        return read()
    except RecordError as error:
        return str(error)


@pytest.mark.parametrize("readable", [True, False])
def test_a_record_comes_back_and_its_file_is_json_with_the_hash_first(readable):
    data = sealed(ROW, readable=readable)
    assert parsed(data) == ROW
    values = json.loads(data)
    assert next(iter(values)) == "content_sha256"
    seal = re.match(rb'\{\s*"content_sha256":\s*"(\w+)",', data)
    assert sha256(data[seal.end() :]).encode() == seal[1]


def test_equal_records_give_equal_bytes_whatever_the_order_of_their_keys():
    counts = dict(reversed(ROW.counts.items()))
    assert sealed(a_row(counts=counts)) == DATA


def test_a_file_is_written_and_read(tmp_path):
    path = tmp_path / "some" / "row.json"
    write_record(path, ROW)
    assert read_record(path, Row, REMEDY) == ROW


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(RecordError, match=rf"{path}: cannot be read .* {REMEDY}"):
            read_record(path, Row, REMEDY)


@given(changed_bytes(DATA))
def test_a_flipped_or_cut_file_is_refused_or_says_the_same(data):
    told = outcome(lambda: parsed(data))
    assert told == ROW or told.startswith("folder/file.json: ")  # a changed space says nothing


@given(changed_by_hand(DATA))
def test_a_value_changed_by_hand_is_refused(data):
    assert "was changed after it was written" in refused(data)


@given(st.binary(max_size=200))
def test_bytes_of_anything_else_are_refused(data):
    assert "content_sha256" in refused(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.pop("suite"),
        lambda v: v.update(suite="../x"),
        lambda v: v.update(schema="2"),
        lambda v: v.update(unheard_of=1),
        lambda v: v["spec"].update(seed=-1),
        lambda v: v["protocol"].update(id="../../x"),
    ],
)
def test_a_record_of_another_type_is_refused_though_its_seal_is_right(change):
    values = {key: value for key, value in json.loads(DATA).items() if key != "content_sha256"}
    change(values)
    assert "not a readable record (" in refused(sealed(values))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("spec_id",), "12 hexadecimal digits"),
        (("suite",), "letters, digits, underscores and hyphens"),
        (("spec", "model"), "letters, digits, underscores, dots, plus signs and hyphens"),
        (("spec", "dataset"), "SET/CONFIG, each lower-case letters, digits and underscores"),
        (("spec", "scheme"), "lower-case letters, digits, underscores and colons"),
        (("spec", "manifest_sha256"), "64 hexadecimal digits"),
    ],
)
def test_what_a_text_is_made_of_is_said_in_words(place, words):
    values = {key: value for key, value in json.loads(DATA).items() if key != "content_sha256"}
    *above, last = place
    within = values[above[0]] if above else values
    within[last] = "=odd name"
    said = refused(sealed(values))
    assert f"(Expected a text of {words}" in said
    assert f"at `$.{'.'.join(place)}`)" in said


def test_an_earlier_format_is_told_from_a_damaged_file():
    earlier = b'{\n "cell_id": "aa",\n "schema": 1\n}\n'
    assert "another version of cxr-bench (format 1, this one reads 2)" in refused(earlier, schema=2)
    assert "not a readable record" in refused(earlier)


# --- rows, as a results folder reads them ---------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Results(tmp_path_factory.mktemp("results"))


def refused_row(results: Results, data: bytes, name: str = ROW.spec_id) -> str:
    """What reading a changed row file says: by its name an error; with others it is left out."""
    path = results.row_path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    try:
        with pytest.raises(RecordError) as caught:
            results.read_row(name)
        left_out = []
        assert name not in {row.spec_id for row in results.rows(left_out)}
        assert str(caught.value) in map(str, left_out)
        assert str(path) in str(caught.value)
        return str(caught.value)
    finally:
        path.unlink()


@given(data=changed_values(DATA).map(sealed))
def test_a_row_changed_with_its_seal_is_taken_as_a_whole_or_refused_by_name(folder, data):
    path = folder.row_path(ROW.spec_id)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    told = outcome(lambda: folder.read_row(ROW.spec_id))
    if isinstance(told, str):
        assert str(path) in told
    else:
        assert not told.contradiction()
        assert (told.spec_id, told.config_id) == (told.spec.spec_id, told.spec.config_id)


def test_a_row_copied_or_renamed_is_refused(folder):
    other = a_row().spec_id[::-1]
    assert f"it is the row of {ROW.spec_id}, under another name" in refused_row(folder, DATA, other)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff\x00", DATA[:-1], DATA + b" "])
def test_a_damaged_row_says_what_to_do(folder, data):
    assert "Remove it and run its spec again" in refused_row(folder, data)


@pytest.mark.parametrize(
    "name", ["._{}.json", "{} (1).json", "{} copy.json", "{}.json.bak", "{}.JSON", ".{}.json.tmp"]
)
def test_files_of_services_are_no_rows(tmp_path, name):
    results = Results(tmp_path)
    results.write_row(ROW)
    (tmp_path / "rows" / name.format(ROW.spec_id)).write_bytes(DATA)
    left_out = []
    assert list(results.rows(left_out)) == [ROW]
    assert not left_out


def test_what_is_no_file_of_a_row_is_named_and_not_waited_for(tmp_path):
    results = Results(tmp_path)
    results.write_row(ROW)
    for i, make in enumerate((os.mkfifo, Path.mkdir, lambda p: p.symlink_to("/dev/zero"))):
        make(results.row_path(f"{i:012x}"))
    left_out = []
    assert list(results.rows(left_out)) == [ROW]
    assert len(left_out) == 3
    assert "not a regular file" in str(left_out[0])


def test_a_huge_file_is_not_read(tmp_path):
    results = Results(tmp_path)
    results.write_row(ROW)
    with results.row_path("0" * 12).open("wb") as file:
        file.truncate(1 << 40)
    assert "holds more than 0.27 GB" in outcome(lambda: results.read_row("0" * 12))


def test_deep_json_is_named():
    assert "not a readable record" in refused(
        under_seal(b'"a":' + 10**5 * b"[" + 10**5 * b"]" + b"}")
    )


def test_what_the_decoder_quotes_is_cut():
    said = refused(under_seal(b'"' + 10**6 * b"x" + b'":1}'))
    assert len(said) < 1000

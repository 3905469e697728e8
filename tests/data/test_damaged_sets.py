"""Files of prepared sets that were changed: named, or of no consequence; never a stack trace."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.cli import main
from benchmark.data.deriving import keep_leakage
from benchmark.data.discovery import find_dataset, state
from benchmark.data.facts import FACTS, METADATA, SPLITS
from benchmark.data.leakage import Leakage
from benchmark.data.manifest import MANIFEST
from benchmark.data.prepare import mend, prepare
from benchmark.data.prepared import Prepared, load_prepared
from benchmark.data.shapes import SHAPES
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.records.door import RecordError, write_record
from tests.data.claimed_sets import claim, some_lines
from tests.data.damage import damaged_bytes, damaged_json

NAME = "some/set"
PHANTOM = "thorax_phantom/small"
FILES = (FACTS, METADATA, MANIFEST)


def first_format(folder: Path) -> None:
    """Write ``prepared.json`` as it was before it had a seal."""
    told = json.loads((folder / FACTS).read_bytes())
    for key in ("content_sha256", "schema", "metadata_sha256"):
        del told[key]
    (folder / FACTS).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


@pytest.fixture
def data_dir(tmp_path):
    claim(tmp_path / NAME / "1.0.0", some_lines())
    return tmp_path


@pytest.fixture(scope="module", params=["sealed", "first format"])
def kept(request, tmp_path_factory):
    """A data folder and the bytes of its files."""
    data_dir = tmp_path_factory.mktemp("kept")
    folder = data_dir / NAME / "1.0.0"
    claim(folder, some_lines())
    if request.param == "first format":
        first_format(folder)
    return data_dir, {name: (folder / name).read_bytes() for name in FILES}


def everything(prepared: Prepared) -> list:
    """All that a run would take from a set's files."""
    arrays = [vars(prepared.part(split)) for split in SPLITS]
    return [
        {name: values.tolist() for name, values in part.items()} for part in arrays
    ] + [prepared.facts, prepared.derived, prepared.task]  # fmt: skip


def taken(data_dir: Path) -> list | str:
    """The same, or what was said instead."""
    try:
        return everything(load_prepared(NAME, data_dir))
    except RecordError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_file_is_named_or_changes_nothing(kept, data):
    data_dir, files = kept
    folder = data_dir / NAME / "1.0.0"
    first = b"content_sha256" not in files[FACTS]
    whole = taken(data_dir)
    name = data.draw(st.sampled_from(FILES))
    ways = [damaged_bytes(files[name])]
    ways += [damaged_json(files[name])] if name != MANIFEST else []
    changed = data.draw(st.one_of(ways))
    (folder / name).write_bytes(changed)
    try:
        found = taken(data_dir)
    finally:
        (folder / name).write_bytes(files[name])
    if isinstance(found, str):
        assert str(folder / name) in found or (first and str(folder) in found)
        assert "cxr-bench prepare some/set" in found
    elif first and name != MANIFEST:
        assert found[:3] == whole[:3], "images, patients, targets"
    else:
        assert found == whole


@pytest.mark.parametrize("sealed", [True, False])
def test_inverted_test_labels_are_refused(data_dir, sealed):
    folder = data_dir / NAME / "1.0.0"
    if not sealed:
        first_format(folder)
    lines = some_lines()
    test = lines["split"] == "test"
    lines.loc[test, "target:Mass"] = 1 - lines.loc[test, "target:Mass"]
    lines.to_csv(folder / MANIFEST, index=False, lineterminator="\n")
    with pytest.raises(RecordError, match=r"manifest\.csv: was changed after the set was prepared"):
        load_prepared(NAME, data_dir).part("test")


@pytest.mark.parametrize("sealed", [True, False])
def test_a_finding_dropped_from_the_metadata_is_refused(data_dir, sealed):
    folder = data_dir / NAME / "1.0.0"
    if not sealed:
        first_format(folder)
    facts = json.loads((folder / METADATA).read_bytes())
    facts |= {"findings": ["Nodule"], "kind": "binary"}
    (folder / METADATA).write_text(json.dumps(facts))
    with pytest.raises(RecordError, match=r"metadata\.json: .*(Mass|changed)"):
        load_prepared(NAME, data_dir)


def test_a_set_of_the_first_format_is_used_as_it_is(data_dir):
    folder = data_dir / NAME / "1.0.0"
    sealed = load_prepared(NAME, data_dir)
    first_format(folder)
    before = (folder / FACTS).read_bytes()
    found = load_prepared(NAME, data_dir)
    assert found.derived == msgspec.structs.replace(sealed.derived, metadata_sha256=None)
    assert everything(found)[:3] == everything(sealed)[:3]
    assert (folder / FACTS).read_bytes() == before
    keep_leakage(found, Leakage("suspected", ("because",)))
    judged = load_prepared(NAME, data_dir).derived
    assert (judged.leakage_status, judged.reasons, judged.metadata_sha256) == (
        "suspected", ["because"], None,
    )  # fmt: skip
    assert b"content_sha256" in (folder / FACTS).read_bytes()


def test_without_its_seal_a_sealed_file_is_none_of_the_first_format(data_dir):
    path = data_dir / NAME / "1.0.0" / FACTS
    told = json.loads(path.read_bytes())
    del told["content_sha256"]
    path.write_text(json.dumps(told | {"verdict": "clean"}))
    with pytest.raises(RecordError, match="no content_sha256"):
        load_prepared(NAME, data_dir)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("age", "old", "not a manifest"),
        ("split", "holdout", "none of train, validation, test"),
        ("target:Mass", 2, "other than 0 and 1 under target:Mass"),
        ("labelled:Mass", "yes", "other than 0 and 1 under labelled:Mass"),
        ("sha256", None, "lacks the column sha256"),
        ("labelled:Nodule", None, "lacks the column labelled:Nodule"),
    ],
)
def test_columns_are_checked_even_under_the_right_hash(tmp_path, column, value, said):
    lines = some_lines()
    folder = tmp_path / NAME / "1.0.0"
    claim(folder, lines)
    prepared = load_prepared(NAME, tmp_path)
    lines = lines.drop(columns=column) if value is None else lines.assign(**{column: value})
    lines.to_csv(folder / MANIFEST, index=False)
    told = msgspec.structs.replace(
        prepared.derived, manifest_sha256=sha256_of_file(folder / MANIFEST)
    )
    write_record(folder / FACTS, told)
    with pytest.raises(RecordError, match=said):
        load_prepared(NAME, tmp_path).manifest()


def test_a_damaged_set_does_not_keep_others_from_being_listed(tmp_path):
    dataset = find_dataset("thorax_phantom/default")
    claim(tmp_path / dataset.name / "1.0.0", some_lines())
    assert state(dataset, tmp_path) == "prepared"
    (tmp_path / dataset.name / "1.0.0" / FACTS).write_text("{")
    assert state(dataset, tmp_path) == "damaged"


# Derived anew


@pytest.fixture
def copied(phantom, tmp_path):
    """A data folder with the small phantom, to be damaged, and its version folder."""
    prepared, data_dir, _ = phantom
    copy = Path(shutil.copytree(data_dir, tmp_path / "data"))
    return copy, copy / prepared.path.relative_to(data_dir)


def test_what_the_message_says_to_do_works(copied, tmp_path):
    data_dir, folder = copied
    whole = {name: (folder / name).read_bytes() for name in FILES}
    (folder / MANIFEST).write_bytes(whole[MANIFEST].replace(b",test,", b",train,", 1))
    left = folder / ".manifest.csv.left.tmp"
    left.write_text("of a killed process")
    os.utime(left, (0, 0))
    with pytest.raises(RecordError, match=r"Run `cxr-bench prepare thorax_phantom/small`"):
        load_prepared(PHANTOM, data_dir).manifest()
    command = ["prepare", PHANTOM, "--data-dir", str(data_dir), "--cache-dir", str(tmp_path / "c")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert "Was damaged, and is made anew:" in done.stderr
    assert "manifest.csv: was changed" in done.stderr
    assert {name: (folder / name).read_bytes() for name in FILES} == whole
    assert not left.exists()


@pytest.mark.parametrize("name", [FACTS, MANIFEST, SHAPES])
def test_preparing_again_mends_what_was_derived_from_the_images(copied, name):
    data_dir, folder = copied
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    dataset = find_dataset(PHANTOM)
    assert f"{name}: " in mend(dataset, data_dir)
    prepare(dataset, data_dir, None)
    assert (folder / name).read_bytes() == whole
    assert mend(dataset, data_dir) == ""


def test_changed_metadata_are_never_taken_for_true_by_mending(copied):
    data_dir, folder = copied
    facts = json.loads((folder / METADATA).read_bytes())
    facts["findings"] = facts["findings"][::-1]
    (folder / METADATA).write_text(json.dumps(facts))
    before = (folder / FACTS).read_bytes()
    with pytest.raises(RecordError, match=r"metadata\.json: was changed .* or remove .*1\.0\.0"):
        mend(find_dataset(PHANTOM), data_dir)
    assert (folder / FACTS).read_bytes() == before


def test_metadata_that_do_not_fit_the_stored_images_make_no_manifest(copied):
    data_dir, folder = copied
    facts = json.loads((folder / METADATA).read_bytes())
    (folder / METADATA).write_text(json.dumps(facts | {"findings": facts["findings"][1:]}))
    (folder / FACTS).unlink()
    with pytest.raises(UserError, match=r"metadata\.json: names 6 findings, but .* have 7"):
        prepare(find_dataset(PHANTOM), data_dir, None)
    assert not (folder / FACTS).exists()

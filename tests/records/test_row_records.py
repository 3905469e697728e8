"""Rows that contradict themselves are refused, though every part of them is of its type."""

from __future__ import annotations

import pytest
from msgspec import convert, structs, to_builtins

from benchmark.records.door import RecordError, parse_record, sealed
from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.spec import Spec
from tests.records.rows import a_dataset, a_failed_row, a_protocol, a_row, a_spec, resealed

ROW = a_row()


def test_a_row_that_holds_together_has_no_contradiction():
    for row in (ROW, a_failed_row(), a_row(a_spec(kind="masks"), ("lung",), "segmentation")):
        assert row.contradiction() == ""
        assert parse_record(sealed(row), "row", Row, "") == row


def test_what_was_never_recorded_may_be_missing_and_is_left_out():
    values = to_builtins(ROW)
    assert "lungs" not in values
    assert "withheld" not in values["protocol"]


CHANGES = {
    "another seed of the same id": (lambda v: v["spec"].update(seed=1), "spec_id is"),
    "another recipe": (lambda v: v["spec"]["recipe"].update(epochs=3), "spec_id is"),
    "into another configuration": (lambda v: v.update(config_id="a" * 12), "config_id is"),
    "another protocol": (lambda v: v["protocol"].update(split="other"), "protocol.id is"),
    "another table": (lambda v: v["protocol"].update(id="b" * 12), "protocol.id is"),
    "a fact of legacy protocols": (lambda v: v["protocol"].update(withheld="x"), "protocol.id is"),
    "failed with predictions": (lambda v: v.update(status="failed"), "status failed"),
    "done without predictions": (lambda v: v.update(predictions_sha256=None), "status done"),
    "done with an error": (lambda v: v.update(error={"reason": "x"}), "status done"),
    "masks of a classifier": (
        lambda v: v["dataset"]["task"].update(kind="segmentation"),
        "kind classifier",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_contradiction_is_named_though_the_seal_is_right(change, tmp_path):
    results, (edit, said) = Results(tmp_path), CHANGES[change]
    path = results.row_path(ROW.spec_id)
    path.parent.mkdir()
    path.write_bytes(resealed(sealed(ROW), edit))
    with pytest.raises(RecordError, match=rf"{path}: {said}.*run its spec again"):
        results.read_row(ROW.spec_id)


BEYOND = {
    "phases train": 1e308,
    "phases predict": -1.0,
    "profile steps": 1e308,
    "spec recipe epochs": 10**400,
    "spec recipe learning_rate": 1e13,
    "spec resolution": 10**400,
    "spec seed": 10**400,
    "model parameters": 10**400,
    "environment memory_gb": 10**400,
    "counts test images": 10**20,
    "history loss": [1e308],
}


@pytest.mark.parametrize("place", BEYOND)
def test_numbers_that_cannot_be_summed_or_drawn_are_refused(place):
    *way, last = place.split()

    def change(values):
        values |= {"profile": {}, "history": {"best_epoch": 0, "loss": [0.5]}}
        for key in way:
            values = values[key]
        values[last] = BEYOND[place]

    with pytest.raises(
        RecordError, match=r"not a readable record.*Expected a (whole number|number|table)"
    ):
        parse_record(resealed(sealed(ROW), change), "row", Row, "")


NO_NAMES = ("=HYPERLINK(1)", "+1", "@SUM", "\x1b[31m", "m" * 61, "a b", "../x", "cnn\n", "ä")


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize(
    "change",
    [
        lambda v, name: v["spec"].update(model=name),
        lambda v, name: v["spec"].update(dataset=name),
        lambda v, name: v["spec"].update(augmentation=name),
        lambda v, name: v["spec"].update(dataset=f"toy/{name}"),
        lambda v, name: v["spec"].update(requires={f"member:{name}": {}}),
    ],
)
def test_names_that_nothing_can_have_are_refused(change, name):
    data = resealed(sealed(ROW), lambda values: change(values, name))
    with pytest.raises(RecordError, match=r"row: not a readable record.*Expected a text of"):
        parse_record(data, "row", Row, "")


RULE = {"split": "by_image", "fractions": {}, "random_state": 0, "copies": "", "decision": 0.5}
TWISTED = {
    "an ensemble without members": (lambda v: v["spec"].update(ensemble={}), "it has members and"),
    "members without an ensemble": (
        lambda v: v["spec"].update(
            requires={"member:mlp": {"spec_id": "c" * 12, "config_id": "d" * 12}}
        ),
        "it has members and",
    ),
    "a limit without its watermark": (
        lambda v: (v["spec"].update(limit=16), v["protocol"].update(limit=16)),
        "its watermarks lack 'limited to 16 images",
    ),
    "a memory fallback without its watermark": (
        lambda v: v["spec"].update(memory_fallback=True),
        "its watermarks lack 'memory fallback",
    ),
    "legacy without a rule": (
        lambda v: v["protocol"].update(legacy=True, legacy_name="legacy_s3"),
        "legacy protocols have a name and a rule",
    ),
    "a legacy rule of another protocol": (
        lambda v: v["protocol"].update(legacy=True, legacy_name="legacy_s3", rule=RULE),
        "protocol published of its spec does not go with legacy_s3",
    ),
    "a withheld class of the published protocol": (
        lambda v: v["protocol"].update(withheld="x"),
        "protocol published of its spec does not go with x",
    ),
    "a probe of the published protocol": (
        lambda v: v["protocol"].update(probe="sex"),
        "protocol published of its spec does not go with sex",
    ),
}


def with_own_ids(values):
    """The row of these values, with the ids that follow from them."""
    spec = convert(values["spec"], Spec)
    del values["protocol"]["id"]
    protocol = to_builtins(ProtocolFacts.of(values["protocol"]))
    ids = {"spec_id": spec.spec_id, "config_id": spec.config_id}
    return convert(values | ids | {"protocol": protocol}, Row)


@pytest.mark.parametrize("change", TWISTED)
def test_a_contradiction_is_named_though_all_ids_are_right(change):
    values, (edit, said) = to_builtins(ROW), TWISTED[change]
    assert with_own_ids(to_builtins(ROW)).contradiction() == ""
    edit(values)
    assert with_own_ids(values).contradiction().startswith(said)


@pytest.mark.parametrize("field", ["dataset", "dataset_version", "limit"])
def test_a_protocol_of_other_data_is_refused(field):
    other = {"dataset": "other/set", "dataset_version": "2.0.0", "limit": 5}
    protocol = a_protocol(ROW.spec, **{field: other[field]})
    assert f"protocol.{field} is {other[field]}" in a_row(protocol=protocol).contradiction()


def test_a_contradiction_is_not_written_either(tmp_path):
    results = Results(tmp_path)
    for row in (
        a_row(config_id="a" * 12),
        a_row(suite="a/b"),
        a_row(suite="a\n"),
        a_row(dataset=a_dataset(kind="segmentation")),
    ):
        with pytest.raises(RecordError):
            results.write_row(row)
    assert not list(tmp_path.rglob("*.json"))


def test_the_id_of_a_protocol_follows_from_its_facts():
    facts = to_builtins(ROW.protocol)
    assert ProtocolFacts.of({k: v for k, v in facts.items() if k != "id"}) == ROW.protocol
    assert ROW.protocol.own_id() == ROW.protocol.id


def test_a_failure_never_takes_the_place_of_a_finished_row(tmp_path):
    results = Results(tmp_path)
    results.write_row(a_failed_row())
    assert results.read_row(ROW.spec_id).status == "failed"
    results.write_row(ROW)
    results.write_row(a_failed_row())
    assert results.read_row(ROW.spec_id) == ROW


def test_a_row_of_another_seed_is_of_the_same_configuration():
    other = a_row(a_spec(seed=1))
    assert other.spec_id != ROW.spec_id
    assert other.config_id == ROW.config_id
    moved = structs.replace(other, spec_id=ROW.spec_id)
    assert "spec_id is" in moved.contradiction()

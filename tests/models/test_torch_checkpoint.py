"""Tensors are read from torch's checkpoints without torch, and nothing else comes out of them."""

from __future__ import annotations

import collections
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from benchmark.errors import UserError
from benchmark.models import _torch_checkpoint
from benchmark.models._torch_checkpoint import read_tensors
from tests.models.checkpoints import (
    BEGINNING,
    FACTS,
    by_name,
    called,
    checkpoint,
    pickled,
    storages,
    tensor,
    value,
)

VALUES = np.arange(6, dtype="<f4")
SOUND = checkpoint({"_fc.weight": VALUES.reshape(2, 3), "_bn.count": np.array(7, "<i8")})


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a checkpoint."""

    def read(content):
        (tmp_path / "net.pth").write_bytes(content)
        return read_tensors(tmp_path / "net.pth")

    return read


@pytest.fixture
def refuse(read, tmp_path):
    """Expects bytes to be refused, the file named."""

    def refuse(content, fault):
        with pytest.raises(UserError, match=rf"net\.pth is not a checkpoint.*{fault}"):
            read(content)

    return refuse


def with_tensor(made, values=VALUES, key="0"):
    return BEGINNING + FACTS + by_name({"w": made}) + storages({key: values})


def test_tensors_come_out_as_they_went_in(read):
    rng = np.random.default_rng(0)
    given = {
        "kernel": rng.normal(size=(4, 3, 2, 5)).astype("<f4"),
        "of other axes": rng.normal(size=(4, 3, 2, 5)).astype("<f4").transpose(3, 1, 0, 2),
        "count": np.array(2**40, "<i8"),
    }
    found = read(checkpoint(given))
    assert list(found) == list(given)
    for name, array in given.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_tensors_may_share_a_storage_each_with_its_offset_and_strides(read):
    made = {"all": tensor("0", 6, (3, 2), (1, 3)), "tail": tensor("0", 6, (2,), (1,), offset=4)}
    found = read(BEGINNING + FACTS + by_name(made) + storages({"0": VALUES}))
    np.testing.assert_array_equal(found["all"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(found["tail"], [4, 5])


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.text(max_size=8),
        arrays_of.arrays("<f4", arrays_of.array_shapes(max_dims=4, max_side=4)).flatmap(
            lambda array: st.permutations(range(array.ndim)).map(array.transpose)
        ),
        max_size=4,
    )
)
def test_whatever_is_a_state_dictionary_is_read(read, given):
    found = read(checkpoint(given))
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)


HOSTILE = {
    # what a pickle would do if it were unpickled, and what is said of it
    "system": (b"cos\nsystem\n" + value("touch ran") + b"\x85R", "names os.system"),
    "eval": (called("builtins eval", value("open('ran','w')")), "names builtins.eval"),
    "torch's own": (called("torch.hub load", value("x")), "names torch.hub.load"),
    "another of the module": (called("collections Counter"), "names collections.Counter"),
    "attribute": (b"ccollections\nOrderedDict.update\n", "names collections.OrderedDict.update"),
    "of protocol 4": (value("os") + value("system") + b"\x93", "instruction STACK_GLOBAL"),
    "instance": (b"(S'touch ran'\nios\nsystem\n", "instruction STRING"),
    "object": (b"(ccollections\nOrderedDict\no", "instruction OBJ"),
    "class": (b"ccollections\nOrderedDict\n)\x81", "instruction NEWOBJ"),
    "extension": (b"\x82\x01", "instruction EXT1"),
    "called with more": (called("collections OrderedDict", value(1)), "makes something that is no"),
    "called text": (
        value("os.system") + value(("touch ran",)) + b"R",
        "makes something that is no",
    ),
    "storage called": (called("torch FloatStorage", value(2**40)), "makes something that is no"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("place", ["facts", "keys", "a tensor"])
def test_a_pickle_that_would_do_anything_else_is_refused(
    case, place, refuse, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    made, fault = HOSTILE[case]
    parts = {"facts": FACTS, "a tensor": by_name({"w": made}), "keys": pickled(b"]")}
    parts[place] = parts[place] if place == "a tensor" else pickled(made)
    refuse(BEGINNING + b"".join(parts.values()), fault)
    assert not (tmp_path / "ran").exists()


GREEDY = {
    "a place far away in the memo": b"Nr\xff\xff\xff\x7f",
    "the same twice, sixty times": b"N" + b"q\x00h\x00\x86" * 60,
    "ten thousand deep": b"N" + b"\x85" * 10_000,
}


@pytest.mark.parametrize("case", GREEDY)
def test_a_pickle_that_would_take_all_memory_or_time_is_refused(case, refuse):
    refuse(BEGINNING + FACTS + by_name({"w": GREEDY[case]}) + pickled(b"]"), "w is no tensor")


def test_what_python_itself_would_run_is_not_run(refuse, tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    content = BEGINNING + FACTS + pickle.dumps(collections.OrderedDict(w=Harmful()), 2)
    refuse(content, r"names (posix|nt|os)\.mkdir")
    assert not (tmp_path / "ran").exists()


BROKEN = {
    "nothing": (b"", "it begins otherwise"),
    "a plain pickle": (pickle.dumps({"w": 1}, 2), "it begins otherwise"),
    "only the beginning": (BEGINNING, "pickle exhausted"),
    "big-endian": (SOUND.replace(FACTS, pickle.dumps({"little_endian": False}, 2)), "not tensors"),
    "a list": (BEGINNING + FACTS + pickled(b"]") * 2, "not tensors by name"),
    "a number": (BEGINNING + FACTS + by_name({"w": value(1)}) + pickled(b"]"), "w is no tensor"),
    "a name that is none": (BEGINNING + FACTS + pickled(b"}K\x01K\x02s"), "keys are not texts"),
    "no instruction": (BEGINNING + FACTS + b"\xff", "unknown"),
    "an empty stack": (BEGINNING + FACTS + pickled(b""), "do not fit together"),
    "too few": (BEGINNING + FACTS + pickled(b"\x86"), "do not fit together"),
    "no such memo": (BEGINNING + FACTS + pickled(b"h\x05"), "do not fit together"),
    "no mark": (BEGINNING + FACTS + pickled(b"t"), "do not fit together"),
    "a key without value": (BEGINNING + FACTS + pickled(b"}(X\0\0\0\0u"), "shorter"),
    "appended to a number": (BEGINNING + FACTS + pickled(b"K\x01Na"), "what is no list"),
    "float64": (with_tensor(tensor("0", 6, (6,), (1,), kind="DoubleStorage")), "torch.DoubleSto"),
    "a storage of no kind": (with_tensor(value(("storage", 1)) + b"Q"), "no storage of float32"),
    "a shape of texts": (with_tensor(tensor("0", 6, ("6",), (1,))), "makes something that is no"),
    "out of the storage": (with_tensor(tensor("0", 6, (7,), (1,))), "w reaches out"),
    "a large stride": (with_tensor(tensor("0", 6, (2, 2), (3, 3))), "w reaches out"),
    "a large offset": (with_tensor(tensor("0", 6, (6,), (1,), offset=1)), "w reaches out"),
    "a negative offset": (with_tensor(tensor("0", 6, (2,), (1,), offset=-1)), "w reaches out"),
    "a negative stride": (with_tensor(tensor("0", 6, (2,), (-1,), offset=3)), "w reaches out"),
    "a negative shape": (with_tensor(tensor("0", 6, (-2,), (1,))), "w reaches out"),
    "an empty shape": (with_tensor(tensor("0", 6, (0,), (1,))), "w reaches out"),
    "repeated for ever": (with_tensor(tensor("0", 6, (2**50,), (0,))), "w reaches out"),
    "a number too large": (with_tensor(tensor("0", 6, (2**200,), (2**200,))), "w reaches out"),
    "fewer strides": (with_tensor(tensor("0", 6, (2, 3), (1,))), "shorter"),
    "a hundred axes": (with_tensor(tensor("0", 6, (1,) * 100, (1,) * 100)), "dimension"),
    "another length": (with_tensor(tensor("0", 5, (5,), (1,))), "has 6 values, .* of 5"),
    "no values": (with_tensor(tensor("0", 0, (), ()), VALUES[:0]), "has 0 values"),
    "another key": (with_tensor(tensor("0", 6, (6,), (1,)), key="1"), "its keys are not those"),
    "a key that is no text": (
        BEGINNING + FACTS + by_name({"w": tensor("1", 6, (6,), (1,))}) + pickled(b"](K\x01e"),
        "its keys are not those",
    ),
    "two kinds": (
        BEGINNING
        + FACTS
        + by_name({n: tensor("0", 6, (1,), (1,), kind=f"{n}Storage") for n in ("Float", "Long")})
        + storages({"0": VALUES}),
        "of Long is said to be of two kinds",
    ),
    "cut": (SOUND[:-1], "buffer"),
    "cut before the values": (SOUND[: -8 - 8 - 24 - 8], "has 0 values"),
    "more behind": (SOUND + b"\0", "1 bytes follow"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_checkpoint_of_tensors_is_refused(case, refuse):
    content, fault = BROKEN[case]
    refuse(content, fault)


def test_the_format_of_later_versions_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as file:
        file.writestr("archive/data.pkl", FACTS)
    with pytest.raises(UserError, match=r"net\.pth .* up to 1\.5: it begins otherwise"):
        read_tensors(tmp_path / "net.pth")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.pth .* No such file"):
        read_tensors(tmp_path / "gone.pth")


def test_a_file_that_is_too_large_is_not_read(refuse, monkeypatch):
    monkeypatch.setattr(_torch_checkpoint, "LARGEST_FILE", len(SOUND) - 1)
    refuse(SOUND, f"{len(SOUND)} bytes are more than it may have")


def test_pickles_that_are_too_long_are_not_followed(refuse, monkeypatch):
    monkeypatch.setattr(_torch_checkpoint, "LARGEST_PICKLES", len(BEGINNING) + len(FACTS) + 20)
    refuse(SOUND, "no newline found")


def test_a_text_with_an_unknown_escape_is_refused(refuse):
    damaged = bytearray(SOUND)
    damaged[253] = ord("\\")  # in the name of a storage's class
    refuse(bytes(damaged), "a text that none has")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_gives_tensors_or_a_reason(read, changes):
    content = bytearray(SOUND)
    for place, byte in changes:
        content[place] = byte
    try:
        found = read(bytes(content))
    except UserError:
        return
    assert all(isinstance(array, np.ndarray) for array in found.values())


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=60))
def test_any_pickle_gives_tensors_or_a_reason(read, instructions):
    try:
        assert read(BEGINNING + FACTS + instructions + b"." + pickled(b"]")) == {}
    except UserError:
        return

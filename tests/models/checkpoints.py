"""Checkpoints as torch writes them, put together by hand: pickles out of their instructions."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence

import numpy as np

BEGINNING = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
FACTS = pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, 2)
KINDS = {"float32": "FloatStorage", "int64": "LongStorage", "float64": "DoubleStorage"}
EMPTY = b"ccollections\nOrderedDict\n)R"


def value(given: object) -> bytes:
    """The instructions that push a plain value."""
    return pickle.dumps(given, 2)[2:-1]


def called(name: str, *arguments: bytes) -> bytes:
    """The instructions that call what is called ``module name`` with what others push."""
    return b"c%s\n(%stR" % (name.replace(" ", "\n").encode(), b"".join(arguments))


def tensor(
    key: str,
    count: int,
    shape: Sequence[object],
    strides: Sequence[object],
    offset: int = 0,
    kind: str = "FloatStorage",
) -> bytes:
    """The instructions that make a tensor."""
    storage = [value("storage"), b"ctorch\n%s\n" % kind.encode(), value(key), value("cpu")]
    persistent = b"(" + b"".join(storage) + value(count) + b"NtQ"
    told = [value(offset), value(tuple(shape)), value(tuple(strides)), b"\x89", EMPTY]
    return called("torch._utils _rebuild_tensor_v2", persistent, *told)


def pickled(instructions: bytes) -> bytes:
    """A pickle of these instructions."""
    return b"\x80\x02" + instructions + b"."


def by_name(tensors: Mapping[str, bytes]) -> bytes:
    """The pickle of a state dictionary, with the versions that torch gives it as an attribute."""
    items = b"".join(value(name) + made for name, made in tensors.items())
    return pickled(EMPTY + b"(" + items + b"u" + value({"_metadata": {"": {"version": 1}}}) + b"b")


def storages(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The keys, then the values of each storage."""
    values = [struct.pack("<q", array.size) + array.tobytes() for array in arrays.values()]
    return pickle.dumps(list(arrays), 2) + b"".join(values)


def checkpoint(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as torch would save them; those not in C order keep their strides."""
    tensors, flat = {}, {}
    for key, (name, array) in enumerate(arrays.items()):
        strides = [step // array.itemsize for step in array.strides]
        kind = KINDS[array.dtype.name]
        tensors[name] = tensor(str(key), array.size, array.shape, strides, kind=kind)
        flat[str(key)] = array.ravel("K")
    return BEGINNING + FACTS + by_name(tensors) + storages(flat)

"""Tensors out of a checkpoint as PyTorch wrote it up to version 1.5, without PyTorch.

The file is five pickles, one after another: a magic number, the version of the protocol, facts of
the system, the tensors by name, the keys of the storages. Then comes each storage in the order of
the keys: its length as int64, then its values, little-endian
(https://github.com/pytorch/pytorch/blob/v1.5.0/torch/serialization.py).

A pickle is a programme, and unpickling runs it. Here the standard library only takes it apart into
its instructions. Those that torch writes for tensors are followed, any other is refused; names of
classes and functions stay texts, so that nothing is imported and nothing can be called.
"""

from __future__ import annotations

import io
import math
import pickletools
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmark.errors import UserError

LARGEST_FILE, LARGEST_PICKLES = 2**28, 2**22
"""Bytes of the file, and of the pickles in it; EfficientNet-Lite2 has a tenth of either."""

_BEGINNING = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e 80024de9032e")
"""The magic number 0x1950a86a20f9469cfc6c and protocol 1001, a pickle each."""

_DTYPES: dict[str, np.dtype] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch LongStorage": np.dtype("<i8"),
}
_NAMES = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2", *_DTYPES}


class _Fault(ValueError):
    """What is wrong with a file, in words."""


class _Storage(NamedTuple):
    """Values that tensors are views of."""

    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides are counted in values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary by name, float32 or int64, their axes in torch's order.

    Raises:
        UserError: the file cannot be read, is no such checkpoint, or holds anything but tensors.
    """
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_FILE:
            raise _Fault(f"{size:,} bytes are more than it may have ({LARGEST_FILE:,})")
        return _tensors(Path(path).read_bytes())
    except (ValueError, OSError) as error:  # pickletools and NumPy raise ValueErrors
        raise UserError(
            f"{path} is not a checkpoint of tensors as PyTorch wrote it up to 1.5: {error}"
        ) from error


def _tensors(content: bytes) -> dict[str, np.ndarray]:
    if not content.startswith(_BEGINNING):
        raise _Fault("it begins otherwise")
    file = io.BytesIO(content[:LARGEST_PICKLES])
    file.seek(len(_BEGINNING))
    match _unpickled(file), _unpickled(file), _unpickled(file):
        case {"little_endian": True}, dict(found), list(keys):
            values = _values(content, file.tell(), keys, _storages(found))
            return {name: _view(name, tensor, values) for name, tensor in found.items()}
    raise _Fault("its pickles are not tensors by name and the keys of their storages")


def _unpickled(file: io.BytesIO) -> Any:
    """What the next pickle of a file makes: plain values, storages and tensors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of an escape in a text that Python does not know
            return _followed(file)
    except LookupError as error:
        raise _Fault("instructions of a pickle in it do not fit together") from error
    except Warning as error:
        raise _Fault(f"a pickle in it holds a text that none has: {error}") from error


def _followed(file: io.BytesIO) -> Any:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def last(count: int) -> list[Any]:
        return [stack.pop() for _ in range(count)][::-1]

    def since_mark() -> list[Any]:
        return last(len(stack) - marks.pop())

    instructions: Iterable[tuple[Any, Any, Any]] = pickletools.genops(file)
    for opcode, argument, _ in instructions:
        match opcode.name:
            case "PROTO":
                pass
            case "NONE" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINUNICODE":
                stack.append(argument)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "GLOBAL":
                stack.append(_known(argument))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(last(int(opcode.name[-1]))))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "EMPTY_LIST":
                stack.append([])
            case "APPEND":
                _extend(last(1), stack[-1])
            case "APPENDS":
                _extend(since_mark(), stack[-1])
            case "EMPTY_DICT":
                stack.append({})
            case "SETITEM":
                _update(last(2), stack[-1])
            case "SETITEMS":
                _update(since_mark(), stack[-1])
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case "REDUCE":
                stack.append(_made(*last(2)))
            case "BUILD":
                stack.pop()  # attributes of the state dictionary: versions of its layers
            case "STOP":
                return stack.pop()
            case other:
                raise _Fault(f"a pickle in it has the instruction {other}, which no tensor needs")


def _known(name: str) -> str:
    if name not in _NAMES:
        raise _Fault(f"a pickle in it names {name.replace(' ', '.')}, which is not of a tensor")
    return name


def _extend(items: list[Any], target: Any) -> None:
    if not isinstance(target, list):
        raise _Fault("a pickle in it appends to what is no list")
    target.extend(items)


def _update(items: list[Any], target: Any) -> None:
    keys, values = items[::2], items[1::2]
    if not isinstance(target, dict) or not all(isinstance(key, str) for key in keys):
        raise _Fault("a pickle in it has a dictionary whose keys are not texts")
    target.update(zip(keys, values, strict=True))


def _storage(said: Any) -> _Storage:
    match said:
        case "storage", str(kind), str(key), str(), int(length), None if kind in _DTYPES:
            return _Storage(key, _DTYPES[kind], length)
    raise _Fault("it refers to what is no storage of float32 or int64")


def _made(name: Any, arguments: Any) -> dict | _Tensor:
    match name, arguments:
        case "collections OrderedDict", ():
            return {}
        case (
            "torch._utils _rebuild_tensor_v2",
            (_Storage() as storage, int(offset), tuple(shape), tuple(strides), bool(), dict()),
        ) if all(isinstance(number, int) for number in shape + strides):
            return _Tensor(storage, offset, shape, strides)
    raise _Fault("a pickle in it makes something that is no tensor")


def _storages(tensors: Mapping[str, Any]) -> dict[str, _Storage]:
    storages: dict[str, _Storage] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, _Tensor):
            raise _Fault(f"{name} is no tensor")
        if storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise _Fault(f"the storage of {name} is said to be of two kinds")
    return storages


def _values(
    content: bytes, start: int, keys: list[Any], storages: Mapping[str, _Storage]
) -> dict[str, np.ndarray]:
    """The values of each storage, which fill the file from ``start`` to its end."""
    if not all(isinstance(key, str) for key in keys) or sorted(keys) != sorted(storages):
        raise _Fault("its keys are not those of the tensors' storages")
    values = {}
    for key in keys:
        _, dtype, length = storages[key]
        said = int.from_bytes(content[start : start + 8], "little", signed=True)
        if said != length or length < 1:
            raise _Fault(f"storage {key} has {said} values, its tensors speak of {length}")
        values[key] = np.frombuffer(content, dtype, length, start + 8)
        start += 8 + values[key].nbytes
    if start != len(content):
        raise _Fault(f"{len(content) - start} bytes follow after the last storage")
    return values


def _view(name: str, tensor: _Tensor, values: Mapping[str, np.ndarray]) -> np.ndarray:
    storage, offset, shape, strides = tensor
    flat = values[storage.key]
    steps = zip(shape, strides, strict=True)
    last = offset + sum((side - 1) * stride for side, stride in steps)
    if (
        min(offset, *strides, 0) < 0
        or min(shape, default=1) < 1
        or max(last + 1, math.prod(shape)) > len(flat)
    ):
        raise _Fault(f"tensor {name} reaches out of its storage")
    in_bytes = [stride * flat.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, in_bytes).copy()

"""Files changed behind the back of whoever wrote them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

OTHER_TYPES = (None, True, -1, 0.5, "text", [], {}, [None], {"a": 1})


def damaged_bytes(data: bytes) -> st.SearchStrategy[bytes]:
    """Cut off, with a bit flipped, with bytes lost, or with bytes put in."""
    at = st.integers(0, len(data) - 1)
    return st.one_of(
        at.map(lambda k: data[:k]),
        st.tuples(at, st.integers(0, 7)).map(lambda t: _flipped(data, *t)),
        st.tuples(at, st.integers(1, 40)).map(lambda t: data[: t[0]] + data[sum(t) :]),
        st.tuples(at, st.binary(min_size=1, max_size=9)).map(
            lambda t: data[: t[0]] + t[1] + data[t[0] :]
        ),
    )


def damaged_json(data: bytes) -> st.SearchStrategy[bytes]:
    """With one value at any depth left out, or of another type, or a key more."""
    places = list(_places(json.loads(data)))
    changed = st.tuples(st.sampled_from(places), st.sampled_from(("drop", "add", *OTHER_TYPES)))
    return changed.map(lambda t: _changed(data, *t))


def _flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def _places(value: Any, here: tuple = ()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items if isinstance(value, dict | list) else ():
        yield (*here, key)
        yield from _places(below, (*here, key)) if isinstance(below, dict | list) else ()


def _changed(data: bytes, place: tuple, how: Any) -> bytes:
    whole = json.loads(data)
    holder = whole
    for key in place[:-1]:
        holder = holder[key]
    if how == "drop":
        del holder[place[-1]]
    elif how == "add" and isinstance(holder, dict):
        holder["unheard of"] = 1
    else:
        holder[place[-1]] = how
    return json.dumps(whole, indent=1).encode()

"""Whether a component still gives what was recorded, give or take what machines differ by."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

TOLERANCE = 1e-4
"""Of a value, or of the largest one beside it in its list."""
DIGITS = 7
FLIPPED = 0.01
"""Share of an image's pixels that may be rounded the other way, one grey level off."""


def rounded(values: Any) -> Any:
    """The same with plain numbers of :data:`DIGITS` significant digits, as JSON can hold them."""
    if isinstance(values, dict):
        return {str(key): rounded(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [rounded(value) for value in values]
    if isinstance(values, float | np.floating):
        return float(f"{values:.{DIGITS}g}")
    return int(values) if isinstance(values, np.integer) else values


def difference(recorded: Any, now: Any, where: str = "") -> str:
    """The first difference in words; empty where there is none that counts."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return _of_dicts(recorded, now, where)
    if where.endswith("/pixels"):
        return _of_pixels(recorded, now, where)
    if isinstance(recorded, list) and isinstance(now, list):
        return _of_lists(recorded, now, where)
    return _of_lists([recorded], [now], where)


def _of_dicts(recorded: dict, now: dict, where: str) -> str:
    if recorded.keys() != now.keys():
        return f"{where or 'it'} has {', '.join(now)}; recorded: {', '.join(recorded)}"
    found = (difference(recorded[key], now[key], f"{where}/{key}") for key in recorded)
    return next(filter(None, found), "")


def _of_lists(recorded: list, now: list, where: str) -> str:
    one, other = _flat(recorded), _flat(now)
    if len(one) != len(other):
        return f"{where} holds {len(other)} values; recorded: {len(one)}"
    near = TOLERANCE * max((abs(v) for v in one if _is_float(v) and math.isfinite(v)), default=0)
    for number, (was, is_) in enumerate(zip(one, other, strict=True)):
        same = abs(was - is_) <= near if _is_float(was) and _is_number(is_) else was == is_
        if not same:
            return f"{where}[{number}] is {is_}; recorded: {was}"
    return ""


def _flat(values: list) -> list:
    flat: list = []
    for value in values:
        flat += _flat(value) if isinstance(value, list) else [value]
    return flat


def _is_float(value: Any) -> bool:
    return isinstance(value, float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_pixels(recorded: str, now: str, where: str) -> str:
    was, is_ = (np.frombuffer(base64.b64decode(text), np.uint8).astype(int)
                for text in (recorded, now))  # fmt: skip
    if was.shape != is_.shape:
        return f"{where}: {len(is_)} pixels; recorded: {len(was)}"
    off = np.abs(was - is_)
    if off.max(initial=0) <= 1 and (off > 0).mean() <= FLIPPED:
        return ""
    return f"{where}: {(off > 0).sum()} of {len(off)} pixels differ, by up to {off.max()}"

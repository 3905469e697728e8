"""What numbers and texts a row may hold, in one place: what is refused of a row when it is read is
refused of suites, options and files before anything is run. Names are those of `benchmark.naming`.
"""

from __future__ import annotations

import math


def is_writable(text: str) -> bool:
    """Whether a file can hold a text: a literal of Python may have halves of characters."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


LARGEST_COUNT = 10**15
LARGEST_NUMBER = 1e39
"""Of what is measured: all that float32 holds, so that its sums and squares are numbers, too."""
LARGEST_OF_RECIPE = 10**12
ABOVE_ZERO = ("learning_rate", "batch_size", "epochs", "patience", "accumulate", "head_epochs",
              "finetune_factor")  # fmt: skip
NOT_BELOW = ("warmup_steps", "clip_norm", "weight_decay", "ema_epochs")
SHARES = ("warmup_share", "label_smoothing")
OF_RECIPE = (*ABOVE_ZERO, *NOT_BELOW, *SHARES)
"""Numbers of a recipe."""


def wrong_of_recipe(name: str, value: float) -> str:
    """What a number of a recipe must be and is not, in words; empty where it is that."""
    if not abs(value) < math.inf:
        return "a finite number"
    if name in ABOVE_ZERO and not value > 0:
        return "above zero"
    if name in NOT_BELOW and not value >= 0:
        return "zero or above"
    if name in SHARES and not 0 <= value < 1:
        return "from 0 to below 1"
    return "" if abs(value) <= LARGEST_OF_RECIPE else f"at most {LARGEST_OF_RECIPE:,}"

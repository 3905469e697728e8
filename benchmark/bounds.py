"""What names and numbers a row may hold, in one place: what is refused of a row when it is read is
refused of suites, options and files before anything is run.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """What a name looks like.

    Attributes:
        pattern: a regular expression of all of it.
        words: the same for people.
    """

    pattern: str
    words: str

    def fits(self, name: str) -> bool:
        """Whether a name looks so."""
        return re.fullmatch(self.pattern, name) is not None


MODEL = Form(
    "[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}",
    "up to 60 letters, digits and _ . + -, of which the first is a letter or digit",
)
"""Of models: of files, of ensembles, and of what other tools predicted."""
FILE = Form("[a-z][a-z0-9_]{0,59}", "a letter and up to 59 of a-z, 0-9 and _")
"""Of a file that is found by its name: of a model, or of a value of an axis."""
VARIANT = Form("[a-z0-9_:]{0,60}", "up to 60 of a-z, 0-9, _ and :")
"""Of a value of an axis with what it is told, as ``from:<spec id>``; empty where there is none."""
SUITE = Form(
    "[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
    "up to 100 letters, digits, _ and -, of which the first is a letter or digit",
)
DATASET = Form(f"{FILE.pattern}/[a-z0-9][a-z0-9_]{{0,59}}", f"two names, each {FILE.words}")


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

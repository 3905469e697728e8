"""What people may call things, and what to call them where a name is refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from benchmark.errors import quoted

_SHOWN = 80
"""Characters of a refused name that are quoted."""


@dataclass(frozen=True)
class Naming:
    """The names that things of one kind may have.

    Attributes:
        kind: of thing, one word, e.g. ``"model"``.
        first, rest: the characters of a name, as in the brackets of a regular expression.
        longest: so many characters at most.
        words: which characters these are, for people.
    """

    kind: str
    first: str
    rest: str
    longest: int
    words: str

    @property
    def pattern(self) -> str:
        """A regular expression of all of a name."""
        return f"[{self.first}][{self.rest}]{{0,{self.longest - 1}}}"

    @property
    def rule(self) -> str:
        """What a name is made of, for people."""
        return f"{self.words}, at most {self.longest} characters"

    def fault(self, name: object) -> str:
        """Why something is no such name, with one that is; empty where it is one."""
        if isinstance(name, str) and re.fullmatch(self.pattern, name):
            return ""
        article = "an" if self.kind[0] in "aeiou" else "a"
        shown = quoted(name[:_SHOWN] if isinstance(name, str) else name)
        near = self._near(name) if isinstance(name, str) else ""
        hint = f"; for instance {near}" if near else ""
        return f"{shown} cannot be {article} {self.kind}'s name: use {self.rule}{hint}"

    def _near(self, name: str) -> str:
        """The name without what it may not have; empty where nothing is left."""
        cased = name if "A-Z" in self.rest else name.casefold()
        plain = unicodedata.normalize("NFKD", cased).encode("ascii", "ignore").decode()
        said = re.sub(f"[^{self.rest}]+", "_", plain).strip("_.+-")
        begun = said if re.match(f"[{self.first}]", said) else f"{self.kind}_{said}"
        return begun[: self.longest] if said else ""


_PLAIN = ("a-z", "a-z0-9_", 60, "lower-case letters, digits and underscores, first a letter")
MODEL_FILES = Naming("model", *_PLAIN)
ENSEMBLES = Naming("ensemble", *_PLAIN)
FILES = Naming("file", *_PLAIN)
"""Of one that is found by its name, as a value of an axis is."""
VARIANT = "[a-z0-9_:]{0,60}"
"""Of a value of an axis with what it is told, as ``from:<spec id>``; empty where there is none."""
VARIANT_RULE = "lower-case letters, digits, underscores and colons, at most 60 characters"
SUITES = Naming(
    "suite", "A-Za-z0-9", "A-Za-z0-9_-", 100,
    "letters, digits, underscores and hyphens, first a letter or digit",
)  # fmt: skip
MODELS = Naming(
    "model", "A-Za-z0-9", "A-Za-z0-9_.+-", 60,
    "letters, digits, underscores, dots, plus signs and hyphens, first a letter or digit",
)  # fmt: skip
"""Of files, of ensembles, and of what other tools predicted."""

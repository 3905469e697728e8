"""Axes whose values are files of a folder, found by name. Imports no TensorFlow.

One file a value: its name is the value's name, and those that begin with ``_`` are no values. Each
has ``CARD``, a literal that is read without running the file, and the one function that its axis
asks for. Which keys a card has, and what the function takes, says the folder's ``__init__``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from benchmark.bounds import is_writable
from benchmark.errors import UnknownName, UserError
from benchmark.naming import FILES


@dataclass(frozen=True)
class Plugin:
    """A value of an axis as found on disk, not imported yet.

    Attributes:
        axis: whose value it is.
        name: the file's name without ``.py``.
        path: the file.
        card: its ``CARD``, with what it leaves out as the axis has it.
    """

    axis: Axis
    name: str
    path: Path
    card: Mapping[str, Any]

    @property
    def version(self) -> int:
        """Raised when what the file does to numbers changes."""
        return self.card["version"]

    def load(self) -> Any:
        """Import the file and return its function; a UserError names the file on any failure."""
        try:
            return getattr(self._module(), self.axis.entry)
        except Exception as error:
            raise UserError(
                f"{self.path}: cannot be used as {self.axis.what}: {error!r}"
            ) from error

    def _module(self) -> ModuleType:
        name = f"{self.axis.package}.{self.name}"
        if self.path.parent == self.axis.folder:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None  # as of every file called *.py
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


Found = TypeVar("Found", bound=Plugin)


@dataclass(frozen=True)
class Axis(Generic[Found]):
    """A folder of values.

    Attributes:
        what: what a value is called in messages.
        package: dotted name of the folder.
        entry: name of the function that each file has.
        keys: of each card, and the type of their values.
        optional: keys that a card may leave out, and what they are then.
        found: type of what is found.
    """

    what: str
    package: str
    entry: str
    keys: Mapping[str, type]
    optional: Mapping[str, Any] = field(default_factory=dict)
    found: Callable[..., Found] = Plugin  # type: ignore[assignment]  # unless another is named

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return Path(str(importlib.import_module(self.package).__file__)).parent

    def names(self, folder: Path | None = None) -> list[str]:
        """Every value in a folder, in alphabetical order; the axis' own unless another is given."""
        paths = (folder or self.folder).glob("*.py")
        return sorted(path.stem for path in paths if not path.name.startswith("_"))

    def discover(self, folder: Path | None = None) -> dict[str, Found]:
        """Every value by name, in alphabetical order; imports none of them."""
        return {name: self.find(name, folder) for name in self.names(folder)}

    def find(self, name: str, folder: Path | None = None) -> Found:
        """The value called ``name``; UnknownName lists the choices."""
        path = (folder or self.folder) / f"{name}.py"
        fault = FILES.fault(name)
        if fault and name in self.names(folder):
            raise UserError(f"{path}: {fault}; rename it")
        if fault or not path.is_file():
            raise UnknownName(self.what, name, self.names(folder))
        card = self._checked(path, _card(path, path.stat().st_mtime_ns))
        return self.found(self, name, path, card)

    def _checked(self, path: Path, card: Mapping[str, Any]) -> dict[str, Any]:
        wanted = dict(self.keys) | {key: type(value) for key, value in self.optional.items()}
        for key in card:
            if key not in wanted:
                raise UnknownName(f"key in the CARD of {path}", str(key), wanted)
        card = dict(self.optional) | dict(card)
        wrong = [key for key, kind in wanted.items() if not isinstance(card.get(key), kind)]
        wrong += [key for key, v in card.items() if isinstance(v, str) and not is_writable(v)]
        if wrong:
            raise UserError(f"{path}: CARD lacks {', '.join(wrong)} (or has them of a wrong type)")
        return card


@cache
def _card(path: Path, changed: int) -> Mapping[str, Any]:
    """The card of a file as it was written at that time: a plan asks for it a thousand times."""
    try:
        statements = ast.parse(path.read_bytes()).body
        values = [s.value for s in statements if isinstance(s, ast.Assign) and _names_card(s)]
        return dict(ast.literal_eval(values[0]))
    except (SyntaxError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{path}: CARD must be a literal dictionary ({error})") from error


def _names_card(statement: ast.Assign) -> bool:
    return any(isinstance(t, ast.Name) and t.id == "CARD" for t in statement.targets)

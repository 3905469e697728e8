"""Preprocessing variants: what is done to the pixels of a view, after the resize.

One file a variant; the file's name is the variant's name, files that begin with ``_`` are not
variants. A file has

- ``CARD``, a literal (it is read without importing the file): ``title``, ``description``,
  ``version`` (a number, raised with every change of the pixels) and ``idempotent`` (whether a
  second application changes nothing); ``"needs": "lungs"`` where it has to know the lungs;
- ``apply(image)``: uint8 (S, S) in, uint8 (S, S) out, pure and deterministic, S >= 32; with a
  second argument, bool (S, S), where it needs the lungs.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import UnknownName, UserError

FOLDER = Path(__file__).parent
CARD_KEYS = {"title": str, "description": str, "version": int, "idempotent": bool}


@dataclass(frozen=True)
class Variant:
    """A preprocessing variant as found on disk, not imported yet.

    Attributes:
        name: the file's name without ``.py``.
        path: the file.
        card: its ``CARD``.
    """

    name: str
    path: Path
    card: dict[str, Any]

    @property
    def version(self) -> int:
        """Of the pixels that it makes; views are built anew when it changes."""
        return self.card["version"]

    @property
    def needs_lungs(self) -> bool:
        """Whether a network has to find the lungs first."""
        return self.card.get("needs") == "lungs"

    def load(self) -> Callable[..., np.ndarray]:
        """Import the file and return its ``apply``; a UserError names the file on any failure."""
        spec = importlib.util.spec_from_file_location(f"{__name__}.{self.name}", self.path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            return module.apply
        except Exception as error:
            raise UserError(f"{self.path}: cannot be used as preprocessing: {error!r}") from error


def discover(folder: Path = FOLDER) -> dict[str, Variant]:
    """Every variant in ``folder`` by name, in alphabetical order; imports none of them."""
    return {path.stem: _read(path) for path in _files(folder)}


def find(name: str, folder: Path = FOLDER) -> Variant:
    """The variant called ``name``; UnknownName lists the choices."""
    path = folder / f"{name}.py"
    if name.startswith("_") or not path.is_file():
        raise UnknownName("preprocessing", name, [path.stem for path in _files(folder)])
    return _read(path)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _read(path: Path) -> Variant:
    return Variant(path.stem, path, _card(path, path.stat().st_mtime_ns))


@cache
def _card(path: Path, changed: int) -> dict[str, Any]:
    """The card of a file as it was written at that time: a plan asks for it a thousand times."""
    try:
        statements = ast.parse(path.read_bytes()).body
        values = [s.value for s in statements if isinstance(s, ast.Assign) and _names_card(s)]
        card = dict(ast.literal_eval(values[0]))
    except (SyntaxError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{path}: CARD must be a literal dictionary ({error})") from error
    wrong = [key for key, kind in CARD_KEYS.items() if not isinstance(card.get(key), kind)]
    if wrong:
        raise UserError(f"{path}: CARD lacks {', '.join(wrong)} (or has them of a wrong type)")
    return card


def _names_card(statement: ast.Assign) -> bool:
    return any(isinstance(t, ast.Name) and t.id == "CARD" for t in statement.targets)

"""Finding protocols: families by file name, without a list kept by hand."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from benchmark import protocols
from benchmark.errors import UnknownName
from benchmark.protocols.base import SplitProtocol

INTERFACE = "base"


def families() -> dict[str, ModuleType]:
    """Every family of protocols by the name of its file, sorted."""
    return _families(tuple(protocols.__path__))


def find(name: str) -> SplitProtocol:
    """The protocol called ``name``.

    Raises:
        UnknownName: there is none, or it lacks what its family needs; lists the choices.
    """
    for family in families().values():
        if found := family.parse(name):
            return found
    choices = [choice for family in families().values() for choice in family.NAMES]
    raise UnknownName("protocol", name, choices)


@cache
def _families(folders: tuple[str, ...]) -> dict[str, ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(folders))
    return {
        name: import_module(f"{protocols.__name__}.{name}")
        for name in names
        if name != INTERFACE and not name.startswith("_")
    }

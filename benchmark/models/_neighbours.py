"""Modules beside a model file from elsewhere: found while it runs, and by nobody else."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

Modules = dict[str, ModuleType]


@contextmanager
def importable(folder: Path, modules: Modules) -> Iterator[None]:
    """Let imports find the files in ``folder``, after everything else that has their names.

    Args:
        modules: those that the same model file imported before, which it gets again; those that
            it imports now are added. Outside of the block nobody sees them, so that two folders may
            have helpers of one name and a changed helper is read anew.
    """
    of_others = _taken_out(folder)
    sys.modules.update(modules)
    wrote_nothing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.append(str(folder))
    importlib.invalidate_caches()  # or a helper that was just written may not be found
    try:
        yield
    finally:
        with suppress(ValueError):  # the file's code may have changed the path
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(str(folder))]
        sys.dont_write_bytecode = wrote_nothing
        modules.update(_taken_out(folder))
        sys.modules.update(of_others)


def among(folder: Path, modules: Modules, function: Callable) -> Callable:
    """A function that is run inside of :func:`importable`, for what it imports itself."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        with importable(folder, modules):
            return function(*args, **kwargs)

    return run


def _taken_out(folder: Path) -> Modules:
    """Take the modules that came from a folder, and their submodules, out of ``sys.modules``."""
    names = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    ours = {name for name in names & sys.modules.keys() if _came_from(folder, name)}
    found = [name for name in sys.modules if name.partition(".")[0] in ours]
    return {name: sys.modules.pop(name) for name in found}


def _came_from(folder: Path, name: str) -> bool:
    module = sys.modules[name]
    if file := getattr(module, "__file__", None):
        return Path(file) in (folder / f"{name}.py", folder / name / "__init__.py")
    return str(folder / name) in getattr(module, "__path__", ())  # a folder without __init__.py

"""Finding model files and running one: by file name, without a list kept by hand."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from benchmark.bounds import FILE
from benchmark.errors import UserError
from benchmark.models._cards import CardError, read_card
from benchmark.models._neighbours import Modules, among, importable
from benchmark.models._source_version import source_version

BUILT_IN = Path(__file__).resolve().parent
ENTRY_POINTS = {
    "image": ("build", ("input_shape", "task", "weights")),
    "metadata": ("fit", ("metadata", "targets", "labelled", "task")),
    "shape": ("fit", ("shapes", "targets", "labelled", "task")),
}


class ModelError(UserError):
    """A model file that cannot be used; the text names the file and, where known, the line."""


class NotApplicable(UserError):
    """A sound model that does not apply to this data set or this image size; the text says why."""


@dataclass(frozen=True)
class ModelFile:
    """One model file as found.

    Attributes:
        name: public name, the file's name without ``.py``.
        path: the file.
        card: its checked card, empty where ``problem`` is set.
        sha256: hash of the file's bytes, empty where they cannot be read.
        version: of the numbers that the model gives; of a file of this package its card's
            ``version``, which stands for the helpers too; of any other file a hash of what it and
            the files beside it that it imports say (:mod:`benchmark.models._source_version`).
            Empty where ``problem`` is set.
        problem: why the model cannot be used, one sentence naming the file; None where it can.
    """

    name: str
    path: Path
    card: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""
    version: str = ""
    problem: str | None = None

    @property
    def built_in(self) -> bool:
        """Whether it is a file of this package."""
        return self.path.parent == BUILT_IN


def discover(extra_dirs: Sequence[Path] = ()) -> dict[str, ModelFile]:
    """Every model file of this package and of ``extra_dirs``, by name, sorted.

    Files are parsed, not run. A file that cannot be used is listed with its ``problem``; so is a
    name that two files claim, because neither may silently stand for the other.

    Raises:
        UserError: one of ``extra_dirs`` is not a folder.
    """
    found: dict[str, ModelFile] = {}
    for path in _candidates((BUILT_IN, *extra_dirs)):
        model_file = _read(path)
        earlier = found.get(model_file.name)
        found[model_file.name] = _clash(earlier, model_file) if earlier else model_file
    return dict(sorted(found.items()))


def _candidates(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in dict.fromkeys(Path(folder).resolve() for folder in folders):
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder of model files. Check --models-dir.")
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith(("_", ".")) and not path.is_dir():
                yield path


def _read(path: Path) -> ModelFile:
    name, digest = path.stem, ""
    try:
        source = path.read_bytes()
        digest = hashlib.sha256(source).hexdigest()
        if not FILE.fits(name):
            raise CardError(f"a model's file name is {FILE.words}")
        card = read_card(source)
        return ModelFile(name, path, card, digest, _version(path, card))
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except CardError as error:
        problem = str(error)
    return ModelFile(name, path, sha256=digest, problem=f"model file {path}: {problem}.")


def _version(path: Path, card: dict[str, Any]) -> str:
    return str(card["version"]) if path.parent == BUILT_IN else source_version(path)


def _clash(first: ModelFile, second: ModelFile) -> ModelFile:
    problem = (
        f"two files are called {second.name}: {first.path} and {second.path}; rename one, "
        "a model's name is its file name."
    )
    return ModelFile(second.name, second.path, sha256=second.sha256, problem=problem)


def load(model_file: ModelFile) -> ModuleType:
    """Run a model file, from whichever folder, and return it as a module.

    The same version of the same bytes is run once a process. The file may import installed
    packages (``benchmark`` among them) and, where it is not of this package, the modules beside it:
    at its top or in its ``build`` or ``fit``. A name that is installed, or the standard library's,
    stays theirs.

    Raises:
        ModelError: naming file and line, where the file is unusable, it or what it imports beside
            it has changed since it was found, it fails while it is run, or lacks a fitting
            ``build`` or ``fit``.
    """
    if model_file.problem:
        raise ModelError(model_file.problem)
    key = f"cxr_bench_model_{model_file.name}_{model_file.sha256}_{model_file.version}"
    if key not in sys.modules:
        _run(model_file, key)
    module = sys.modules[key]
    _check_entry_point(model_file, module)
    return module


def _run(model_file: ModelFile, key: str) -> None:
    with blaming(model_file, "could not be run"):
        source = model_file.path.read_bytes()
        _check_unchanged(model_file, source)
        module = ModuleType(key)
        module.__file__ = str(model_file.path)
        sys.modules[key] = module  # dataclasses and pickles look their module up while it runs
        try:
            code = compile(source, str(model_file.path), "exec")
            if model_file.built_in:
                exec(code, module.__dict__)
            else:
                _run_among_neighbours(model_file, code, module)
        except BaseException:
            del sys.modules[key]
            raise


def _check_unchanged(model_file: ModelFile, source: bytes) -> None:
    path = model_file.path
    if hashlib.sha256(source).hexdigest() != model_file.sha256:
        raise ModelError(f"model file {path} has changed since it was read; try again.")
    if not model_file.built_in and source_version(path) != model_file.version:
        raise ModelError(
            f"a file that the model file {path} imports has changed since it was read; try again."
        )


def _run_among_neighbours(model_file: ModelFile, code: CodeType, module: ModuleType) -> None:
    folder, neighbours = model_file.path.parent, Modules()
    with importable(folder, neighbours):
        exec(code, module.__dict__)
    name, _ = ENTRY_POINTS[model_file.card["inputs"]]
    function = getattr(module, name, None)
    if callable(function):
        setattr(module, name, among(folder, neighbours, function))


def _check_entry_point(model_file: ModelFile, module: ModuleType) -> None:
    name, arguments = ENTRY_POINTS[model_file.card["inputs"]]
    function = getattr(module, name, None)
    wanted = f"{name}({', '.join(arguments)})"
    if not callable(function):
        raise ModelError(f"model file {model_file.path} has no function {wanted}.")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        written = inspect.unwrap(function)
        line = getattr(getattr(written, "__code__", None), "co_firstlineno", "?")
        where = f"{model_file.path}, line {line}"
        raise ModelError(
            f"model file {where}: {name} cannot be called as {wanted}: {error}."
        ) from error


@contextmanager
def blaming(model_file: ModelFile, what: str) -> Iterator[None]:
    """Turn whatever a model file's own code raises into a ModelError naming file and line."""
    try:
        yield
    except (UserError, MemoryError):  # said well already; or the machine's fault, not the file's
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".strip(": ")
        where = f"{model_file.path}{_line_in(model_file.path, error)}"
        raise ModelError(f"model file {where} {what}: {reason}") from error


def _line_in(path: Path, error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}," if lines else ""

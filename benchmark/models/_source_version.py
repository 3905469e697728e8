"""The version of a model file from elsewhere: a hash of what it and the files beside it say.

What counts is the syntax tree, so that comments, blank lines, formatting and docstrings change
nothing, and only files that an ``import`` names: what is imported by a name made at run time, or
read as data, is not seen. The hash of the same text is the same under every supported Python.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

LENGTH = 16
"""Hexadecimal digits of a version."""

_NO_MEANING = {"kind", "type_comment", "type_ignores"}
"""Fields of the tree that tell how something is written, not what: ``u"x"`` is ``"x"``."""


def source_version(path: Path) -> str:
    """The version of a file, with that of every file in its folder that it imports, and so on.

    Files that cannot be read or are no Python count by their bytes; running them will say why.
    """
    digests: dict[Path, str] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in digests:
            continue
        source = _bytes_of(file)
        tree = _parsed(source)
        digests[file] = _sha256(source) if tree is None else tree_digest(tree)
        waiting += [] if tree is None else _imported(tree, file, path.parent)
    own = digests.pop(path)
    others = [f"{file.relative_to(path.parent).as_posix()} {d}" for file, d in digests.items()]
    return _sha256("\n".join([own, *sorted(others)]).encode())[:LENGTH]


def tree_digest(tree: ast.AST) -> str:
    """SHA-256 of a syntax tree, without positions and docstrings."""
    return _sha256("\n".join(_tokens(tree)).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parsed(source: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in strings; running the file warns
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _tokens(tree: ast.AST) -> Iterator[str]:
    """The tree as lines of ASCII. Not ``ast.dump``: what that writes changes with Python.

    Without recursion, so that no expression is too deep.
    """
    waiting: list[ast.AST | list | str] = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        parts = ["[", *map(_part, item), "]"] if isinstance(item, list) else _parts_of(item)
        waiting += reversed(parts)


def _parts_of(node: ast.AST) -> list[ast.AST | list | str]:
    parts: list[ast.AST | list | str] = [f"({type(node).__name__}"]
    for name in sorted(node._fields):  # their order may change
        value = _without_words(getattr(node, name, None), node)
        # Later Pythons have more fields; where they are not used they are empty.
        if name not in _NO_MEANING and value is not None and value != []:
            parts += [f".{name}", _part(value)]
    return [*parts, ")"]


def _part(value: Any) -> ast.AST | list | str:
    """A node or a list as it is, to be taken apart later; anything else as text."""
    if isinstance(value, ast.AST | list):
        return value
    text = hex(value) if isinstance(value, int) else ascii(value)
    return f"{type(value).__name__} {text}"


def _without_words(value: Any, node: ast.AST) -> Any:
    """The value of a field without what only speaks to people, in one form under every Python."""
    if isinstance(node, ast.JoinedStr):
        return _joined(value)
    if isinstance(node, ast.FormattedValue) and isinstance(value, ast.JoinedStr):
        return value if _joined(value.values) else None  # f"{x:}" is f"{x}"
    if isinstance(value, list):
        return [item for item in value if not (isinstance(item, ast.Expr) and _text(item.value))]
    return value


def _text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Parts of an f-string; neighbouring texts are one, which Pythons cut differently."""
    joined: list[ast.expr] = []
    for part in values:
        if _text(part) and joined and _text(last := joined[-1]):
            joined[-1] = ast.Constant(str(last.value) + str(part.value))
        else:
            joined.append(part)
    return [part for part in joined if not (_text(part) and part.value == "")]


def _imported(tree: ast.Module, file: Path, folder: Path) -> Iterator[Path]:
    """Files under ``folder``, the model file's, that imports anywhere in a file's tree run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _absolute(alias.name.split("."), folder)
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            for alias in node.names:  # a name may be a module of the package
                parts = [*module, alias.name]
                if node.level:
                    yield from _relative(parts, file, node.level, folder)
                else:
                    yield from _absolute(parts, folder)


def _absolute(parts: list[str], folder: Path) -> Iterator[Path]:
    files = list(_files(parts, folder))
    if files and not _found_first(parts[0], folder):
        yield from files


def _relative(parts: list[str], file: Path, level: int, folder: Path) -> Iterator[Path]:
    package = [file, *file.parents][level]
    if package.is_relative_to(folder):
        yield from _files(parts, package)


def _files(parts: list[str], folder: Path) -> Iterator[Path]:
    """The files that importing a dotted name from a folder runs, as far as it names modules."""
    for part in parts:
        package, module = folder / part / "__init__.py", folder / f"{part}.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        folder /= part


def _found_first(name: str, folder: Path) -> bool:
    """Whether the standard library or an installed package has the name: it is then theirs."""
    if name in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a module in use that does not say where it comes from
        return True
    if spec is None or not spec.has_location or spec.origin is None:
        # A mere folder gives way to a module.
        return False
    return Path(spec.origin) not in (folder / f"{name}.py", folder / name / "__init__.py")

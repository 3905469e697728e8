"""Suite files: those that are here, and those of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmark.errors import UnknownName, UserError
from benchmark.naming import SUITES
from benchmark.spec import MATRIX
from benchmark.suites.parsing import parse_suite
from benchmark.suites.suite import Suite
from tfds_builders.encodings import NoText, utf8_text

FOLDER = Path(__file__).parent


def suites(folder: Path = FOLDER) -> dict[str, Path]:
    """Every suite file by suite name."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_suite(name: str | Path, folder: Path = FOLDER) -> Suite:
    """Read one suite.

    Args:
        name: of a suite that is here, or the path of a file of one's own, whose name is the
            suite's.
        folder: where the named ones are.

    Raises:
        UnknownName: there is no such suite, or the file has an unknown key or axis.
        UserError: the file cannot be read or a value has the wrong type; or a file of one's own has
            the name of another suite, or one that cannot be a suite's.
    """
    known = suites(folder)
    if isinstance(name, Path):
        if name.stem in known and not name.exists():
            raise UserError(f"there is no file {name}; the suite is --suite {name.stem}")
        check_suite_name(name.stem, known)
        path = name
    elif name in known:
        path = known[name]
    else:
        raise UnknownName("suite", name, known, "A file of your own: --suite FILE.toml.")
    try:
        text = utf8_text(path.read_bytes())
    except OSError as error:
        raise UserError(f"suite file {path} cannot be read: {error.strerror}") from None
    except NoText as error:
        raise UserError(f"{path} is {error}") from None
    return parse_suite(path.stem, path, text)


def check_suite_name(name: str, known: Iterable[str] | None = None) -> None:
    """Raise a UserError where a suite of one's own cannot be called so.

    Args:
        known: names that are taken; by default of the suites that are here.
    """
    if fault := SUITES.fault(name):
        raise UserError(fault)
    if name in (MATRIX, *(suites() if known is None else known)):
        raise UserError(f"{name!r} is the name of a suite of cxr-bench; choose another")

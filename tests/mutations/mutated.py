"""Ways in which a state file may be damaged, edited or forged."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from benchmark.records.door import sealed
from benchmark.records.facts import ProtocolFacts
from benchmark.spec import Spec
from tests.records.rows import changed_values

ODD_BYTES = (
    b"",
    b"\0" * 64,
    b"null",
    b"[]",
    b"{}",
    b"NaN",
    b'{"a":' * 2000,
    b"[" * 10**5,
    b"1" * 10**5,
    b"\xff\xfe" + b"x" * 50,
    b"\x1f\x8b" + b"x" * 50,
    b"PK\x03\x04" + b"x" * 50,
    b"\x1b]0;title\x07" * 20,
)
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e../../../x" + "y" * 300
"""What acts, or leads elsewhere, or is long, wherever text is taken as it is."""
OTHER_CELLS = ("", "x", "-1", "1e999", "nan", "0.5", "1", HOSTILE, "2" * 40)
Change = Callable[[Path], object]


def damages(path: Path) -> st.SearchStrategy[Change]:
    """Other bytes, or something else in the place of the file; whatever was sealed is not now."""
    data = path.read_bytes()
    at = st.integers(0, max(0, len(data) - 1))
    bytes_ = st.one_of(
        at.map(lambda k: data[:k]),
        st.tuples(at, st.integers(0, 7)).map(
            lambda t: data[: t[0]] + bytes([data[t[0]] ^ 1 << t[1]]) + data[t[0] + 1 :]
        ),
        st.tuples(at, st.integers(1, 40)).map(lambda t: data[: t[0]] + data[sum(t) :]),
        st.tuples(at, st.binary(min_size=1, max_size=9)).map(
            lambda t: data[: t[0]] + t[1] + data[t[0] :]
        ),
        st.sampled_from(ODD_BYTES),
    )
    others = st.sampled_from((_folder, _loop, os.mkfifo, _device, _huge, _sibling))
    return bytes_.map(lambda d: lambda p: p.write_bytes(d)) | others.map(_in_its_place)


def edits(path: Path) -> st.SearchStrategy[Change] | None:
    """A value changed in a file that can still be read; None of kinds without readable values."""
    data = path.read_bytes()
    if path.name.endswith(".csv.gz"):
        return _cells(gzip.decompress(data).decode()).map(
            lambda text: lambda p: p.write_bytes(gzip.compress(text.encode(), mtime=0))
        )
    if path.suffix == ".csv":
        return _cells(data.decode()).map(lambda text: lambda p: p.write_text(text))
    if path.suffix == ".json":
        return changed_json(data).map(
            lambda values: lambda p: p.write_text(json.dumps(values, indent=1))
        )
    return None


def forgeries(path: Path) -> st.SearchStrategy[Change] | None:
    """A value changed under a seal made anew; None of files without a seal."""
    data = path.read_bytes()
    if b'"content_sha256"' not in data[:40]:
        return None
    values = changed_values(data, (HOSTILE, 10**30, 1e308, 0))
    sealed_anew = values.map(lambda values: lambda p: p.write_bytes(sealed(values)))
    rows = values.map(lambda values: lambda p: _write_row(p, values))
    return sealed_anew | rows if path.parent.name == "rows" else sealed_anew


def _write_row(path: Path, values: dict) -> None:
    """Write a row with the ids that follow from its values, under the name that follows."""
    values = dict(values)
    with contextlib.suppress(msgspec.ValidationError, TypeError, KeyError):
        spec = Spec.from_dict(values["spec"])
        values |= {"spec_id": spec.spec_id, "config_id": spec.config_id}
        facts = values["protocol"] | {
            "dataset": spec.dataset, "dataset_version": spec.dataset_version, "limit": spec.limit
        }  # fmt: skip
        values["protocol"] = msgspec.to_builtins(ProtocolFacts.of(facts))
    path.unlink()
    name = str(values.get("spec_id"))
    name = name if len(name) == len(path.stem) else path.stem
    path.with_name(f"{name}.json").write_bytes(sealed(values))


def changed_json(data: bytes) -> st.SearchStrategy:
    """With one value gone or another; a seal stays as it was."""
    if b'"content_sha256"' not in data[:40]:
        return changed_values(b'{"content_sha256":0,' + data.lstrip()[1:], (HOSTILE,))
    seal = {"content_sha256": json.loads(data)["content_sha256"]}
    return changed_values(data, (HOSTILE,)).map(lambda values: seal | values)


def _cells(text: str) -> st.SearchStrategy[str]:
    """A table with one cell changed, or a line gone or twice."""
    lines = text.splitlines()

    def changed(choice: tuple[int, int, str, str]) -> str:
        at, column, cell, how = choice
        made = lines.copy()
        if how == "drop":
            del made[at]
        elif how == "twice":
            made.insert(at, made[at])
        else:
            cells = made[at].split(",")
            cells[column % len(cells)] = cell
            made[at] = ",".join(cells)
        return "\n".join(made) + "\n"

    return st.tuples(
        st.integers(0, len(lines) - 1),
        st.integers(0, 30),
        st.sampled_from(OTHER_CELLS),
        st.sampled_from(("cell", "cell", "cell", "drop", "twice")),
    ).map(changed)


def _in_its_place(make: Callable[[Path], object]) -> Change:
    def change(path: Path) -> None:
        if make is not _sibling:
            path.unlink()
        make(path)

    return change


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


def _sibling(path: Path) -> None:
    """The content of another file of the folder."""
    others = sorted(p for p in path.parent.iterdir() if p.is_file() and p != path)
    if others:
        shutil.copyfile(others[0], path)

"""Versions of a set of the user's own: which is there, and what has changed in its folder since."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.data.facts import METADATA
from benchmark.data.prepared import Prepared
from benchmark.errors import quoted

if TYPE_CHECKING:
    from tfds_builders.archives import Content, Folder

_SAMPLE = 100
"""Images that are read though they were not written since: the folder may be another one."""


def next_version(version: str) -> str:
    """The version after: 1.0.0, 1.0.1, ..."""
    *first, last = version.split(".")
    return ".".join([*first, str(int(last) + 1)])


def other_options(stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a set was read by, and would be now: a text for each option that differs.

    Args:
        stored, now: as ``tfds_builders.image_folder.options.Options.published`` gives them.
    """
    from tfds_builders.image_folder.options import Options

    usual = {each.name: each.default for each in fields(Options)}
    was, new = usual | dict(stored), usual | dict(now)
    shown = ((name, _shown(was.get(name)), _shown(new.get(name))) for name in was | new)
    return [
        f"--{name.replace('_', '-')}: was {before}, now {after}"
        for name, before, after in shown
        if before != after
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    said = "given" if value is True else quoted(value)
    return said if value else "not given"


def changes(prepared: Prepared, folder: Path, options: Any) -> list[str]:
    """What is other now in the folder that a set was prepared from; empty where nothing is.

    Files that were written later are read, and a sample of the others; where one of these differs,
    all are. What was left out and can be read now is told, too.

    Args:
        prepared: the newest version.
        folder: with the raw files, as they are now.
        options: how to read it.

    Raises:
        tfds_builders.errors.DatasetError: it cannot be read so any more.
    """
    from tfds_builders.archives import Folder
    from tfds_builders.image_folder.reading import read, table_path

    manifest = prepared.manifest().set_index("image_id")
    quarantined = {note.file for note in prepared.facts.quarantined}
    now = read(folder, options, options.pattern() if options.patient_pattern else None)
    entries = {entry.image: entry for entry in now.entries}
    gone = [image for image in manifest.index if image not in entries]
    added = [image for image in entries if image not in manifest.index]
    new = [image for image in added if image not in quarantined]
    left_out = [image for image in added if image in quarantined]
    kept = [image for image in manifest.index if image in entries]
    since = (prepared.path / METADATA).stat().st_mtime
    files = Folder(folder)
    labels = manifest[[f"target:{finding}" for finding in prepared.facts.findings]]
    relabelled = []
    if list(now.findings) == prepared.facts.findings:
        told = dict(zip(labels.index, labels.itertuples(index=False, name=None), strict=True))
        relabelled = [image for image in kept if told[image] != entries[image].findings]
    elif now.findings:
        relabelled = kept
    found = [
        *_said("gone", gone),
        *_said("new", new),
        *_said("that can be read now", [i for i in left_out if _usable(files, i, options)]),
        *_said("of other content", _other(files, kept, manifest["sha256"].to_dict(), since)),
        *_said("with other labels", relabelled),
    ]
    if options.csv and _written(path := table_path(folder, options.csv)) > since:
        found.append(f"{path.name} was written since")
    return found


def _said(what: str, images: list[str]) -> Iterable[str]:
    if images:
        more = ", ..." if len(images) > 2 else ""
        yield f"{len(images):,} images {what} ({', '.join(images[:2])}{more})"


def _other(
    files: Folder, images: Sequence[str], stored: Mapping[str, str], since: float
) -> list[str]:
    """Images of other content than what is stored."""
    written = [image for image in images if _written(files.path / image) > since]
    others = sorted(set(images).difference(written))
    sample = others[:: math.ceil(len(others) / _SAMPLE) or 1]
    if any(_differs(files, image, stored[image]) for image in sample):
        written = list(images)
    return [image for image in written if _differs(files, image, stored[image])]


def _written(path: Path) -> float:
    try:
        return max(path.stat().st_mtime, path.stat().st_ctime)
    except OSError:  # a link that leads nowhere any more
        return math.inf


def _differs(files: Folder, image: str, stored: str) -> bool:
    """True where a file would enter the set as other bytes than those of a SHA-256."""
    content = _content(files, image)
    if isinstance(content, bytes) and hashlib.sha256(content).hexdigest() == stored:
        return False
    return hashlib.sha256(_entering(content) or b"").hexdigest() != stored


def _usable(files: Folder, image: str, options: Any) -> bool:
    """True where a file would enter the set."""
    from tfds_builders.image_folder import dicom
    from tfds_builders.image_folder.options import HEADER
    from tfds_builders.images import silenced

    content = _content(files, image)
    if not isinstance(content, bytes) or _entering(content) is None:
        return False
    if options.patients != HEADER:
        return True
    with silenced():
        return dicom.is_dicom(content) and bool(dicom.told(content).patient)


def _content(files: Folder, image: str) -> Content:
    from tfds_builders.errors import Unreadable

    try:
        return files.read(image)
    except Unreadable as error:
        return error


def _entering(content: Content) -> bytes | None:
    """What a file would enter the set as, if it would."""
    from tfds_builders.image_folder.pixels import OwnGate
    from tfds_builders.images import silenced

    with silenced():
        return OwnGate().check(content).data

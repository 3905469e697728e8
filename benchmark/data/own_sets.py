"""Versions of a set of the user's own: which is there, and what has changed in its folder since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmark.data.facts import METADATA
from benchmark.data.prepared import Prepared


def next_version(version: str) -> str:
    """The version after: 1.0.0, 1.0.1, ..."""
    *first, last = version.split(".")
    return ".".join([*first, str(int(last) + 1)])


def changes(prepared: Prepared, folder: Path, options: Any) -> list[str]:
    """What is other now in the folder that a set was prepared from; empty where nothing is.

    Files that were written later are read; others are taken for what they were.

    Args:
        prepared: the newest version.
        folder: with the raw files, as they are now.
        options: how to read it.

    Raises:
        tfds_builders.errors.DatasetError: it cannot be read so any more.
    """
    from tfds_builders.image_folder.reading import read, table_path

    manifest = prepared.manifest().set_index("image_id")
    quarantined = {note.file for note in prepared.facts.quarantined}
    now = read(folder, options, options.pattern() if options.patient_pattern else None)
    entries = {entry.image: entry for entry in now.entries}
    gone = [image for image in manifest.index if image not in entries]
    new = [image for image in entries if image not in manifest.index and image not in quarantined]
    kept = [image for image in manifest.index if image in entries]
    since = (prepared.path / METADATA).stat().st_mtime
    written = [image for image in kept if _written(folder / image) > since]
    stored = manifest["sha256"]
    other = [image for image in written if _content(folder / image) != stored[image]]
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
        *_said("of other content", other),
        *_said("with other labels", relabelled),
    ]
    if options.csv and _written(path := table_path(folder, options.csv)) > since:
        found.append(f"{path.name} was written since")
    return found


def _said(what: str, images: list[str]) -> Iterable[str]:
    if images:
        more = ", ..." if len(images) > 2 else ""
        yield f"{len(images):,} images {what} ({', '.join(images[:2])}{more})"


def _written(path: Path) -> float:
    return max(path.stat().st_mtime, path.stat().st_ctime)


def _content(path: Path) -> str:
    """SHA-256 of what a file would enter the set as."""
    from tfds_builders.image_folder.pixels import OwnGate
    from tfds_builders.images import silenced

    with silenced():
        return hashlib.sha256(OwnGate().check(path.read_bytes()).data or b"").hexdigest()

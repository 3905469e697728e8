"""Copies in a prepared set: looked for once per manifest, stored beside ``prepared.json``.

Images and hashes stay on disk; memory holds blocks of them and some 0.5 KB an image for pairs. The
64 px views are ordinary views: a model that trains at 64 px uses them again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmark.data.audit import AUDIT_VERSION
from benchmark.data.audit.candidates import Candidates, find_candidates
from benchmark.data.audit.confirm import DOUBTFUL, FOLLOW_UP, correlations, threshold
from benchmark.data.audit.ondisk import OnDisk
from benchmark.data.audit.texture import SIZE
from benchmark.data.indexed_images import TRANSFORMS, IndexedImages
from benchmark.data.prepared import Prepared
from benchmark.data.views import open_view
from benchmark.records.door import read_derived, write_record
from benchmark.records.facts import Count, Record

COPIES = "copies.json"
SCRATCH = ".audit-"
"""Prefix of the folders of a look that goes on."""
ABANDONED_AFTER = 24 * 3600.0
"""Seconds after which such a folder is taken for a dead process's."""
BLANK = 8
"""Grey levels between the darkest and the brightest pixel, below which an image shows nothing."""

_BLOCK = 1024  # images read at a time

Pair = tuple[Count, Count, float, str]

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what is done, items done, items in all)``."""


class Copies(Record, frozen=True):
    """What was found in the pixels; images are named by their line in the manifest, from 0.

    Attributes:
        images: images looked at.
        candidates: pairs that were registered.
        threshold: correlation from which a pair is confirmed in this set.
        pairs: ``(line, line, correlation, how one is altered)`` of confirmed copies; 1.0 where the
            views are equal. It is a word of :data:`benchmark.data.indexed_images.TRANSFORMS`,
            ``negative``, both or neither.
        doubtful: the same of pairs of different patients that are not confirmed, but so alike that
            a person should look: strongly altered copies may be among them.
        same_pixels: groups of lines whose decoded pixels are equal, though the files may differ.
        blank: lines of images that show nothing.
        seconds: time per phase.
    """

    images: Count
    candidates: Count
    threshold: float
    pairs: list[Pair]
    doubtful: list[Pair]
    same_pixels: list[list[Count]]
    blank: list[Count]
    seconds: dict[str, float]

    def same_image(self, labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
        """(N,) a number for each image, equal where the same radiograph is shown.

        Args:
            labels: (N,) numbers below N that are equal where already the files are.
            patients: (N,); two exposures of one patient may be as alike as copies are, so of
                these only the surest pairs count.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = self.images
        sure = [(a, b) for a, b, r, _ in self.pairs if patients[a] != patients[b] or r >= FOLLOW_UP]
        pairs = np.array(sure, int).reshape(-1, 2)
        by_label = np.stack([np.arange(n), n + labels], 1)
        links = np.concatenate([pairs, by_label])
        graph = coo_array((np.ones(len(links)), links.T), shape=(2 * n, 2 * n))
        return connected_components(graph, directed=False)[1][:n]


class _Stored(Record, frozen=True):
    """The file of a look: what was looked at, by which version, and what was found."""

    manifest_sha256: str
    audit_version: int
    found: Copies


def stored_copies(prepared: Prepared) -> Copies | None:
    """What an earlier look at the same manifest found; None where there was none."""
    stored = read_derived(prepared.path / COPIES, _Stored)
    return stored.found if stored and stored == _stored(prepared, stored.found) else None


def _stored(prepared: Prepared, found: Copies) -> _Stored:
    return _Stored(
        manifest_sha256=prepared.manifest_sha256, audit_version=AUDIT_VERSION, found=found
    )


def find_copies(
    prepared: Prepared, cache_dir: Path | None = None, progress: Progress | None = None
) -> Copies | None:
    """Look for copies, or read what was found before.

    None for a simulated set: each of its images was drawn anew, and its patients share one plan of
    the body, closely enough to pass for copies at 64 px.

    Args:
        prepared: the data set; its manifest must be written.
        cache_dir: where the 64 px views are kept; None makes them for this once.
        progress: told how far it is.
    """
    if prepared.facts.simulated:
        return None
    found = stored_copies(prepared)
    if found is None:
        found = _look(prepared, cache_dir, progress or (lambda what, done, total: None))
        write_record(prepared.path / COPIES, _stored(prepared, found))
    return found


def _look(prepared: Prepared, cache_dir: Path | None, progress: Progress) -> Copies:
    _remove_abandoned(prepared.path)
    progress("beginning with", 0, len(prepared.manifest()))
    with tempfile.TemporaryDirectory(dir=prepared.path, prefix=SCRATCH) as scratch:
        clock = [time.monotonic()]
        images = _views(prepared, cache_dir or Path(scratch), progress)
        clock.append(time.monotonic())
        blank, digests = surveyed(images)
        equal, shown = _equal(blank, digests)
        seen = IndexedImages([images], shown)
        pairs = find_candidates(seen, lambda *n: progress("searching", *n), Path(scratch))
        clock.append(time.monotonic())
        correlation = correlations(seen, pairs, lambda *n: progress("comparing", *n))
        clock.append(time.monotonic())
    a, b = shown[pairs.whole], shown[pairs.cut]
    patients = prepared.manifest()["patient_id"].to_numpy()
    different = patients[a] != patients[b]
    sure = threshold(correlation[different & pairs.plain])
    how = _how_altered(pairs)
    same = _best(a, b, how, correlation, correlation >= sure)
    near = different & (correlation >= DOUBTFUL) & (correlation < sure)
    views, search, compare = np.diff(clock).round(1).tolist()
    return Copies(
        images=len(images),
        candidates=len(pairs.whole),
        threshold=round(sure, 4),
        pairs=[(a, b, 1.0, "") for group in equal for a, b in pairwise(group)] + same,
        doubtful=_best(a, b, how, correlation, near),
        same_pixels=_same_pixels(prepared, equal),
        blank=np.flatnonzero(blank).tolist(),
        seconds={"views": views, "search": search, "compare": compare},
    )


def _remove_abandoned(folder: Path) -> None:
    """Remove what a look that was killed left behind."""
    for scratch in folder.glob(f"{SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > ABANDONED_AFTER:
            shutil.rmtree(scratch, ignore_errors=True)


def _views(prepared: Prepared, folder: Path, progress: Progress) -> IndexedImages:
    """Every image in the order of the manifest, uint8 (N, 64, 64), left on disk."""
    splits = prepared.manifest()["split"].to_numpy()
    parts: list[OnDisk] = []
    rows = np.empty(len(splits), int)
    for split in dict.fromkeys(splits):
        tell = lambda *n, split=split: progress(f"decoding {split}", *n)  # noqa: E731
        rows[splits == split] = sum(map(len, parts)) + np.arange((splits == split).sum())
        view = open_view(prepared, split, SIZE, "raw", folder, tell)
        parts.append(OnDisk(view.path / "images.npy"))
    return IndexedImages(parts, rows)


def surveyed(images: IndexedImages) -> tuple[np.ndarray, list[bytes]]:
    """Which images are blank, (N,) bool, and a digest of each one's pixels."""
    blank, digests = np.empty(len(images), bool), []
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        blank[start : start + _BLOCK] = np.ptp(block.reshape(len(block), -1), axis=1) < BLANK
        digests += [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in block]
    return blank, digests


def _equal(blank: np.ndarray, digests: list[bytes]) -> tuple[list[list[int]], np.ndarray]:
    """Groups of lines with equal views, and the first line of each view; blank ones left out."""
    members: dict[bytes, list[int]] = {}
    for line in np.flatnonzero(~blank).tolist():
        members.setdefault(digests[line], []).append(line)
    groups = [lines for lines in members.values() if len(lines) > 1]
    return groups, np.array([lines[0] for lines in members.values()], int)


def _how_altered(pairs: Candidates) -> list[str]:
    """Of each pair, how one is altered into the other, in words; empty where it is not."""
    ways = zip(pairs.turns, pairs.negative, strict=True)
    words = [(TRANSFORMS[turn], "negative" if negative else "") for turn, negative in ways]
    return [", ".join(filter(None, each)) for each in words]


def _best(
    a: np.ndarray, b: np.ndarray, how: list[str], correlation: np.ndarray, chosen: np.ndarray
) -> list[Pair]:
    """Chosen pairs, each once, whichever of the two was taken for the cropped one."""
    best: dict[tuple[int, int], tuple[float, str]] = {}
    for k in np.flatnonzero(chosen):
        pair = (int(min(a[k], b[k])), int(max(a[k], b[k])))
        found = (round(float(correlation[k]), 4), how[k])
        best[pair] = max(best.get(pair, found), found)
    return [(*pair, *found) for pair, found in sorted(best.items())]


def _same_pixels(prepared: Prepared, equal: list[list[int]]) -> list[list[int]]:
    """Of lines with equal views, those whose images are equal at full size."""
    digests = prepared.manifest()["sha256"].to_numpy()
    doubtful = {line for group in equal if len(set(digests[group])) > 1 for line in group}
    pixels = _pixel_digests(prepared, doubtful)
    found: list[list[int]] = []
    for group in equal:
        members: dict[str, list[int]] = {}
        for line in group:
            members.setdefault(pixels.get(line, digests[line]), []).append(line)
        found += [lines for lines in members.values() if len(lines) > 1]
    return found


def _pixel_digests(prepared: Prepared, lines: set[int]) -> dict[int, str]:
    import tensorflow as tf

    from benchmark.data.decode import raw_examples, stored_dtype

    found = {}
    splits = prepared.manifest()["split"].to_numpy()
    for split in dict.fromkeys(splits[sorted(lines)]) if lines else ():
        dtype = stored_dtype(prepared.path)
        examples = raw_examples(prepared.path, split).as_numpy_iterator()
        for line, example in zip(np.flatnonzero(splits == split).tolist(), examples, strict=True):
            if line in lines:
                pixels = tf.io.decode_image(example["image"], channels=1, dtype=dtype).numpy()
                shaped = repr(pixels.shape).encode() + pixels.tobytes()
                found[line] = hashlib.sha256(shaped).hexdigest()
    return found

"""Copies that a builder's own split tore apart, to be dealt out together."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from benchmark.data.audit.copies import Copies

if TYPE_CHECKING:
    import pandas as pd

Groups = tuple[tuple[str, ...], ...]


def torn_copies(
    manifest: pd.DataFrame,
    dealt: Collection[str],
    copies: Copies | None,
    known: Collection[tuple[str, ...]] = (),
) -> Groups:
    """Pairs of copies under different patients, by image id; empty where none was torn apart.

    Where one pair was, all are returned, so that dealing out anew tears none of the others.

    Args:
        manifest: of the prepared set.
        dealt: the splits between which the builder dealt out images.
        copies: what was found in the pixels.
        known: pairs that the builder was told of; they are not returned again.
    """
    if copies is None or not dealt:
        return ()
    split, patient = (manifest[c].to_numpy() for c in ("split", "patient_id"))
    pairs = [(a, b) for a, b, *_ in copies.pairs if patient[a] != patient[b]]
    if not any(split[a] != split[b] and {split[a], split[b]} <= set(dealt) for a, b in pairs):
        return ()
    image = manifest["image_id"].to_numpy()
    return tuple(pair for a, b in pairs if (pair := (image[a], image[b])) not in known)

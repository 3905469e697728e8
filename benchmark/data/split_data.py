"""Which images one split of a spec holds: rows of views, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmark.data.indexed_images import Images, IndexedImages
from benchmark.data.prepared import ManifestPart


@dataclass(frozen=True)
class SplitData:
    """One split of a spec.

    Attributes:
        part: ids (N,), metadata (N,), targets (N, F) and labelled (N, F), one line an image.
        sources: splits of the prepared set whose views are read.
        rows: int (N,), positions in those views laid end to end; None: all of one view, in order.
        codes: int (N,), how each image is turned, a code of
            :mod:`benchmark.data.indexed_images`; None: none.
    """

    part: ManifestPart
    sources: tuple[str, ...]
    rows: np.ndarray | None = None
    codes: np.ndarray | None = None

    @property
    def holds_copies(self) -> bool:
        """Whether some of its images are turned copies of others."""
        return self.codes is not None and bool(np.any(self.codes))

    def images(self, view: Callable[[str], Images]) -> Images:
        """The split's images, uint8 (N, S, S), read when asked for.

        Args:
            view: gives all images of a split of the prepared set.
        """
        views = [view(source) for source in self.sources]
        return views[0] if self.rows is None else IndexedImages(views, self.rows, self.codes)

    def take(self, rows: np.ndarray) -> SplitData:
        """The same with these of its lines only, in this order, by number or by (N,) bool."""
        before = np.arange(len(self.part)) if self.rows is None else self.rows
        codes = None if self.codes is None else self.codes[rows]
        return replace(self, part=self.part.take(rows), rows=before[rows], codes=codes)

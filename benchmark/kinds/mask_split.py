"""Images of one split and the masks that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.data.indexed_images import Images
from benchmark.data.mask_batches import IGNORED, LUNG


@dataclass(frozen=True)
class MaskSplit:
    """Images and masks of a split, uint8 (N, S, S): 0 background, 127 ignored, 255 lung."""

    images: Images
    masks: Images

    @property
    def lung(self) -> np.ndarray:
        """Where there is lung, bool (N, S, S)."""
        return self.masks[:] == LUNG

    @property
    def known(self) -> np.ndarray:
        """Where the mask says something, bool (N, S, S)."""
        return self.masks[:] != IGNORED

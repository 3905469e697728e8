"""Which images are of one class."""

from __future__ import annotations

import numpy as np


def groups_of(targets: np.ndarray) -> list[np.ndarray]:
    """Rows of the images that show each finding, and of those labelled that show none.

    These are the two classes of a binary task and the classes of exclusive findings; an image with
    several independent findings is in several groups. Empty groups are left out.
    """
    shown = targets == 1
    without = ~shown.any(axis=1) & (targets >= 0).any(axis=1)
    groups = [np.flatnonzero(column) for column in (*shown.T, without)]
    return [group for group in groups if len(group)]

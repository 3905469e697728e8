"""Everything but the lungs: a control that shows what can be told without them."""

from __future__ import annotations

import numpy as np

CARD = {
    "title": "Lungs removed",
    "description": "The lungs are black; what a model still finds is not in them.",
    "version": 1,
    "idempotent": True,
    "needs": "lungs",
}


def apply(image: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Black out an image, uint8 (S, S), inside its lungs, bool (S, S).

    After Maguolo and Nanni 2021 (doi:10.1016/j.inffus.2021.04.008), who found that networks tell
    chest X-ray collections apart by what is around the lungs.
    """
    return np.where(lungs, np.uint8(0), image)

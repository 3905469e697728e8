"""A second model for the findings that the first one confuses, and how it takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax, logsumexp

from benchmark.data.indexed_images import Images, IndexedImages
from benchmark.data.prepared import SPLITS
from benchmark.data.split_data import SplitData
from benchmark.records.predictions import link

MARGIN = 1e-3
"""By how much of its logarithm the specialist's choice is raised above the best other finding."""


def take_over(first: np.ndarray, second: np.ndarray, group: Sequence[int]) -> np.ndarray:
    """Logits of both models together, float64 (N, F).

    Where the most probable finding of the first model is one of the group, the second divides among
    the group what the first gave to it as a whole; that sum is raised where the second's choice
    would otherwise fall behind a finding outside the group. All other images stay the first's.

    Args:
        first: logits (N, F) of exclusive findings.
        second: logits (N, G) of the group's findings, of the same images.
        group: positions of the G findings, G < F.
    """
    log_p, shares = log_softmax(np.float64(first), axis=1), log_softmax(np.float64(second), axis=1)
    inside = np.isin(np.arange(log_p.shape[1]), group)
    least = log_p[:, ~inside].max(axis=1) - shares.max(axis=1) + MARGIN
    mass = np.maximum(logsumexp(log_p[:, group], axis=1), least)
    taken = inside[link(first, "multiclass").argmax(axis=1)]
    combined = log_p.copy()
    combined[np.ix_(taken, group)] = mass[taken, None] + shares[taken]
    return combined


def of_findings(data: SplitData, group: Sequence[int]) -> SplitData:
    """The images that have one of the group's findings, with targets (n, G) of the group alone."""
    known = data.part.labelled.all(axis=1)
    chosen = data.take(np.flatnonzero(known & (data.part.targets[:, group] > 0).any(axis=1)))
    part = chosen.part
    of_group = {"targets": part.targets[:, group], "labelled": part.labelled[:, group]}
    return replace(chosen, part=replace(part, **of_group))


@dataclass(frozen=True)
class AllSplits:
    """The images of every split, one split after another."""

    data: Mapping[str, SplitData]

    def images(self, view: Callable[[str], Images]) -> Images:
        """The images, uint8 (N, S, S), read when asked for; see :meth:`SplitData.images`."""
        sources = [self.data[split].images(view) for split in SPLITS]
        return IndexedImages(sources, np.arange(sum(map(len, sources))))

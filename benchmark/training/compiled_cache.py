"""The network of the spec before, kept with its traced functions for the next seed.

Specs that differ only in their seed have the same training step and the same prediction. To trace
these (and, where XLA is used, to compile them) takes seconds for a small network and minutes for
a large one, and is done once for a configuration: the next spec's fresh variables, random state
included, are put into the kept network, and its optimizer begins anew. What it then computes is,
bit for bit, what the fresh network would have computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # planning makes contexts and must not wait for Keras
    import keras


@dataclass(frozen=True)
class _Kept:
    """A compiled network.

    Attributes:
        key: what its functions depend on.
        optimizer: how the optimizer's variables began; None for zeros.
    """

    key: str
    network: keras.Model
    optimizer: list[np.ndarray | None]


class CompiledCache:
    """At most one network, that of the spec before; a worker has one of these."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def forget_others(self, key: str) -> None:
        """Let go of a network that is of no use for ``key``, before another is built."""
        if self._kept and self._kept.key != key:
            self._kept = None

    def begin(self, key: str, fresh: keras.Model) -> keras.Model | None:
        """The kept network in the state of a fresh one, compiled; None where none is kept."""
        self.forget_others(key)
        if self._kept is None:
            return None
        network, began = self._kept.network, self._kept.optimizer
        for variable, value in zip(network.variables, fresh.variables, strict=True):
            variable.assign(value)
        for variable, value in zip(network.optimizer.variables, began, strict=True):
            variable.assign(np.zeros(variable.shape) if value is None else value)
        return network

    def keep(self, key: str, network: keras.Model) -> None:
        """Keep a network that was compiled and not trained yet."""
        network.optimizer.build(network.trainable_variables)
        values = [np.asarray(variable) for variable in network.optimizer.variables]
        self._kept = _Kept(key, network, [v if v.any() else None for v in values])

"""Compiled networks that the tests of a process share where they train by the same recipe."""

from __future__ import annotations

from collections.abc import Callable

import keras

from benchmark.training.compiled_cache import CompiledCache
from benchmark.training.loss import MaskedCrossEntropy
from benchmark.training.optimizer import compile_model
from benchmark.training.recipe import Recipe

KEPT = CompiledCache()
"""As in a worker: what is traced is kept, and every training begins with new values."""


def compiled(build: Callable[[], keras.Model], recipe: Recipe, steps: int) -> keras.Model:
    """The network that ``build`` makes, compiled by a recipe of so many steps an epoch."""
    key, fresh = repr((build, recipe, steps)), build()
    if (kept := KEPT.begin(key, fresh)) is not None:
        return kept
    compile_model(fresh, MaskedCrossEntropy(False), recipe, steps, "cpu")
    KEPT.keep(key, fresh)
    return fresh

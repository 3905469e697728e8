"""A trained network's predictions on another data set, nothing tuned."""

from __future__ import annotations

from benchmark.kinds.base import Kind


class ExternalValidation(Kind):
    """Made by ``cxr-bench evaluate`` from a classifier's row."""

    needs_weights = True
    run_here = False


KIND = ExternalValidation()

"""Predictions that another tool made, read from a file."""

from __future__ import annotations

from benchmark.kinds.base import Kind
from benchmark.spec import Spec


class External(Kind):
    """Entered by ``cxr-bench score``."""

    run_here = False

    def own_model(self, spec: Spec) -> str | None:
        """Its model is somebody else's."""
        return None


KIND = External()

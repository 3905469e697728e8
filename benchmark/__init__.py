"""cxr-bench: an honest benchmark suite for chest X-ray classification.

What notebooks use of it is in :mod:`benchmark.api` and may be called from here; importing this
package alone imports nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Task",
    "build_model",
    "compare",
    "load_dataset",
    "load_predictions",
    "load_results",
    "run",
    "score",
]

if TYPE_CHECKING:
    from benchmark.api import (
        Task,
        build_model,
        compare,
        load_dataset,
        load_predictions,
        load_results,
        run,
        score,
    )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from benchmark import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

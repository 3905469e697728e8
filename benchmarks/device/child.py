"""A process that measures: it prints one JSON object a line for everything it has found out."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

ERROR = "error"


def tell(name: str, **found: Any) -> None:
    """Print what was found out, under the name of what was tried."""
    print(json.dumps({"name": name, **found}), flush=True)


def attempt(name: str, work: Callable[[], dict[str, Any]]) -> None:
    """Do something and tell what came of it; where it fails, tell that, and go on."""
    try:
        found = work()
    except Exception as error:
        traceback.print_exc()
        found = {ERROR: f"{type(error).__name__}: {error}"[:2000]}
    tell(name, **found)


def environment():
    """The environment of this process, with the framework set up as in a worker."""
    from benchmark.machine.environment import current
    from benchmark.training.network import configure_framework

    found = current()
    configure_framework(found)
    return found

"""The names of screening protocols, ``without:<finding>``. Imports no TensorFlow."""

from __future__ import annotations

VERSION = 1
"""Of how a set is split under screening protocols; raised where an existing name begins to
give other images, targets or splits."""

PREFIX = "without:"
PATTERN = f"{PREFIX}<finding>"
"""How such a name is written, for messages."""
ANOMALY = "anomaly"
"""The one finding of the task under such a protocol: 0 normal, 1 any other class."""


def withheld_by(protocol: str) -> str | None:
    """The class that a protocol keeps for the test; None under any other protocol."""
    return protocol.removeprefix(PREFIX) if protocol.startswith(PREFIX) else None

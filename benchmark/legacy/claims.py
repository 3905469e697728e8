"""What the sources claim, model by model, whatever protocol that was under."""

from __future__ import annotations

from benchmark.legacy.protocol import Claim, protocols


def claims_about(model: str) -> list[tuple[str, Claim]]:
    """Source system and claim of everyone who names this very model."""
    found = [(protocol.source, protocol.claim(model)) for protocol in protocols().values()]
    return [(source, claim) for source, claim in found if claim]

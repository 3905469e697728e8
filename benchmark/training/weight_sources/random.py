"""Weights drawn at random."""

from __future__ import annotations

from pathlib import Path

CARD = {
    "title": "Random weights",
    "description": "Drawn at random, by the model's own initialisers.",
    "gives": "nothing",
}


def files(*given: object) -> list[Path]:
    """None: there is nothing to load."""
    return []

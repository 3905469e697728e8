"""Fine-tuning in two stages."""

from __future__ import annotations

from benchmark.training.frozen import fine_tune as train

CARD = {
    "title": "Fine-tuning",
    "description": "The head is trained first, then all layers at a lower rate.",
    "begins_from": ["backbone"],
    "usual": "imagenet",
}

__all__ = ["CARD", "train"]

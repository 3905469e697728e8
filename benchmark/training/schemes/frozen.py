"""Feature extraction."""

from __future__ import annotations

from benchmark.training.frozen import train_head as train

CARD = {
    "title": "Feature extraction",
    "description": "The backbone stays as it begins; the head is trained on its features.",
    "begins_from": ["backbone", "nothing"],
    "usual": "imagenet",
    "features_only": True,
}

__all__ = ["CARD", "train"]

"""Training on from where another row ended."""

from __future__ import annotations

from benchmark.training.stage import train_whole as train

CARD = {
    "title": "Warm start",
    "description": "Every layer is trained on, from the weights of another row; the last one"
    " begins anew where the number of findings differs.",
    "begins_from": ["network"],
    "usual": "",
}

__all__ = ["CARD", "train"]

"""Training from random weights."""

from __future__ import annotations

from benchmark.training.stage import train_whole as train

CARD = {
    "title": "From scratch",
    "description": "Every layer is trained.",
    "begins_from": ["nothing"],
    "usual": "random",
}

__all__ = ["CARD", "train"]

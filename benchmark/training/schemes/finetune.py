"""Fine-tuning in two stages."""

from __future__ import annotations

from benchmark.training.frozen import fine_tune as train

CARD = {
    "title": "Fine-tuning",
    "description": "The head first (`head_epochs`), then all layers at `finetune_factor` of the"
    " learning rate; batch normalisation of the backbone stays in inference mode unless the recipe"
    ' says `batch_norm = "training"`.',
    "begins_from": ["backbone"],
    "usual": "imagenet",
}

__all__ = ["CARD", "train"]

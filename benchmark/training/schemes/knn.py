"""k-nearest neighbours on the features of a frozen backbone."""

from __future__ import annotations

from benchmark.training.fitted import ask_neighbours as train

CARD = {
    "title": "k-nearest neighbours",
    "description": "The backbone stays as it begins; the 11 training images that are nearest by the"
    " Euclidean distance of its features, as they are, vote with the inverse of their distance.",
    "begins_from": ["backbone", "nothing"],
    "usual": "imagenet",
    "features_only": True,
    "by_gradient": False,
    "version": 1,
    "learns_by_heart": True,
    "remark": "The 11 nearest training images vote, on the features of the frozen backbone. Every"
    " training image is its own nearest neighbour, so that AUC on train says nothing, and there is"
    " no gap to it",
    "no_network": "k-nearest neighbours predict from the features of every training image, which"
    " are not kept with a row; choose scheme = linear_probe for a head on the same features",
}

__all__ = ["CARD", "train"]

"""Focal loss (Lin et al., ICCV 2017, arXiv:1708.02002)."""

from __future__ import annotations

from benchmark.training.imbalance import Policy

CARD = {
    "title": "Focal loss",
    "description": "Focal loss, gamma 2, without alpha.",
    "version": 1,
}


def policy() -> Policy:
    """What is already predicted well counts less."""
    return Policy(gamma=2.0)

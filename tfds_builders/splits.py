"""Splits by patient, from a salted hash: no state, no order, no list to keep."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping

from tfds_builders.errors import DatasetError

SPLITS = ("train", "validation", "test")


def position(patient_id: str, salt: str) -> float:
    """Place of a patient in [0, 1), uniform over patients and fixed by the salt (SHA-256)."""
    digest = hashlib.sha256(f"{salt}\n{patient_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def assign(patient_id: str, salt: str, fractions: Mapping[str, float]) -> str:
    """Split that a patient belongs to, whoever else is in the data set.

    The splits divide [0, 1) in the order given, so that with one salt a split listed first
    keeps its patients when later ones are divided further.

    Args:
        patient_id: the patient, or whatever must not be torn apart.
        salt: names the split; another salt is another split.
        fractions: split name to expected share of patients; shares add up to one.

    Raises:
        ValueError: a share is negative, or they do not add up to one.
    """
    if min(fractions.values()) < 0 or not math.isclose(sum(fractions.values()), 1.0):
        raise ValueError(f"shares of a split must be positive and add up to one: {fractions}")
    place = position(patient_id, salt)
    upper = 0.0
    for name, share in fractions.items():
        upper += share
        if place < upper:
            return name
    return name


def refuse_empty(dataset: str, members: Mapping[str, Collection], advice: str) -> None:
    """See that every split has a member.

    Args:
        dataset: its name, for the message.
        members: split to what belongs to it.
        advice: what may be the matter, and what to do.

    Raises:
        DatasetError: one has none.
    """
    empty = [split for split, belonging in members.items() if not belonging]
    if empty:
        counts = ", ".join(f"{split} {len(belonging):,}" for split, belonging in members.items())
        raise DatasetError(
            f"{dataset}: no image falls into {' and '.join(empty)} (images: {counts}). {advice}"
        )

"""Branching vessels of the lungs, windpipe and bronchi, descending aorta."""

from __future__ import annotations

import numpy as np

from .anatomy import LEFT, SIDES, Anatomy
from .streams import stream
from .tubes import Tube, along, join, segments

_RADII = (0.50, 0.38, 0.28, 0.20, 0.145, 0.105)  # cm, by generation
_LENGTHS = (2.6, 2.5, 2.3, 2.0, 1.7, 1.5)
# Where the trunks of one lung head for: angle from level (down is positive), and forward lean.
_TRUNKS = np.array(
    [(-1.25, 0.1), (-0.95, 0.5), (-0.7, -0.5), (-0.25, 0.8), (0.0, -0.5), (0.45, 0.6), (0.75, -0.4),
     (1.0, 0.3), (1.2, -0.5), (1.4, 0.1)]
)  # fmt: skip


def hilum(anatomy: Anatomy, side: int) -> np.ndarray:
    """Where the vessels enter a lung; the left hilum stands a little higher."""
    return np.array([side * 3.0, anatomy.hilum + (0.0 if side == LEFT else 0.9), -0.8])


def lung_vessels(anatomy: Anatomy, seed: int, name: str) -> list[Tube]:
    """Vessel trees of both lungs, one tube set a generation.

    The last set are the finest branches, too many to follow: short strands all over the lungs that
    make up the texture between the visible vessels.
    """
    generations: list[list[Tube]] = [[] for _ in _RADII]
    for side in SIDES:
        rng = stream(seed, name, "vessels", side)
        for tubes, tube in zip(generations, _tree(anatomy, side, rng), strict=True):
            tubes.append(tube)
    rng = stream(seed, name, "strands")
    return [join(tubes) for tubes in generations] + [_strands(anatomy, rng)]


def _tree(anatomy: Anatomy, side: int, rng: np.random.Generator) -> list[Tube]:
    angle = _TRUNKS[:, 0] + rng.normal(0, 0.12, len(_TRUNKS))
    forward = _TRUNKS[:, 1] + rng.normal(0, 0.15, len(_TRUNKS))
    heading = _unit(np.stack([side * np.cos(angle), np.sin(angle), forward], axis=1))
    stem = rng.uniform(0.65, 1.1, len(_TRUNKS))
    position = hilum(anatomy, side) + rng.normal(0, 0.35, (len(_TRUNKS), 3))
    tubes = []
    for radius, length in zip(_RADII, _LENGTHS, strict=True):
        reach = length * rng.uniform(0.75, 1.3, len(position))[:, None]
        middle = position + heading * reach / 2
        bend = _unit(heading + rng.normal(0, 0.16, heading.shape))
        end = middle + bend * reach / 2
        ends = np.concatenate([position, middle]), np.concatenate([middle, end])
        tubes.append(segments(*ends, radius, factor=np.tile(stem, 2)))
        position, heading, stem = _fork(end, bend, stem, rng)
    return tubes


def _fork(
    end: np.ndarray, heading: np.ndarray, stem: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two daughters a branch, to either side of it in a random plane."""
    sideways = _unit(np.cross(heading, rng.normal(size=heading.shape)))
    spread = rng.uniform(0.2, 0.6, (2, len(end), 1)) * np.array([1, -1])[:, None, None]
    daughters = _unit(heading + spread * sideways).reshape(-1, 3)
    return np.tile(end, (2, 1)), daughters, np.tile(stem, 2) * rng.uniform(0.8, 1.15, 2 * len(end))


def _strands(anatomy: Anatomy, rng: np.random.Generator, count: int = 2600) -> Tube:
    side = rng.choice(SIDES, count)
    x = side * rng.uniform(2.0, anatomy.width, count)
    start = np.stack([x, rng.uniform(0.5, 25, count), rng.uniform(-8, 7, count)], axis=1)
    away = _unit(start - np.where(side[:, None] == LEFT, hilum(anatomy, 1), hilum(anatomy, -1)))
    heading = _unit(away + rng.normal(0, 0.55, away.shape))
    return segments(start, start + heading * rng.uniform(0.6, 1.8, (count, 1)), 0.06, 0.25)


def airways(anatomy: Anatomy) -> list[Tube]:
    """Windpipe and main bronchi, full of air."""
    fork = np.array([0.2, 8.6, -1.5])
    bronchi = [
        along(np.array([fork, hilum(anatomy, side) - [side * 0.4, -0.3, 0.4]]), 0.55)
        for side in SIDES
    ]
    trachea = along(np.array([[0.0, -9.0, 0.5], [-0.1, 0.0, -0.3], [-0.4, 5.5, -1.2], fork]), 0.85)
    return [trachea, join(bronchi)]


def descending_aorta(anatomy: Anatomy) -> Tube:
    """From the arch along the left side of the spine."""
    out = anatomy.unfolding
    level = np.linspace(6.5, 28, 24)
    swing = 1.5 + 0.9 * out * np.sin(np.pi * np.clip((level - 5) / 20, 0, 1))
    return along(np.stack([swing, level, -4.0 + 0.0 * level], axis=1), 1.15)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

"""Bones: ribs, clavicles, shoulder blades, breastbone as tubes; the spine as a stack of blocks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .anatomy import SIDES, Anatomy, bow, cage
from .solids import profile
from .tubes import Tube, along, join, segments

VERTEBRAE = np.array(
    [-11.0, -9.3, -7.6, -5.9, -4.1, -2.2, -0.2, 1.8, 3.9, 6.0, 8.2, 10.4, 12.7, 15.0, 17.4, 19.9,
     22.5, 25.2, 28.1, 31.2, 34.4]
)  # fmt: skip
"""Levels of the discs from C4 down; T1 lies between the sixth and the seventh."""

_FIRST_RIB = 6


@lru_cache(maxsize=16)
def bones(anatomy: Anatomy, view: str) -> tuple[Tube, ...]:
    """All bones but the vertebral bodies, weighted by their share of compact bone."""
    parts = ribs(anatomy) + processes(anatomy)
    parts += girdle(anatomy, 1.2 if view == "PA" else -0.6, view == "L")
    return tuple(tube.scaled(share) for tube, share in parts)


def ribs(anatomy: Anatomy) -> list[tuple[Tube, float]]:
    """Tubes with their share of compact bone: whole ribs, and their marrow, taken away."""
    axes, mineral = _rib_axes(anatomy)
    starts, ends = (part.reshape(-1, 3) for part in (axes[:, :-1], axes[:, 1:]))
    rim = segments(starts, ends, 0.62, 0.2, mineral[:, :-1].ravel())
    return [(rim, 0.55), (Tube(rim.points, rim.length, 0.44), -0.35)]


def _rib_axes(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """Axes (24, 60, 3) from the spine to the cartilage, and the mineral (24, 60) along them."""
    number = np.arange(12)[:, None]
    start = VERTEBRAE[_FIRST_RIB + number] - 0.5
    fall = np.interp(number, (0, 1, 3, 6, 9, 11), (3.4, 5.6, 9.0, 11.0, 10.5, 8.0))
    fall = fall * anatomy.rib_tilt
    end = np.interp(number, (0, 4, 7, 9, 10, 11), (1.25, 1.15, 0.95, 0.7, 0.0, -0.5))
    angle = -1.38 + (end + 1.38) * np.linspace(0, 1, 60)  # 0 at the side, positive in front
    turn = (angle + 1.38) / (1.25 + 1.38)
    arch = 0.9 * np.sin(np.pi * np.clip(turn * 3, 0, 1))
    level = start + fall * (0.40 * turn + 0.60 * turn**2) - arch
    reach = np.maximum(start + 0.42 * fall, 1.1)
    wide, deep = cage(anatomy, np.maximum(0.55 * reach + 0.45 * level, 0.9))
    x = np.maximum((wide + 0.45) * np.abs(np.cos(angle)) ** 0.8, 2.0)
    z = (deep + 0.45) * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.85 - 1.0
    sides = [np.stack([side * x + bow(anatomy, level), level, z], axis=2) for side in SIDES]
    mineral = np.interp(turn, (0, 0.1, 0.5, 0.8, 1.0), (1.0, 1.05, 1.0, 0.8, 0.5))
    return np.concatenate(sides), np.tile(mineral, (2, 1))


def girdle(anatomy: Anatomy, blades_out: float, lateral: bool) -> list[tuple[Tube, float]]:
    """Clavicles, shoulder blades, arm bones, breastbone; `blades_out` moves the blades (cm)."""
    thick: list[Tube] = []
    thin: list[Tube] = []
    flat: list[Tube] = []
    for side in SIDES:
        outer = anatomy.clavicle
        knots = np.array([[1.6, 2.6, 6.0], [5.0, 1.5, 6.2], [9.0, 0.6, 4.0],
                          [13.0, outer - 0.6, 0.5], [16.4, outer - 0.8, -1.5]])  # fmt: skip
        thick.append(along(_smooth(knots, side), 0.62).scaled(0.8))
        if lateral:
            continue
        blade = np.array([blades_out, 0.0, 0.0])
        lower, glenoid = np.array([10.9, 13.0, -8.5]), np.array([14.6, 2.4, -3.5])
        upper, acromion = np.array([8.2, 0.2, -8.0]), np.array([16.8, -1.2, -3.0])
        corner = np.array([8.8, 4.0, -8.6])
        for path, tubes in (
            ([glenoid, (glenoid + lower) / 2 - [0.2, 0, 0.5], lower], thin),
            ([lower, (lower + corner) / 2 - [0.3, 0, 0], corner, upper], flat),
            ([corner, (corner + acromion) / 2 - [0, 0.3, 0], acromion], flat),
            ([upper, glenoid - [1.0, 1.6, 0.5], glenoid - [0, 2.6, -1.0]], flat),
        ):
            tubes.append(
                along(_smooth(np.array(path) + blade, side), 0.42 if tubes is thin else 0.30)
            )
        arm = np.array(
            [[17.3, 2.0, -2.0], [18.6, 5.5, -1.5], [19.4, 14.0, -1.0], [19.8, 26.0, -1.0]]
        )
        thick.append(along(_smooth(arm + np.array([0.5, 0, 0]), side), 0.62).scaled(1.5))
    groups = [(thick, 0.75), (thin, 0.9), (flat, 0.7)]
    return [(join(tubes), share) for tubes, share in groups if tubes] + [_sternum(anatomy, lateral)]


def _sternum(anatomy: Anatomy, lateral: bool) -> tuple[Tube, float]:
    front = anatomy.depth - 0.8
    knots = np.array(
        [[0, 2.6, 0.45 * front], [0, 7.0, 0.8 * front], [0, 12.0, front], [0, 18.5, front]]
    )
    return along(_smooth(knots, 1), 0.7), 0.9 if lateral else 0.25


def _smooth(knots: np.ndarray, side: int) -> np.ndarray:
    t = np.linspace(0, len(knots) - 1, 30)
    curve = np.stack([profile(t, *enumerate(axis)) for axis in knots.T.tolist()], axis=1)
    return curve * [side, 1, 1]


def spine(anatomy: Anatomy, across: np.ndarray, level: np.ndarray, lateral: bool) -> np.ndarray:
    """Line integral (cm of spongy bone) through the vertebral bodies, denser at their rims."""
    number = np.interp(level, VERTEBRAE, np.arange(len(VERTEBRAE)))
    place = np.abs(number - np.floor(number) - 0.5) * 2  # 0 mid-body, 1 at the disc
    along_axis = _block(place, 0.80, 0.10) * (1 + 0.45 * _bump(place, 0.74, 0.10))
    half = np.interp(level, (-10, 0, 14, 30), (1.2, 1.5, 1.7, 2.3))
    if lateral:
        middle = spine_depth(anatomy, level)
    else:
        middle, half = bow(anatomy, level), half * 1.08
    offset = np.abs(across - middle) / half
    return (
        (5.0 if lateral else 3.0)
        * along_axis
        * _block(offset, 0.95, 0.10)
        * (1 + 0.35 * _bump(offset, 0.88, 0.12))
    )


def spine_depth(anatomy: Anatomy, level: np.ndarray) -> np.ndarray:
    """Z of the middle of the vertebral bodies."""
    arch = profile(level, (-11, 1.4), (-3, -0.6), (3, -0.78), (12, -1.0), (22, -0.8), (34, -0.3))
    return -3.6 + (2.6 + anatomy.kyphosis) * arch


def processes(anatomy: Anatomy) -> list[tuple[Tube, float]]:
    """Pedicles and spinous processes: short tubes along the beam of a frontal view."""
    level = (VERTEBRAE[4:-2] + VERTEBRAE[5:-1]) / 2
    middle = np.stack([bow(anatomy, level), level, spine_depth(anatomy, level)], axis=1)
    root = np.concatenate([middle + np.array([side * 1.15, -0.25, -1.3]) for side in SIDES])
    rings = segments(root, root + np.array([0, 0, -1.6]), 0.32)
    tips = middle + np.array([0, 0.6, -2.6])
    spikes = segments(tips, tips + np.array([0, 0.9, -2.0]), 0.32)
    return [(rings, 0.22), (spikes, 0.25)]


def _block(offset: np.ndarray, half: float, soft: float) -> np.ndarray:
    return np.clip((half - offset) / (2 * soft) + 0.5, 0, 1)


def _bump(offset: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-(((offset - middle) / width) ** 2))

"""Measures of one patient's body, drawn once and kept for all images of that patient.

Lengths in cm. Sides: -1 is the patient's right (left in the image), +1 the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .solids import Ellipsoid, Stack, profile
from .streams import stream

RIGHT, LEFT = -1, 1
SIDES = (RIGHT, LEFT)


@dataclass(frozen=True)
class Anatomy:
    """Measures that persist."""

    scale: float  # body size
    width: float  # half-width of the rib cage inside
    depth: float  # half-depth of the rib cage inside
    fat: float  # soft tissue outside the ribs
    dome: tuple[float, float]  # level of the right and left hemidiaphragm at full inspiration
    curve: float  # height of a hemidiaphragm's dome
    heart: float  # transverse size of the heart, 1 = average
    axis: float  # slope of the heart's long axis (rad)
    knob: float  # radius of the aortic knob
    unfolding: float  # how far the descending aorta swings out
    hilum: float  # level of the left hilum
    rib_tilt: float  # fall of the ribs from back to front
    rib_mass: float  # mineral of the bones, 1 = average
    clavicle: float  # level of the clavicles' outer ends
    scoliosis: float  # sideways bow of the spine
    kyphosis: float  # backward bow of the spine
    breast: float  # thickness of breast tissue
    bubble: float  # gas in the stomach, 0 for none

    @property
    def base(self) -> float:
        """Level below which no lung reaches."""
        return max(self.dome) + self.curve + 1.0


def draw_anatomy(seed: int, name: str, age: int, sex: str) -> Anatomy:
    """Body of patient `name`; depends on nothing but the arguments."""
    rng = stream(seed, name, "anatomy")
    female, old = sex == "F", (age - 55) / 20
    dome = rng.normal(20.0, 1.1) - 0.6 * female
    return Anatomy(
        scale=rng.normal(0.96 if female else 1.0, 0.03),
        width=rng.normal(12.6 if female else 13.3, 0.55),
        depth=rng.normal(8.6, 0.5) + 0.25 * old,
        fat=float(np.clip(rng.gamma(4.0, 0.55), 0.9, 5.0)),
        dome=(dome, dome + rng.normal(1.0, 0.5)),
        curve=rng.normal(5.8, 0.6) - 0.2 * old,
        heart=rng.normal(1.0, 0.05) + 0.02 * old,
        axis=rng.normal(0.70, 0.10),
        knob=rng.normal(1.75, 0.18) + 0.16 * old,
        unfolding=float(np.clip(rng.normal(0.3 + 0.35 * old, 0.3), 0.0, 1.6)),
        hilum=rng.normal(10.2, 0.5),
        rib_tilt=rng.normal(1.0, 0.1),
        rib_mass=float(np.clip(rng.normal(1.0 - 0.08 * old, 0.12), 0.6, 1.4)),
        clavicle=rng.normal(-0.3, 0.9),
        scoliosis=rng.normal(0.0, 0.35),
        kyphosis=float(np.clip(rng.normal(0.5 + 0.4 * old, 0.4), 0.0, 2.0)),
        breast=float(np.clip(rng.gamma(4.0, 0.75), 0.8, 6.0)) if female else 0.0,
        bubble=float(rng.uniform(0.6, 1.0)) if rng.random() < 0.6 else 0.0,
    )


def cage(anatomy: Anatomy, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half-width and half-depth of the rib cage inside, at each level: a dome on a barrel."""
    down = np.clip(level, 0, None)
    wide = (1 - np.clip(1 - down / 15, 0, 1) ** 2.5) ** 0.47 + 0.002 * down
    deep = (1 - np.clip(1 - down / 17, 0, 1) ** 2.2) ** 0.55
    return anatomy.width * wide, anatomy.depth * deep


def cavity(
    anatomy: Anatomy,
    side: int,
    level: np.ndarray,
    shift: np.ndarray | float = 0.0,
    shrink: np.ndarray | float = 0.0,
    thinned: float = 1.0,
    floor: float | None = None,
) -> Stack:
    """Room of one lung, or what is left of it.

    The apex moves down by `shift`, the wall comes in by `shrink`, front and back by `thinned` times
    that (cm, scalars or one value a level); nothing is left below the level `floor`.
    """
    wide, deep = cage(anatomy, level - shift)
    inner = 0.8 * np.minimum(wide / 4, 1.0)
    outer = np.maximum(wide - shrink, inner)
    half = (outer - inner) / 2
    deep = np.maximum(deep - thinned * shrink, 0.0)
    ends = np.clip(((anatomy.base if floor is None else floor) - level) / 0.6, 0, 1) * (half > 0.02)
    back = -1.0 + 0.0 * level
    return Stack(side * (outer + inner) / 2, back, half * ends, deep * ends, 2.5)


def body(anatomy: Anatomy, level: np.ndarray, lateral: bool) -> Stack:
    """Neck, shoulders and trunk; raised arms (lateral) take the shoulders out of the way."""
    trunk, deep = anatomy.width + 1.9 + 0.75 * anatomy.fat, anatomy.depth + 1.5
    shoulder = 12.5 if lateral else 19.0
    wide = profile(
        level, (-12, 6.2), (-7.5, 6.0), (-5, 8.5), (-3.2, 0.76 * shoulder), (-1, 0.97 * shoulder),
        (3, shoulder), (8, trunk + (-0.5 if lateral else 1.4)), (12, trunk), (32, trunk + 0.8),
    )  # fmt: skip
    thick = profile(
        level, (-12, 6.0), (-6, 5.8), (-2, 7.0), (2, 8.3), (7, deep + 0.3),
        (13, deep + 0.6 * anatomy.fat), (30, deep + 0.2 + 0.8 * anatomy.fat),
    )  # fmt: skip
    back = profile(level, (-12, 0.0), (-5, -2.0), (6, -0.8), (30, 0.0))
    return Stack(0.0 * level, back, wide, thick, 2.4)


def arms(anatomy: Anatomy, lateral: bool) -> list[Ellipsoid]:
    """Upper arms: beside the trunk, or raised in front of the head for a lateral view."""
    if lateral:
        tilt = np.array([[1, 0, 0], [0, -0.82, 0.57], [0, 0.57, 0.82]])
        return [
            Ellipsoid(np.array([s * 13.0, -3.5, 5.0]), np.array([4.0, 14.0, 4.2]), tilt)
            for s in SIDES
        ]
    reach = anatomy.width + 0.75 * anatomy.fat + 6.6
    return [Ellipsoid((s * reach, 15.0, -1.0), (4.0, 17.0, 4.3)) for s in SIDES]


def breasts(anatomy: Anatomy) -> list[Ellipsoid]:
    """Breast tissue in front of the chest wall."""
    if not anatomy.breast:
        return []
    size = 4.8 + 0.4 * anatomy.breast
    place = 7.8, 15.0 + 0.7 * anatomy.breast, anatomy.depth - 0.3
    radii = size * 1.1, size, 2.4 + 0.75 * anatomy.breast
    return [Ellipsoid((s * place[0], *place[1:]), radii) for s in SIDES]


def diaphragm(anatomy: Anatomy, side: int, level: np.ndarray, top: float) -> Stack:
    """What lies under one hemidiaphragm that peaks at `top`: a half ellipsoid, then a shaft."""
    middle, half = 0.44 * anatomy.width, 0.65 * anatomy.width
    below = np.clip((level - top) / anatomy.curve, 0, 1)
    round_off = np.sqrt(1 - (1 - below) ** 2)
    flat = 0.0 * level
    deep = 1.18 * anatomy.depth * round_off
    return Stack(flat + side * middle, flat - 0.2, half * round_off, deep, 2.5)


def heart(anatomy: Anatomy, top: float, growth: float = 0.0) -> list[Ellipsoid]:
    """Ventricles and atria above a diaphragm at `top`; `growth` 0 is normal, 1 is a huge heart."""
    size = anatomy.heart * (1 + 0.36 * growth)
    tilt = anatomy.axis - 0.10 * growth
    along = np.array([np.cos(tilt), np.sin(tilt), 0.25])
    along /= np.linalg.norm(along)
    across = np.cross([0, 0, 1], along)
    across /= np.linalg.norm(across)
    axes = np.stack([along, across, np.cross(along, across)])
    wide = size**0.7
    left = Ellipsoid(
        (2.6 * size, top - 2.4 - 0.8 * growth, 1.8), (6.6 * size, 4.5 * size, 5.9 * size), axes
    )
    right = Ellipsoid((-1.8 * wide, top - 3.8, 2.0), (2.9 * size, 4.6 * size, 5.0 * size))
    atrium = Ellipsoid((0.6, top - 6.5, 0.0), (3.6 * wide, 3.8 * wide, 3.4 * wide))
    ear = Ellipsoid((2.4 * wide, top - 7.2, 1.5), (2.1 * wide, 2.8 * wide, 2.0))
    return [left, right, atrium, ear]


def great_vessels(anatomy: Anatomy) -> list[Ellipsoid]:
    """Aortic knob, pulmonary trunk, ascending aorta and upper caval vein."""
    knob, out = anatomy.knob, 0.5 * anatomy.unfolding
    return [
        Ellipsoid((2.0 + out, 6.6, -1.0), (knob, knob * 1.1, 3.2)),
        Ellipsoid((2.2, anatomy.hilum - 0.4, 1.5), (2.0, 2.4, 2.2)),
        Ellipsoid((-1.6 - 0.5 * out, 9.3, 2.0), (1.9, 5.0, 2.0)),
        Ellipsoid((-1.9, 5.5, 0.5), (1.2, 7.0, 1.3)),
    ]


def mediastinum(anatomy: Anatomy, level: np.ndarray) -> Stack:
    """Column of soft tissue between the lungs, from the spine to the breastbone."""
    wide = profile(level, (-4, 4.2), (1, 3.7), (5, 3.5), (9, 3.6), (16, 4.0), (30, 4.4))
    deep = profile(level, (-4, 4.0), (3, 5.2), (9, 6.6), (30, 7.0))
    return Stack(bow(anatomy, level) * 0.6, 0.0 * level - 1.8, wide, deep, 1.3)


def bow(anatomy: Anatomy, level: np.ndarray) -> np.ndarray:
    """Sideways deviation of the spine at each level."""
    return anatomy.scoliosis * np.sin((np.asarray(level) - 4) / 22 * 2 * np.pi * 0.75)

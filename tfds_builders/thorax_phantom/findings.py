"""What illness does to the chest: sizes and places of every change, before any picture is made.

Places persist per patient; the day's severity (0 to 1] sets how far a change has gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from .anatomy import LEFT, RIGHT, SIDES, Anatomy, cage
from .patients import Patient, Visit
from .solids import Ellipsoid
from .streams import stream
from .tubes import Tube, segments
from .vessels import hilum


@dataclass(frozen=True)
class Cloud:
    """Gaussian opacities: centres (N, 3) cm, spreads (N,) cm, fluid share in the middle (N,)."""

    centres: np.ndarray
    spreads: np.ndarray
    density: np.ndarray


@dataclass
class Pathology:
    """Everything that differs from a healthy chest."""

    heart_growth: float = 0.0
    collapse: dict[int, float] = field(default_factory=dict)  # side -> width of the air gap, cm
    fluid: dict[int, float] = field(default_factory=dict)  # side -> height above the base, cm
    clouds: list[Cloud] = field(default_factory=list)
    spheres: list[Ellipsoid] = field(default_factory=list)
    septa: list[Tube] = field(default_factory=list)  # Kerley B lines
    congestion: float = 0.0  # extra calibre of the vessels


def draw_pathology(patient: Patient, anatomy: Anatomy, visit: Visit) -> Pathology:
    """Changes that `visit` shows, each from the patient's own stream for that finding."""
    changes = Pathology()
    for name, severity in visit.findings.items():
        rng = stream(patient.seed, patient.name, "finding", name)
        _APPLY[name](changes, anatomy, severity, rng)
    for side in changes.collapse:  # air and fluid at once would be another finding
        if changes.fluid.pop(side, None) is not None and not changes.fluid:
            changes.fluid[-side] = 1.5 + 6.0 * visit.findings["Effusion"]
    return changes


def in_lung(
    anatomy: Anatomy, side: int, rng: Generator, low: float, high: float, near: float = 0.0
) -> np.ndarray:
    """Random point (3,) of a lung between levels `low` and `high` (0 apex, 1 dome).

    `near` pushes it towards the wall: 0 uniform, 1 at the periphery.
    """
    level = anatomy.dome[0 if side == RIGHT else 1] * rng.uniform(low, high)
    wide, deep = cage(anatomy, np.array(level))
    least = 3.2 if side == RIGHT or level < 11 else 6.0  # clear of the heart
    reach = near + (1 - near) * rng.random()
    x = least + (0.88 * wide - least) * reach if wide > least + 1 else 0.7 * wide
    return np.array([side * x, level, -1.0 + rng.uniform(-0.6, 0.6) * deep])


def _consolidation(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    side = RIGHT if rng.random() < 0.58 else LEFT
    middle = in_lung(anatomy, side, rng, 0.25, 0.92)
    changes.clouds.append(_patch(middle, rng, 2.0 + 2.1 * severity, 0.35 + 0.55 * severity))
    if rng.random() < 0.3:
        other = in_lung(anatomy, -side, rng, 0.4, 0.92)
        changes.clouds.append(_patch(other, rng, 1.0 + 1.3 * severity, 0.2 + 0.4 * severity))


def _patch(middle: np.ndarray, rng: Generator, extent: float, density: float) -> Cloud:
    offsets = rng.normal(0, 0.62 * extent, (14, 3)) * [1.15, 0.9, 1.0]
    spreads = extent * rng.uniform(0.28, 0.6, 14)
    return Cloud(middle + offsets, spreads, density * rng.uniform(0.5, 1.0, 14))


def _effusion(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    side = RIGHT if rng.random() < 0.55 else LEFT
    both = rng.random() < 0.35
    height = 1.3 + 7.5 * severity**1.4
    changes.fluid[side] = height
    if both:
        changes.fluid[-side] = height * rng.uniform(0.35, 0.8)


def _metastases(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    count = 5 + round(11 * rng.random())
    for number in range(count):
        low, high = (0.45, 0.97) if rng.random() < 0.75 else (0.12, 0.6)
        place = in_lung(anatomy, SIDES[number % 2], rng, low, high, near=0.25)
        radius = (0.9 + 0.9 * severity) * rng.uniform(0.6, 1.25)
        changes.spheres.append(Ellipsoid(tuple(place.tolist()), (radius,) * 3))


def _nodule(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    side = RIGHT if rng.random() < 0.55 else LEFT
    place = in_lung(anatomy, side, rng, 0.15, 0.92)
    radius = 1.1 + 1.2 * severity
    changes.spheres.append(
        Ellipsoid(tuple(place.tolist()), tuple((radius * rng.uniform(0.88, 1.12, 3)).tolist()))
    )


def _cardiomegaly(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    changes.heart_growth = 0.28 + 0.72 * severity


def _pneumothorax(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    side = RIGHT if rng.random() < 0.55 else LEFT
    changes.collapse[side] = 0.3 + 2.8 * severity**1.3


def _edema(changes: Pathology, anatomy: Anatomy, severity: float, rng: Generator) -> None:
    changes.congestion = 0.25 + 0.75 * severity
    for side in SIDES:
        middle = hilum(anatomy, side) + np.array([side * 2.2, 1.2, 0])
        around = middle + rng.normal(0, 1, (26, 3)) * [2.0, 3.3, 2.6]
        spreads = rng.uniform(0.9, 2.1, 26)
        density = (0.035 + 0.14 * severity) * rng.uniform(0.4, 1.0, 26)
        changes.clouds.append(Cloud(around, spreads, density))
        changes.septa.append(_kerley(anatomy, side, severity, rng))


def _kerley(anatomy: Anatomy, side: int, severity: float, rng: Generator) -> Tube:
    """Short level lines that touch the wall above the angle between ribs and diaphragm."""
    level = anatomy.dome[0] - 0.5 - 0.75 * np.arange(8) + rng.normal(0, 0.12, 8)
    wide, _ = cage(anatomy, level)
    outer = np.stack([side * (wide - 0.3), level, np.full(8, -1.0)], axis=1)
    inner = outer - np.stack(
        [side * rng.uniform(1.0, 2.2, 8), rng.normal(0, 0.1, 8), np.zeros(8)], axis=1
    )
    return segments(outer, inner, 0.08, factor=4.0 * severity)


_APPLY: Mapping = {
    "Consolidation": _consolidation,
    "Effusion": _effusion,
    "Lung Metastasis": _metastases,
    "Nodule": _nodule,
    "Cardiomegaly": _cardiomegaly,
    "Pneumothorax": _pneumothorax,
    "Edema": _edema,
}

"""Line integrals of attenuation through the whole chest, healthy or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import anatomy, skeleton, vessels
from .anatomy import LEFT, RIGHT, Anatomy
from .findings import Pathology
from .physics import BONE, LUNG, SOFT, SPONGE
from .projection import Projection
from .solids import Ellipsoid, Interval, common, hull, without
from .tubes import Tube, render

AIRLESS = SOFT - LUNG  # what fluid adds to the lung it fills


@dataclass(frozen=True)
class Chest:
    """A body on one day: lasting anatomy and vessels, illness, posture of diaphragm and arms."""

    anatomy: Anatomy
    changes: Pathology
    vessels: list[Tube]
    sunk: float  # cm by which the diaphragm stands higher than at full inspiration


@dataclass
class Lungs:
    """Lengths (cm) along every ray, both sides together."""

    cavity: np.ndarray  # between the ribs, whatever fills it
    lung: np.ndarray  # aerated lung
    field: np.ndarray  # bool, not covered by heart or diaphragm
    air: np.ndarray | float = 0.0  # pneumothorax
    rim: np.ndarray | float = 0.0  # visceral pleura where air has lifted it off

    def __add__(self, other: Lungs) -> Lungs:
        return Lungs(
            self.cavity + other.cavity,
            self.lung + other.lung,
            self.field | other.field,
            self.air + other.air,
            self.rim + other.rim,
        )


def trace(chest: Chest, film: Projection) -> tuple[np.ndarray, np.ndarray]:
    """Line integrals (S, S) of attenuation, and the lung fields (S, S) bool."""
    centre = _centre(chest, film)
    lungs = _lung(chest, film, RIGHT, centre) + _lung(chest, film, LEFT, centre)
    filled = np.minimum(_clouds(chest, film, lungs.lung) + _spheres(chest, film), lungs.lung)
    total = SOFT * (_soft_tissue(chest, film) + lungs.rim - lungs.air)
    total += AIRLESS * (filled + _vascular(chest, film, lungs, filled) - lungs.lung)
    return total + _bones_and_airways(chest, film) - SOFT * _stomach_gas(chest, film), lungs.field


def _tops(chest: Chest) -> dict[int, float]:
    right, left = chest.anatomy.dome
    return {RIGHT: right - chest.sunk, LEFT: left - chest.sunk}


def _soft_tissue(chest: Chest, film: Projection) -> np.ndarray:
    """Path (cm) through trunk, arms and breasts, as if there were no lungs."""
    _, level = film.grid()
    trunk = film.interval(anatomy.body(chest.anatomy, level, film.view == "L"))
    path = common(trunk)
    for solid in anatomy.arms(chest.anatomy, film.view == "L") + anatomy.breasts(chest.anatomy):
        part = film.interval(solid)
        path = path + common(part) - common(part, trunk)
    return path


def _centre(chest: Chest, film: Projection) -> Interval:
    """Everything between the lungs as one interval a ray."""
    _, level = film.grid()
    top = float(np.mean(list(_tops(chest).values())))
    solids = anatomy.heart(chest.anatomy, top, chest.changes.heart_growth)
    solids += anatomy.great_vessels(chest.anatomy)
    column = film.interval(anatomy.mediastinum(chest.anatomy, level))
    return hull(column, *(film.interval(solid) for solid in solids))


def _lung(chest: Chest, film: Projection, side: int, centre: Interval) -> Lungs:
    """One lung in its cavity; air or fluid take its place from the wall or from below."""
    _, level = film.grid()
    top, body = _tops(chest)[side], chest.anatomy
    below = film.interval(anatomy.diaphragm(body, side, level, top))

    def fill(**shape: Any) -> np.ndarray:
        return without(film.interval(anatomy.cavity(body, side, level, **shape)), centre, below)

    cavity = common(film.interval(anatomy.cavity(body, side, level)))
    room = fill()
    field = (room > 0.7 * cavity) & (room > 0.8)
    if side in chest.changes.collapse:
        shift = chest.changes.collapse[side] * np.clip(1 - level / (top + 4), 0, 1)
        lung = fill(shift=shift, shrink=0.6 * shift)
        pleura = 0.1 * np.minimum(shift / 0.5, 1)
        inner = fill(shift=shift + 0.4 * pleura, shrink=0.6 * shift + pleura)
        return Lungs(cavity, lung, field, room - lung, np.maximum(lung - inner, 0))
    if side in chest.changes.fluid:
        surface = top + body.curve - chest.changes.fluid[side]
        climb = 3.5 if film.view == "AP" else 1.7
        layer = 3.2 * np.exp(np.minimum(level - surface, 0) / climb)
        lung = fill(shrink=layer, thinned=2.0, floor=surface)
        return Lungs(cavity, np.minimum(lung, room), field)
    return Lungs(cavity, room, field)


def _clouds(chest: Chest, film: Projection, lung: np.ndarray) -> np.ndarray:
    """Path (cm) of fluid in hazy lung, never more than the lung there."""
    path = np.zeros_like(lung)
    for cloud in chest.changes.clouds:
        for centre, spread, density in zip(
            cloud.centres.tolist(), cloud.spreads.tolist(), cloud.density.tolist(), strict=True
        ):
            across, level = film.grid(centre[film.beam])
            along = 2 if film.beam == 0 else 0
            x = np.exp(-0.5 * ((across - centre[along]) / spread) ** 2)
            y = np.exp(-0.5 * ((level - centre[1]) / spread) ** 2)
            path += density * spread * 2.5066 * x * y
    return lung * (1 - np.exp(-path / np.maximum(lung, 1e-3)))


def _spheres(chest: Chest, film: Projection) -> np.ndarray | float:
    return sum((1.25 * common(film.interval(ball)) for ball in chest.changes.spheres), start=0.0)


def _vascular(chest: Chest, film: Projection, lungs: Lungs, filled: np.ndarray) -> np.ndarray:
    """Path (cm) through vessels in aerated lung.

    In filled lung the vessels vanish; the bronchi beside them, still full of air, show instead.
    """
    fuller = 1 + chest.changes.congestion * np.linspace(0.15, 1.1, len(chest.vessels))
    tubes = [tube.scaled(f) for tube, f in zip(chest.vessels, fuller, strict=True)]
    tubes += [vessels.descending_aorta(chest.anatomy), *chest.changes.septa]
    path = render([film.place(tube) for tube in tubes], film.size, film.pixel)
    aerated = lungs.lung / np.maximum(lungs.cavity, 1.0)
    return path * aerated * (1 - 1.5 * filled / np.maximum(lungs.lung, 0.5))


def _bones_and_airways(chest: Chest, film: Projection) -> np.ndarray:
    """Line integral that bones add to, and airways take from, soft tissue."""
    body, lateral = chest.anatomy, film.view == "L"
    tubes = [tube.scaled(BONE * body.rib_mass) for tube in skeleton.bones(body, film.view)]
    tubes += [tube.scaled(-SOFT) for tube in vessels.airways(body)]
    across, level = film.grid(0.0 if lateral else -6.0)
    column = skeleton.spine(body, across, level, lateral)
    return render([film.place(tube) for tube in tubes], film.size, film.pixel) + (
        SPONGE * body.rib_mass * column
    )


def _stomach_gas(chest: Chest, film: Projection) -> np.ndarray | float:
    """Path (cm) through the bubble under the left dome; it spreads out of sight lying down."""
    size, top = chest.anatomy.bubble, _tops(chest)[LEFT]
    if not size or film.view == "AP":
        return 0.0
    _, level = film.grid()
    bubble = Ellipsoid((6.0, top + 2.4, 2.0), (3.2 * size, 1.5 * size, 3.0 * size))
    below = film.interval(anatomy.diaphragm(chest.anatomy, LEFT, level, top + 0.5))
    return common(film.interval(bubble), below)

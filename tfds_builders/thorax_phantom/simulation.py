"""A simulated radiograph from a patient, in four steps: body, illness, rays, film.

    patient = draw_patient(seed=7, name="p001", findings=("Effusion",))
    picture = simulate(patient, image_index=0, size=256)

The same (patient, image_index, size, view, bits) gives the same bits on one machine, whatever was
simulated before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import physics
from .anatomy import Anatomy, draw_anatomy
from .findings import draw_pathology
from .markers import marker
from .patients import Patient, draw_patient, draw_visit
from .projection import Pose, Projection
from .rays import Chest, trace
from .streams import stream
from .tubes import Tube
from .vessels import lung_vessels

__all__ = ["Radiograph", "draw_patient", "simulate"]


@dataclass(frozen=True)
class Radiograph:
    """One simulated film.

    pixels: (S, S), uint8, or uint16 with `bits` significant bits; bright is dense.
    lung_mask: (S, S) bool, the lung fields left free by heart and diaphragm, air and fluid in.
    findings: finding -> severity in (0, 1], present ones only.
    age: years; sex: "F" or "M"; view: "PA", "AP" or "L".
    """

    pixels: np.ndarray
    lung_mask: np.ndarray
    findings: Mapping[str, float]
    age: int
    sex: str
    view: str


def simulate(
    patient: Patient, image_index: int, size: int, *, view: str | None = None, bits: int = 8
) -> Radiograph:
    """Film `image_index` of `patient`, `size` pixels a side.

    Args:
        patient: from `draw_patient`.
        image_index: 0, 1, ...; each is another visit with its own pose, breath and exposure.
        size: pixels a side, 32 or more; the field is always 38 cm.
        view: "PA", "AP" or "L" instead of the drawn one.
        bits: 8 to 16.

    Raises:
        ValueError: size, bits or view out of range.
    """
    if size < 32 or not 8 <= bits <= 16 or view not in (None, "PA", "AP", "L"):
        raise ValueError(f"no film of size {size!r}, {bits!r} bits, view {view!r}")
    visit = draw_visit(patient, image_index, view)
    body, tree = _body(patient.seed, patient.name, patient.age, patient.sex)
    changes = draw_pathology(patient, body, visit)
    rng = stream(patient.seed, patient.name, "film", image_index)
    pose, sunk = _draw_pose(rng, body, visit.view)
    setting = physics.draw_exposure(rng, visit.view)
    film = Projection(visit.view, size, pose)
    attenuation, mask = trace(Chest(body, changes, tree, sunk), film)
    attenuation += marker(film, rng)
    noise = stream(patient.seed, patient.name, "noise", image_index, size)
    signal = physics.expose(attenuation, film.pixel, setting, noise)
    pixels = physics.display(signal, film.pixel, setting, bits)
    return Radiograph(pixels, mask, visit.findings, visit.age, patient.sex, visit.view)


@lru_cache(maxsize=8)
def _body(seed: int, name: str, age: int, sex: str) -> tuple[Anatomy, list[Tube]]:
    body = draw_anatomy(seed, name, age, sex)
    return body, lung_vessels(body, seed, name)


def _draw_pose(rng: np.random.Generator, body: Anatomy, view: str) -> tuple[Pose, float]:
    """Pose, and how far (cm) the diaphragm stays below full inspiration's place."""
    loose = 1.6 if view == "AP" else 1.0
    pose = Pose(
        turn=rng.normal(0, 0.03 * loose),
        lean=rng.normal(0, 0.02 * loose),
        right=rng.normal(0, 0.8 * loose),
        down=rng.normal(0, 0.8 * loose),
        scale=body.scale,
    )
    breath = rng.normal(2.2, 1.2) if view == "AP" else rng.normal(0.3, 0.8)
    return pose, float(np.clip(breath, -1.0, 5.0))

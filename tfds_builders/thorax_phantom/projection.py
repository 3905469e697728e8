"""Where a point of the body falls on the detector: view, distances, pose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from .solids import Ellipsoid, Interval, Stack, X, Y, Z
from .tubes import Tube

FIELD = 38.0  # cm, side of the square detector
CENTRE = 11.5  # cm below the apices, where the central beam goes through

# Distance of the focus from the detector, and the detector's place along the beam (cm).
SETUP = {"PA": (180.0, 13.0), "AP": (110.0, -13.0), "L": (180.0, 19.0)}


Depth = TypeVar("Depth", float, np.ndarray)


@dataclass(frozen=True)
class Pose:
    """How the patient stands: turn (rad, about y), lean (rad), shift (cm) and size (factor)."""

    turn: float = 0.0
    lean: float = 0.0
    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Projection:
    """Cone-beam geometry, to first order: each structure is magnified by its own depth.

    An object near the detector is drawn at true size; in an AP film the heart is far from it, and
    grows.
    """

    view: str
    size: int
    pose: Pose = Pose()

    @property
    def beam(self) -> int:
        """Axis of the rays."""
        return X if self.view == "L" else Z

    @property
    def pixel(self) -> float:
        """Side of a pixel on the detector in cm."""
        return FIELD / self.size

    @cached_property
    def _detector(self) -> tuple[np.ndarray, np.ndarray]:
        place = np.arange(0.5, self.size, dtype=np.float32) * self.pixel - FIELD / 2
        level = (place - self.pose.down)[:, None]
        return place[None, :] - self.pose.right - self.pose.lean * level, level

    def magnification(self, depth: Depth) -> Depth:
        """Enlargement of what lies at `depth` along the beam."""
        focus, detector = SETUP[self.view]
        return self.pose.scale * focus / (focus - abs(detector - depth))

    def grid(self, depth: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Patient coordinates (across, level) of every pixel for structures at `depth`.

        Across is x in a frontal view and z in a lateral one; level has shape (size, 1).
        """
        across, level = self._detector
        enlarged = self.magnification(depth)
        sideways = depth * math.sin(self.pose.turn)
        across = (-across if self.view == "L" else across) / enlarged - sideways
        return across, level / enlarged + CENTRE

    def interval(self, solid: Ellipsoid | Stack) -> Interval:
        """Interval of every ray inside a solid; a stack is one built on `grid(0)`."""
        depth = solid.centre[self.beam] if isinstance(solid, Ellipsoid) else 0.0
        across, level = self.grid(depth)
        return solid.interval(across, level, self.beam)

    def place(self, tube: Tube) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Pixel positions (column, row), weights and detector radius of a tube."""
        depth = tube.points[:, self.beam]
        across = tube.points[:, Z if self.beam == X else X] + depth * math.sin(self.pose.turn)
        enlarged = self.magnification(depth)
        across = (-across if self.view == "L" else across) * enlarged
        down = (tube.points[:, Y] - CENTRE) * enlarged
        column = (across + self.pose.right + self.pose.lean * down + FIELD / 2) / self.pixel - 0.5
        row = (down + self.pose.down + FIELD / 2) / self.pixel - 0.5
        return column, row, tube.length, tube.radius * float(np.mean(enlarged))

"""Augmentation policies by name, and their versions. Imports no TensorFlow.

What they do to pixels is in :mod:`benchmark.data.augment`.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.errors import UnknownName


@dataclass(frozen=True)
class Augmentation:
    """A policy. Every amount is drawn per image, uniformly between its two limits.

    Attributes:
        flip: probability of a left-right mirror image.
        rotation: largest rotation either way, in degrees.
        shift: largest shift either way along each axis, as a fraction of the side.
        zoom: largest relative change of scale either way: 0.1 draws a scale of 0.9 ... 1.1, where
            1.1 shows everything a tenth larger.
        brightness: largest amount added or taken off, in units of the full grey range.
        contrast: largest relative change of the deviation from the image's mean, either way.
        version: raised where the same policy begins to give other pixels.
    """

    flip: float = 0.0
    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    version: int = 1

    @property
    def resamples(self) -> bool:
        """Whether pixels move to places between those of the input."""
        return any((self.rotation, self.shift, self.zoom))

    @property
    def shades(self) -> bool:
        """Whether grey values change."""
        return any((self.brightness, self.contrast))


POLICIES = {
    "none": Augmentation(),
    "flip": Augmentation(flip=0.5),
    "rotate5": Augmentation(rotation=5.0),
    "standard": Augmentation(
        flip=0.5, rotation=10.0, shift=0.05, zoom=0.1, brightness=0.1, contrast=0.1
    ),
}
RANDAUGMENT = "randaugment"
RANDAUGMENT_VERSION = 1
"""As :attr:`Augmentation.version`; its amounts are in :mod:`benchmark.data.randaugment`."""
CHOICES = (*POLICIES, RANDAUGMENT)


def version_of(name: str) -> int:
    """The version of the policy called ``name``.

    Raises:
        UnknownName: there is no such policy; lists the choices.
    """
    if name == RANDAUGMENT:
        return RANDAUGMENT_VERSION
    if name not in POLICIES:
        raise UnknownName("augmentation", name, CHOICES)
    return POLICIES[name].version

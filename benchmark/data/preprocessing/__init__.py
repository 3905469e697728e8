"""Preprocessing variants: what is done to the pixels of a view, most of it after the resize.

An image that is not square is squashed into the square of the view, whatever its variant, unless
that variant makes it square before.

One file a variant; the file's name is the variant's name, files that begin with ``_`` are not
variants. A file has

- ``CARD``, a literal (it is read without importing the file): ``title``, ``description``,
  ``version`` (a number, raised with every change of the pixels) and ``idempotent`` (whether a
  second application changes nothing); ``"needs": "lungs"`` where it has to know the lungs,
  ``"keeps_geometry": False`` where a place in the image is not where it was before,
  ``"before_resize": True`` where it makes images square in place of the squash;
- ``apply(image)``: uint8 (S, S) in, uint8 (S, S) out, pure and deterministic, S >= 32; with a
  second argument, bool (S, S), where it needs the lungs. Before the resize: any type, (H, W) in,
  (N, N) out, the same values, and a square image as it is.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.plugins import Axis, Plugin


class Variant(Plugin):
    """A preprocessing variant as found on disk, not imported yet."""

    @property
    def needs_lungs(self) -> bool:
        """Whether a network has to find the lungs first."""
        return self.card["needs"] == "lungs"

    @property
    def keeps_geometry(self) -> bool:
        """Whether what is somewhere in an image is still there, so that boxes can be drawn."""
        return self.card["keeps_geometry"]

    @property
    def before_resize(self) -> bool:
        """Whether it makes images square itself, so that they are not squashed."""
        return self.card["before_resize"]


AXIS = Axis(
    "preprocessing",
    __name__,
    entry="apply",
    keys={"title": str, "description": str, "version": int, "idempotent": bool},
    optional={"needs": "", "keeps_geometry": True, "before_resize": False},
    found=Variant,
)


def discover(folder: Path | None = None) -> dict[str, Variant]:
    """Every variant in a folder by name, in alphabetical order; imports none of them."""
    return AXIS.discover(folder)


def find(name: str, folder: Path | None = None) -> Variant:
    """The variant called ``name``; UnknownName lists the choices."""
    return AXIS.find(name, folder)

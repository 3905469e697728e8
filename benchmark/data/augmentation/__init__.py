"""Augmentation policies: what is varied at random in a batch of training images.

One file a policy (see :mod:`benchmark.plugins`). A file has

- ``CARD``: ``title``, ``description``, ``version`` (raised where the same policy begins to give
  other pixels) and ``masks`` (whether it moves masks beside their images); ``amounts`` where it is
  those of :class:`benchmark.data.augmentation._vary.Amounts` and no more;
- ``augment(images, masks, key) -> (images, masks)``: images float32 (B, S, S, 1) in [0, 1], in and
  out; masks float32 (B, S, S, 1) of 1 lung, 0 background and -1 ignored, or None where there are
  none; key int64 (2,), from which every draw is made without a state: equal keys, equal results.

Imports no TensorFlow; the files may.
"""

from __future__ import annotations

from benchmark.plugins import Axis, Plugin

AXIS: Axis[Plugin] = Axis(
    "augmentation",
    __name__,
    entry="augment",
    keys={"title": str, "description": str, "version": int, "masks": bool},
    optional={"amounts": {}},
)

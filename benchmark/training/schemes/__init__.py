"""Training schemes: what of a network is trained, and in which order. Imports no framework.

One file a scheme (see :mod:`benchmark.plugins`). A file has

- ``CARD``: ``title``, ``description``; ``begins_from``, what a source of weights has to give, of
  :data:`benchmark.training.weight_sources.GIVES`; ``usual``, the source where a suite names none,
  empty where one has to be named; ``"features_only": True`` where the backbone stays as it begins,
  so that its features are computed once for a view, from the images as they are;
- ``train(model, training) -> Trained``: the network in, and what to train it on
  (:class:`benchmark.training.stage.Training`); what is then predicted with and how it went out
  (:class:`benchmark.training.stage.Trained`).

The files import Keras.
"""

from __future__ import annotations

from benchmark.plugins import Axis, Plugin

AXIS: Axis[Plugin] = Axis(
    "scheme",
    __name__,
    entry="train",
    keys={"title": str, "description": str, "begins_from": list, "usual": str},
    optional={"features_only": False},
)


def is_features_only(scheme: str) -> bool:
    """Whether a scheme trains on features that are computed once; no scheme does not."""
    return bool(scheme) and AXIS.find(scheme).card["features_only"]

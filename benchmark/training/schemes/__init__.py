"""Training schemes: what of a network is trained, and in which order. Imports no framework.

One file a scheme (see :mod:`benchmark.plugins`). A file has

- ``CARD``: ``title``, ``description``; ``begins_from``, what a source of weights has to give, of
  :data:`benchmark.training.weight_sources.GIVES`; ``usual``, the source where a suite names none,
  empty where one has to be named; ``"features_only": True`` where the backbone stays as it begins,
  so that its features are computed once for a view, from the images as they are;
  ``"by_gradient": False`` where also the head is not trained step by step but fitted, so that a
  spec has no recipe and nothing is drawn but what the backbone begins as; such a scheme has a
  ``version`` of its own, raised where the same specs begin to give other numbers (of the others
  :data:`benchmark.training.VERSION` is the version); ``no_network``, where no network is left
  that predicts, why; ``"learns_by_heart": True`` where its AUC on train says nothing, and so no
  gap to it is shown; ``remark``, what a reader of its rows must know;
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
    optional={
        "features_only": False,
        "by_gradient": True,
        "version": 0,
        "no_network": "",
        "learns_by_heart": False,
        "remark": "",
    },
)


def is_features_only(scheme: str) -> bool:
    """Whether a scheme trains on features that are computed once; none, or an unknown one, not."""
    return scheme in AXIS.names() and AXIS.find(scheme).card["features_only"]


def is_by_gradient(scheme: str) -> bool:
    """Whether what a scheme trains is trained step by step, by a recipe; no scheme fits nothing."""
    return not scheme or AXIS.find(scheme).card["by_gradient"]


def learns_by_heart(scheme: str) -> bool:
    """Whether what is predicted of the training images says nothing; of no unknown scheme."""
    return scheme in AXIS.names() and AXIS.find(scheme).card["learns_by_heart"]


def remark_on(scheme: str) -> str:
    """What a reader of the rows of a scheme must know; nothing of one that is not known here."""
    return AXIS.find(scheme).card["remark"] if scheme in AXIS.names() else ""


def why_no_network(scheme: str) -> str:
    """Why a row of a scheme leaves no network to predict other images with; empty if it does."""
    return AXIS.find(scheme).card["no_network"] if scheme else ""

"""Ensemble rules: how the saved predictions of several models become one. Imports no TensorFlow.

One file a rule (see :mod:`benchmark.plugins`). A file has

- ``CARD``: ``title`` (of its rows; ``{members}`` and ``{k}`` stand for what the suite says),
  ``description``, ``reference``, ``version`` (raised where the same declaration begins to give
  other numbers) and ``options``, the keys that a suite may give it: ``weights`` of the members,
  ``k``; ``"ranked_by_auc": False`` where images have too few different scores for that;
- ``combine(voters, rule) -> (logits, used)``: voters by name of their model
  (:class:`benchmark.ensembles.voters.Voter`), of N images each, and what the suite declares
  (:class:`benchmark.spec.EnsembleRule`) in; logits float64 (N, F) out, and the names of the models
  that have a part in them. Whatever it chooses, it chooses by the validation split.
"""

from __future__ import annotations

from benchmark.plugins import Axis, Plugin

AXIS: Axis[Plugin] = Axis(
    "ensemble rule",
    __name__,
    entry="combine",
    keys={"title": str, "description": str, "reference": str, "version": int, "options": list},
    optional={"ranked_by_auc": True},
)

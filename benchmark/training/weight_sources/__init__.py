"""Sources of the weights that a network begins with. Imports no framework.

One file a source (see :mod:`benchmark.plugins`); what a suite writes is the file's name, and where
the source needs to be told more, a colon and that. A file has

- ``CARD``: ``title``, ``description`` and what it ``gives``, of :data:`GIVES`, which decides about
  the schemes that can begin from it; where it needs to be told more ``argument``, what that is
  called, ``pattern``, a regular expression of it, and ``meaning``, for a message;
- ``files(weights, model_file, results, folders) -> list[Path]``: what the suite wrote, the file of
  the model, the results and folders named by the user in; the files to load out, in the order in
  which the model takes them. It raises ``NotApplicable`` where there are none for this model, and
  :class:`benchmark.training.weight_files.MissingWeights` where they are not there. The hash of the
  files becomes a part of the spec.
"""

from __future__ import annotations

from benchmark.errors import UnknownName
from benchmark.plugins import Axis, Plugin

GIVES = ("nothing", "backbone", "network")
"""A network is drawn at random, or its backbone is filled, or all of it."""

AXIS: Axis[Plugin] = Axis(
    "weights",
    __name__,
    entry="files",
    keys={"title": str, "description": str, "gives": str},
    optional={"argument": "", "pattern": "", "meaning": ""},
)


def find_source(weights: str) -> Plugin:
    """The source that weights come from, as a suite names them; UnknownName lists the choices."""
    name, colon, _ = weights.partition(":")
    sources = AXIS.discover()
    if name not in sources or (colon and not sources[name].card["argument"]):
        raise UnknownName(AXIS.what, weights, map(written, sources.values()))
    return sources[name]


def written(source: Plugin) -> str:
    """How a suite names a source."""
    argument = source.card["argument"]
    return f"{source.name}:<{argument}>" if argument else source.name

"""Which weights go with which training scheme. Imports no Keras."""

from __future__ import annotations

import re

from benchmark.errors import UserError
from benchmark.naming import VARIANT, VARIANT_RULE
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.schemes import is_by_gradient
from benchmark.training.weight_sources import AXIS as SOURCES
from benchmark.training.weight_sources import find_source, written

SCRATCH, FINETUNE = "scratch", "finetune"


def check_scheme(name: str) -> None:
    """Raise an UnknownName where there is no such scheme."""
    SCHEMES.find(name)


def check_weights(name: str) -> None:
    """Refuse what is no source of weights.

    Raises:
        UnknownName: there is no such source; lists the choices.
        UserError: a source is not told what it needs, as ``from:`` without a spec id behind it.
    """
    source, argument = find_source(name), name.partition(":")[2]
    if source.card["argument"] and not re.fullmatch(source.card["pattern"], argument):
        start = f"{source.name}:"
        raise UserError(f"weights {name!r}: after {start!r} comes {source.card['meaning']}")
    if not re.fullmatch(VARIANT, name):
        raise UserError(f"weights {name!r} cannot be kept in a row: it has {VARIANT_RULE}")


def usual_weights(scheme: str) -> str:
    """The source that a scheme begins from where none is named; empty where one has to be."""
    return SCHEMES.find(scheme).card["usual"]


def is_fixed(scheme: str, weights: str) -> bool:
    """Whether a scheme draws nothing: it fits a head to a backbone that is loaded, not drawn."""
    drawn = weights and find_source(weights).card["gives"] == "nothing"
    return not (drawn or is_by_gradient(scheme))


def check_together(scheme: str, weights: str) -> None:
    """Raise a UserError where a scheme cannot begin from these weights."""
    asked = SCHEMES.find(scheme).card
    source = find_source(weights).card if weights else {"gives": ""}
    if source["gives"] in asked["begins_from"]:
        return
    sources = [s for s in SOURCES.discover().values() if s.card["gives"] in asked["begins_from"]]
    known = " or ".join(written(s) for s in sorted(sources, key=lambda s: s.name != asked["usual"]))
    begin = [n for n, s in SCHEMES.discover().items() if source["gives"] in s.card["begins_from"]]
    hint = f"; {source['title'].lower()} are for scheme {' or '.join(begin)}" if weights else ""
    raise UserError(f"scheme {scheme} begins from weights {known}, not {weights!r}{hint}")

"""A data set as a protocol sees it, whichever kind of protocol it is. Imports no TensorFlow.

Legacy protocols split anew and keep the task (:mod:`benchmark.legacy`); screening protocols and
shortcut probes keep the splits and have a task of their own (:mod:`benchmark.screening`,
:mod:`benchmark.probes`).
"""

from __future__ import annotations

from benchmark.data.prepared import Prepared
from benchmark.errors import UnknownName
from benchmark.legacy import find_protocol
from benchmark.probes import split as probes
from benchmark.probes.protocol import EVERY, FIELDS, probed
from benchmark.screening import split as screening
from benchmark.screening.protocol import withheld_by
from benchmark.spec import PUBLISHED


def check_protocol(name: str) -> None:
    """Raise an UnknownName where a spec's protocol is none."""
    if name != PUBLISHED and withheld_by(name) is None and probed(name) is None:
        find_protocol(name)


def under(protocol: str, prepared: Prepared) -> Prepared:
    """The set with the task, counts and test set that a protocol gives it.

    Raises:
        UnknownName: there is no such protocol, or the set has not what it names.
        UserError: the protocol cannot be applied to this set.
    """
    check_protocol(protocol)
    if probed(protocol) == EVERY:
        raise UnknownName("field to probe", EVERY, FIELDS)
    return probes.under(protocol, screening.under(protocol, prepared))


def resolved(protocol: str, prepared: Prepared) -> tuple[dict[str, Prepared], dict[str, str]]:
    """The set under a protocol, by its name; ``probe:*`` stands for every probe it can answer.

    Returns:
        Protocol -> the set as that sees it; and ``<data set>@<protocol>`` -> why a probe that
        ``*`` stands for is left out.

    Raises:
        UserError: as :func:`under`.
    """
    check_protocol(protocol)
    if probed(protocol) != EVERY:
        return {protocol: under(protocol, prepared)}, {}
    answered, refused = probes.answerable(prepared)
    return {name: under(name, prepared) for name in answered}, refused

"""The names of shortcut probes, ``probe:<field>``. Imports no TensorFlow."""

from __future__ import annotations

from benchmark.errors import UnknownName

VERSION = 1
"""Of how a set is split under shortcut probes; raised where an existing name begins to
give other images, targets or splits."""

PREFIX = "probe:"
FIELDS = {"sex": "sex", "view": "view", "age": "age", "source": "label_source"}
"""What can be probed -> the column of the manifest that says what is true."""
EVERY = "*"
"""Stands for every field that a data set can answer."""
PATTERN = f"{PREFIX}<{'|'.join(FIELDS)}>"
"""How such a name is written, for messages."""


def probed(protocol: str) -> str | None:
    """The field that a protocol probes, ``*`` for every one; None under any other protocol.

    Raises:
        UnknownName: there is no such field; lists the choices.
    """
    if not protocol.startswith(PREFIX):
        return None
    field = protocol.removeprefix(PREFIX)
    if field not in (*FIELDS, EVERY):
        raise UnknownName("field to probe", field, FIELDS)
    return field

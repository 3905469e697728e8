"""What tables are called: by the data set, and by what its protocol does with it."""

from __future__ import annotations

from benchmark.errors import UnknownName
from benchmark.protocols import SplitProtocol, find
from benchmark.records.row import Row


def protocol_title(row: Row, *, version: bool = False) -> str:
    """Plain text: the data set, and what the row's protocol does with it.

    Args:
        version: whether to say the version of the data set, too.
    """
    name = row.protocol.dataset + (f" {row.protocol.dataset_version}" if version else "")
    return protocol_of_row(row).title(name)


def asks_for_findings(row: Row) -> bool:
    """Whether a row's targets are the data set's own findings, all of them."""
    return protocol_of_row(row).asks_findings


def protocol_of_row(row: Row) -> SplitProtocol:
    """The protocol of a row; one that is not known here is taken as it is called."""
    try:
        return find(row.spec.protocol)
    except UnknownName:
        return SplitProtocol(row.spec.protocol)

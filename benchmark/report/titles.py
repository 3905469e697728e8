"""What tables are called: by the data set, and by what its protocol does with it."""

from __future__ import annotations

from benchmark.records.row import ProtocolFacts


def protocol_title(protocol: ProtocolFacts, *, version: bool = False) -> str:
    """Plain text: the data set, then its legacy protocol, withheld class or probed field if any.

    Args:
        protocol: of a row.
        version: whether to say the version of the data set, too.
    """
    name = protocol.dataset + (f" {protocol.dataset_version}" if version else "")
    if protocol.legacy:
        return f"{name} under {protocol.legacy_name}"
    if protocol.withheld:
        return f"{name} without {protocol.withheld}"
    return f"{name}, shortcut probe: {protocol.probe}" if protocol.probe else name


def asks_for_findings(protocol: ProtocolFacts) -> bool:
    """Whether a protocol's targets are the data set's own findings, all of them."""
    return not (protocol.withheld or protocol.probe)

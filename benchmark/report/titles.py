"""What tables are called: by the data set, and by what its protocol does with it."""

from __future__ import annotations


def protocol_title(protocol: dict, *, version: bool = False) -> str:
    """Plain text: the data set, then its legacy protocol, withheld class or probed field if any.

    Args:
        protocol: of a row.
        version: whether to say the version of the data set, too.
    """
    name = protocol["dataset"] + (f" {protocol['dataset_version']}" if version else "")
    if protocol["legacy"]:
        return f"{name} under {protocol['legacy_name']}"
    if "withheld" in protocol:
        return f"{name} without {protocol['withheld']}"
    return f"{name}, shortcut probe: {protocol['probe']}" if "probe" in protocol else name


def asks_for_findings(protocol: dict) -> bool:
    """Whether a protocol's targets are the data set's own findings, all of them."""
    return "withheld" not in protocol and "probe" not in protocol

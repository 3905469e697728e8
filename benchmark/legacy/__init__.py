"""Protocols of earlier work, repeated with their faults: never ranked with honest ones."""

from benchmark.legacy.claims import claims_about
from benchmark.legacy.protocol import (
    LegacyProtocol,
    find_protocol,
    is_legacy,
    protocols,
)

__all__ = ["LegacyProtocol", "claims_about", "find_protocol", "is_legacy", "protocols"]

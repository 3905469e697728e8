"""Which table a row stands in, and what stands in several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from benchmark.hashing import canonical_json, sha256
from benchmark.protocols import of_row
from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row


def watermarks(row: Row) -> tuple[str, ...]:
    """Why a row does not stand beside full ones: its own marks, and that of its protocol."""
    return tuple(sorted({*row.watermarks, of_row(row).watermark} - {""}))


def table_name(protocol: ProtocolFacts, watermarks: tuple[str, ...]) -> str:
    """A short name of a table: the protocol's id, and what tells its watermarks."""
    marks = sha256(canonical_json(watermarks))[:4] if watermarks else ""
    return "-".join(filter(None, (protocol.id, marks)))


def table_of(row: Row) -> str:
    """The name of the table that a row stands in."""
    return table_name(row.protocol, watermarks(row))


def in_several_tables(rows: Iterable[Row]) -> frozenset[str]:
    """The config ids whose finished rows stand in more than one table.

    What was measured may differ where what was asked for does not: by the test images that two
    prepared sets of one name have, or by marks of the run.
    """
    tables: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.done:
            tables[row.config_id].add(table_of(row))
    return frozenset(config_id for config_id, names in tables.items() if len(names) > 1)

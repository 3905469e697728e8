"""Rows of a table that were not measured on what it says: shown, and not ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from benchmark.records.facts import ProtocolFacts
from benchmark.report.gathering.configuration import Configuration
from benchmark.scoring.digest import is_recomputable

SHOWN = 12
"""Digits of a digest."""
Value = TypeVar("Value", str, tuple[str, ...])


def mismatches(protocol: ProtocolFacts, every: Sequence[Configuration]) -> dict[str, str]:
    """Why configurations cannot be ranked beside the others of a table, by key.

    The test digest of their predictions has to be the protocol's, and the findings of their macro
    averages those of most rows. Where the protocol's digest is not of its images alone (see
    :func:`benchmark.scoring.digest.test_digest`), that of most rows counts.
    """
    tested = [c for c in every if c.tested]
    digest = protocol.test_digest
    if not is_recomputable(protocol):
        digest = _commonest((run.scores.test_digest for c in tested for run in c.runs), digest)
    reasons = {c.key: _another_test_set(c, digest) for c in tested}
    sound = [c for c in tested if not reasons[c.key]]
    findings = _commonest((tuple(r.scores.macro_findings) for c in sound for r in c.runs), ())
    reasons |= {c.key: _other_findings(c, findings) for c in sound}
    return {key: reason for key, reason in reasons.items() if reason}


def _another_test_set(c: Configuration, wanted: str) -> str:
    others = [d for run in c.runs if (d := run.scores.test_digest) not in (wanted, None)]
    if not others:
        return ""
    digests = f"digest {str(others[0])[:SHOWN]}, not {wanted[:SHOWN]}"
    return f"its predictions are of other test images, patients or targets ({digests})"


def _other_findings(c: Configuration, wanted: tuple[str, ...]) -> str:
    others = [m for run in c.runs if (m := tuple(run.scores.macro_findings)) != wanted]
    if not others:
        return ""
    named = f"{', '.join(others[0]) or 'none'}, not {', '.join(wanted) or 'none'}"
    return f"its means are of other findings than those of the table ({named})"


def _commonest(values: Iterable[Value | None], default: Value) -> Value:
    counts = Counter(value for value in values if value is not None)
    return max(counts, key=lambda value: (counts[value], len(value), value), default=default)

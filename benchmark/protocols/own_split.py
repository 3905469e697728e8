"""The split that a set of the user's own brings along, run although it leaks: shown, set apart."""

from __future__ import annotations

from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.errors import UserError
from benchmark.protocols.base import SplitProtocol
from benchmark.spec import Spec

LEAKING = "leaking_own_split"
NAMES = (LEAKING,)


class LeakingOwnSplit(SplitProtocol):
    """Changes nothing; says what the split is."""

    version = 1
    watermark = "the set's own split, kept although it leaks: scores are too good"
    allows_leak = True
    splits_of_set = False

    def apply(self, prepared: Prepared) -> Prepared:
        """The set, if its owner wants its leaking split to be kept.

        Raises:
            UserError: it does not leak, or was not prepared so.
        """
        if not is_kept(prepared):
            raise UserError(
                f"{prepared.name}: {self.name} is for sets of your own that were prepared with "
                "--keep-split and leak."
            )
        return prepared

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """The set's own split, called what it is."""
        return {"split": f"{prepared.facts.split_source}, which leaks"}


def is_kept(prepared: Prepared) -> bool:
    """Whether a set's own split leaks and is to be run all the same."""
    kept = bool((prepared.facts.options or {}).get("keep_split"))
    return kept and prepared.derived.leakage_status == "leak"


def parse(name: str) -> LeakingOwnSplit | None:
    """The one protocol of this family."""
    return LeakingOwnSplit(name) if name == LEAKING else None

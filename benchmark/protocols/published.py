"""The set as it is: its own task, its own splits."""

from __future__ import annotations

from typing import Any

from benchmark.data.prepared import Prepared
from benchmark.protocols.base import Answers, SplitProtocol
from benchmark.protocols.own_split import LEAKING, LeakingOwnSplit, is_kept
from benchmark.spec import PUBLISHED, Spec

NAMES = (PUBLISHED,)


class Published(SplitProtocol):
    """Changes nothing, and so says nothing."""

    def title(self, dataset: str) -> str:
        """The name of the data set."""
        return dataset

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """None beside those of the set."""
        return {}

    def answers(self, prepared: Prepared) -> Answers:
        """Itself; of a set whose own leaking split is to be kept, the protocol that says so."""
        if is_kept(prepared):
            return [(LeakingOwnSplit(LEAKING), prepared)], {}
        return super().answers(prepared)


def parse(name: str) -> Published | None:
    """The protocol of specs that name none."""
    return Published(name) if name == PUBLISHED else None

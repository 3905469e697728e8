"""Parts of a plan for machines that share no folder: each runs one, and ``merge`` joins them.

Which specs are in which part follows from the specs alone, not from what is done already, so that
every machine divides alike. What is made from one another stays together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmark.errors import UserError, quoted
from benchmark.planning.cost import nominal_price
from benchmark.planning.plan import PlannedSpec
from benchmark.spec import Spec


class Shard(NamedTuple):
    """Part ``number`` (from 1) of ``parts``."""

    number: int
    parts: int

    def of(self, selected: Mapping[str, Spec], drafts: Iterable[PlannedSpec]) -> dict[str, Spec]:
        """Those of the selected specs that are in this part.

        The parts are about equally dear: each group of specs, the dearest first, goes to the part
        that is cheapest so far.

        Args:
            selected: by id.
            drafts: these and all that they require.
        """
        prices = {draft.spec.spec_id: nominal_price(draft) for draft in drafts}
        groups = _groups(selected, {draft.spec.spec_id: draft.spec for draft in drafts})
        dear = {ids: sum(sorted(prices[each] for each in ids if each in prices)) for ids in groups}
        spent, mine = [0.0] * self.parts, set[str]()
        for ids in sorted(groups, key=lambda ids: (-dear[ids], min(ids))):
            cheapest = spent.index(min(spent))
            spent[cheapest] += dear[ids]
            mine |= ids if cheapest == self.number - 1 else set()
        return {spec_id: spec for spec_id, spec in selected.items() if spec_id in mine}


def parse_shard(text: str) -> Shard | None:
    """The part that ``"2/8"`` names; None of an empty text.

    Raises:
        UserError: there is no such part.
    """
    if not text:
        return None
    number, _, count = text.partition("/")
    if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return Shard(int(number), int(count))
    raise UserError(f"--shard {quoted(text)} is no part: the second of eight is --shard 2/8")


def _groups(selected: Iterable[str], known: Mapping[str, Spec]) -> list[frozenset[str]]:
    """Specs that are made from one another, or from the same ones, directly or by others."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    ahead, seen = list(selected), set[str]()
    while ahead:
        spec_id = ahead.pop()
        if spec_id in seen:
            continue
        seen.add(spec_id)
        for required in known[spec_id].required_ids.values() if spec_id in known else ():
            neighbours[spec_id].add(required)
            neighbours[required].add(spec_id)
            ahead.append(required)
    groups: list[frozenset[str]] = []
    while seen:
        group, ahead = set[str](), [seen.pop()]
        while ahead:
            group.add(spec_id := ahead.pop())
            ahead += neighbours[spec_id] - group
        seen -= group
        groups.append(frozenset(group))
    return groups

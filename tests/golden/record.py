"""Record what components give now: ``python -m tests.golden.record [FAMILY/NAME | FAMILY] ...``.

To be run by hand, after the version of a component was raised or a component was added. Without
names it records whatever has no values under its present version, and drops what is gone. Named
components whose numbers changed under the same version are refused: first raise the version, in the
file that is named. Where packages changed the numbers and not this code, ``--same-version`` records
them all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.golden.compare import difference
from tests.golden.components import FAMILIES, compute, golden, keep, missing
from tests.golden.versions import file, version


def main(arguments: list[str]) -> int:
    """Record; 0 where nothing was refused."""
    names = [a for a in arguments if a != "--same-version"]
    refused = 0
    for wanted in names:
        if not any(_asked([wanted], family, name) for family, name in _components()):
            print(f"there is no component {wanted}; families: {', '.join(FAMILIES)}")
            refused += 1
    for family in FAMILIES:
        refused += _record(family, names, "--same-version" in arguments)
    return int(refused > 0)


def _components() -> Iterator[tuple[str, str]]:
    return ((family, name) for family in FAMILIES for name in FAMILIES[family].names())


def _asked(names: list[str], family: str, name: str) -> bool:
    return not {family, f"{family}/{name}"}.isdisjoint(names)


def _record(family: str, names: list[str], same_version: bool) -> int:
    before, refused = golden(family), 0
    entries = {name: before[name] for name in FAMILIES[family].names() if name in before}
    for name in FAMILIES[family].names():
        had, now = before.get(name), version(family, name)
        due = _asked(names, family, name) or (not names and (not had or had["version"] != now))
        if due and (how := missing(family, name)):
            print(f"{family}/{name} cannot be recorded here: {how}")
        elif due:
            values = compute(family, name)
            changed = difference(had["values"], values) if had else ""
            if changed and had["version"] == now and not same_version:
                print(f"{family}/{name}: raise its version in {file(family, name)}: {changed}")
                refused += 1
                continue
            entries[name] = {"version": now, "values": values}
            print(f"recorded {family}/{name}, version {now}")
    for name in sorted(before.keys() - entries.keys()):
        print(f"dropped {family}/{name}")
    if entries != before:
        keep(family, entries)
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Any state file may be anything: never a trace, never a silent number.

A few changes of each kind of file, each read by two commands. `make mutate` tries some thousands,
and prints how many of which; see docs/reliability.md.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmark.commands.evaluate import start_framework
from benchmark.report.html.row_drawn import Drawn
from tests.mutations.judged import DERIVED, fault
from tests.mutations.mutated import damages, edits, forgeries
from tests.mutations.world import KINDS, World

BY_HAND = int(os.environ.get("CXR_BENCH_MUTATIONS", "0"))
"""Changes in all; 0 for the few that are tried whenever the tests are run."""
EACH = -(-BY_HAND // len(KINDS)) or 6
COMMANDS = 1 if BY_HAND else 2
"""That read each change."""


@pytest.fixture(scope="module")
def world(phantom, tmp_path_factory) -> World:
    from benchmark.report.drawing import grounds
    from benchmark.report.html import row_figures
    from benchmark.training import network

    drawn = Drawn(made_from="", figures=[], findings=[], subgroups=[])
    with pytest.MonkeyPatch.context() as patch:  # drawing takes time
        patch.setattr(row_figures, "draw_row", lambda *_: drawn)
        patch.setattr(grounds, "save_both", lambda *_: None)
        try:
            start_framework()
        except RuntimeError:  # earlier tests began to compute, with other numbers of threads
            patch.setattr(network, "configure_framework", lambda environment: None)
        yield World(tmp_path_factory.mktemp("world"), *phantom[:2])


@pytest.fixture(scope="module")
def tried() -> Counter:
    """How many changes of each kind were read by a command."""
    counts: Counter = Counter()
    yield counts
    if BY_HAND:
        for kind in KINDS:
            each = {how: counts[kind, how] for how in ("damaged", "edited", "forged", "removed")}
            print(f"\n| {kind} | {' | '.join(str(n or '') for n in each.values())} |", end="")
        print(f"\n{counts['changes']} changes, {sum(counts.values()) - counts['changes']} readings")


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_is_named_or_changes_nothing(kind, world, tried):
    faults = []

    @settings(
        max_examples=EACH,
        phases=[Phase.generate],
        derandomize=not BY_HAND,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def try_one(data):
        path = data.draw(st.sampled_from(world.files(kind)))
        kept = world.kept / path
        ways = {
            "damaged": damages(kept),
            "edited": edits(kept),
            "forged": forgeries(kept),
            "removed": st.just(Path.unlink),
        }
        how = data.draw(st.sampled_from([name for name, way in ways.items() if way is not None]))
        change = data.draw(ways[how])
        commands = st.sampled_from(world.commands(kind, recompute=how == "forged"))
        if how == "forged" and kind in DERIVED:  # a seal is no signature: what names it is this
            commands |= st.just(world.recompute)
        tried["changes"] += 1
        for command in data.draw(st.lists(commands, min_size=COMMANDS, max_size=COMMANDS)):
            change(world.folder / path)
            try:
                if found := fault(world, kind, path, how, command):
                    faults.append(f"{how} {path}, {' '.join(command.words[:2])}: {found}")
                    print(f"\n{faults[-1]}")
                    _keep(world, path, len(faults))
            finally:
                world.restore(kind)
            tried[kind, how] += 1

    try_one()
    assert not faults, "\n\n".join(faults[:9])


def _keep(world: World, path: Path, number: int) -> None:
    """Keep a file that a fault was found by, where that is asked for."""
    folder, changed = os.environ.get("CXR_BENCH_MUTATIONS_KEPT"), world.folder / path
    if folder and changed.is_file() and changed.stat().st_size < 1 << 20:
        target = Path(folder) / f"{number}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(changed.read_bytes())

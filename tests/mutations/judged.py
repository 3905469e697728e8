"""Whether a command dealt with a changed file as it has to."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from tests.mutations.world import ACTING, LONGEST_LINE, Command, World, steady

DERIVED = ("scores", "influences", "intervals", "comparisons")
TELLING = re.compile(
    r"Left out|Error|[Cc]hanged after|damaged|not prepared|prepared before|missing|held other|"
    r"[Ww]arning|problem|†"
)
EDITED = re.compile(r'"edited_seeds": \[\s*\d')
MAY_BE_GONE = ("row", "row of another set", "prepared.json", "weights", "claim")
"""What nobody can miss: without it there is no such run, or no such prepared set."""
NUMBERS = ("test_auc", "test_f1", "validation_auc", "gap_auc")
IN_TABLES = re.compile(r"Predictions changed after the run|cannot be used|predictions are of other")


def fault(world: World, kind: str, path: Path, how: str, command: Command) -> str:
    """What is wrong with what a command does with a file as it is now; empty if nothing is.

    Args:
        kind, path: of the file.
        how: it was ``"damaged"``, ``"edited"``, ``"forged"`` or ``"removed"``.
    """
    done = world.run(command)
    if not isinstance(done.exception, SystemExit | None):
        return "".join(traceback.format_exception(*done.exc_info)[-3:])
    if done.exit_code not in (0, 1, 2):
        return f"exits with {done.exit_code}"
    if found := ACTING.search(done.output):
        return f"prints {found[0]!r}"
    if long := [line for line in done.output.split("\n") if len(line) > LONGEST_LINE]:
        return f"prints a line of {len(long[0])} characters"
    if how == "forged":
        recomputed = "--recompute" in command.words
        if kind in DERIVED and not recomputed:
            return ""  # a seal is no signature
        return _other_numbers(world, command, path)
    if how == "removed" and kind in MAY_BE_GONE:
        return ""
    exit_code, usual, numbers = world.usual[command]
    new = "\n".join(line for line in steady(done.output).split("\n") if line not in usual)
    told = path.name in new or TELLING.search(new) or EDITED.search(done.output)
    told = told or (kind == "weights" and command.words[0] == "show")  # says whether they are there
    if not told and (done.exit_code, steady(done.output)) != (exit_code, usual):
        return f"says without naming the file: {new[:500]!r}"
    if not command.writes or world.numbers(command) == numbers:
        return ""
    page = world.board(command).with_name("LEADERBOARD.md")
    marked = page.is_file() and (
        path.name in page.read_text() or IN_TABLES.search(page.read_text())
    )
    return _other_numbers(world, command, path) if told or marked else "writes other numbers"


def _other_numbers(world: World, command: Command, path: Path) -> str:
    """Whether a leaderboard has other numbers of runs that the file does not belong to."""
    if not command.writes:
        return ""
    usual = {c["config_id"]: c for c in world.usual[command][2]["configurations"]}
    for c in world.numbers(command).get("configurations", ()):
        before = usual.get(c["config_id"])
        if before is None or before["specs"] != c["specs"]:
            continue
        if path.name.partition(".")[0] in c["specs"] and "predictions" in path.parts:
            continue
        if any(before["measurements"][name] != c["measurements"][name] for name in NUMBERS):
            return f"writes other numbers of {c['config_id']}"
    return ""

"""The control groups that this process is in, of both versions; see cgroups(7).

Containers, systemd and batch systems such as Slurm set their limits there. A limit of a group holds
for all that are inside it, so the whole way out to the outermost one counts.
"""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath

ROOT = Path("/")
"""Below which ``proc`` and ``sys`` lie; tests have another one."""


def enclosing(controller: str) -> list[Path]:
    """Folders of the groups that may limit this process, its own first, then those around it.

    Args:
        controller: ``"memory"`` or ``"cpu"``.

    Returns:
        Those of version 1 before those of version 2. Not all of them need have files of the
        controller, nor be there; none where the system has no control groups.
    """
    paths, mounts = _paths(), _mounts()
    folders: list[Path] = []
    for hierarchy in (controller, ""):  # the one of version 2 has all controllers and no name
        if hierarchy in paths and hierarchy in mounts:
            folders += _outwards(paths[hierarchy], *mounts[hierarchy])
    return folders


def _outwards(path: PurePosixPath, root: PurePosixPath, mount: Path) -> list[Path]:
    """The folders of a group; in a container, what is mounted may be that very group."""
    inside = path.is_relative_to(root) and ".." not in path.parts
    below = path.relative_to(root) if inside else PurePosixPath()
    return [mount / part for part in (below, *below.parents)]


def _paths() -> dict[str, PurePosixPath]:
    """Controller -> path of this process's group in its hierarchy."""
    lines = (line.split(":", 2) for line in _lines(ROOT / "proc/self/cgroup"))
    return {name: PurePosixPath(path) for _, names, path in lines for name in names.split(",")}


def _mounts() -> dict[str, tuple[PurePosixPath, Path]]:
    """Controller -> which group of its hierarchy is mounted, and where; see proc(5)."""
    found: dict[str, tuple[PurePosixPath, Path]] = {}
    for line in _lines(ROOT / "proc/self/mountinfo"):
        place, _, what = line.partition(" - ")
        kind, *_, options = what.split()
        names = {"cgroup2": [""], "cgroup": options.split(",")}.get(kind, [])
        for name in names:
            _, _, _, root, mount, *_ = place.split()
            found.setdefault(name, (PurePosixPath(root), ROOT / mount.lstrip("/")))
    return found


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return path.read_text().splitlines()
    return []

"""The results folder as a site of static pages that open from disk, without a network."""

from __future__ import annotations

from pathlib import Path


def static_files() -> dict[str, bytes]:
    """What every page needs beside it: its style, its script and its icon, by name."""
    folder = Path(__file__).parent
    return {name: (folder / name).read_bytes() for name in ("style.css", "script.js", "icon.svg")}

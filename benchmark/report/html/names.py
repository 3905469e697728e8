"""File names of the site's pages."""

from __future__ import annotations

import re

from benchmark.hashing import sha256


def file_name(name: str) -> str:
    """A name that is safe in a path and in a link: the name itself, or a hash of an odd one."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) else sha256(name.encode())[:16]

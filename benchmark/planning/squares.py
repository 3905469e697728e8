"""Whether a preprocessing variant that makes images square has anything to do on a set."""

from __future__ import annotations

from functools import cache

from benchmark.data import preprocessing as variants
from benchmark.data.prepared import Prepared


@cache
def makes_square(preprocessing: str) -> bool:
    """Whether images are not squashed under it; a suite asks a thousand times."""
    return bool(preprocessing) and variants.find(preprocessing).before_resize


def why_not(preprocessing: str, prepared: Prepared) -> str:
    """Why a variant cannot be used on a set, by the shape of its images; empty where it can."""
    if not makes_square(preprocessing):
        return ""
    if prepared.holds_masks:
        return f"preprocessing {preprocessing}: masks are squashed, and images have to fit them."
    manifest = prepared.manifest()
    if (manifest["width"] != manifest["height"]).any():
        return ""
    return (
        f"preprocessing {preprocessing} is for images that are not square, and all of "
        f"{prepared.name} are square already ({prepared.image_source}): under it they would be "
        "what they are under raw. What a copy was squashed or cut from does not come back; get the "
        "original files."
    )

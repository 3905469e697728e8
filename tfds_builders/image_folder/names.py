"""What the names of files and folders say: service folders, spellings of one word, pictures."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from tfds_builders.errors import quoted

_SERVICE = {
    "__macosx", "__pycache__", "lost+found", "system volume information", "thumbs.db",
    "ehthumbs.db", "desktop.ini", "#recycle", "#snapshot", "image_folder.toml", "_macosx",
    "recycler", "recycled", "recycle bin", "trash", "network trash folder", "temporary items",
    "found.000", "node_modules", "thumbnails",
    "results", "runs", "logs", "wandb", "mlruns", "checkpoints", "venv",
}  # fmt: skip
_UNFINISHED = {".bak", ".part", ".crdownload", ".tmp", ".swp"}
_PICTURE = re.compile(
    r"\.(?:png|jpe?g|jfif|bmp|gif|tiff?|jp2|webp|pgm|ppm|dcm|dicom)", re.IGNORECASE
)
_TEXT = re.compile(r"\.(?:csv|tsv|txt|json|xml|ya?ml|md|html?|pdf|docx?|xlsx?|zip|py|toml)", re.I)
# Blanks, underscores and hyphens, but not between digits: 1-0 is not 10.
_SEPARATORS = re.compile(r"(?<!\d)[\s_\u2010-\u2015\u2212-]+|[\s_\u2010-\u2015\u2212-]+(?!\d)")


def is_service(name: str) -> bool:
    """True for hidden files, and for what systems and programs leave in folders."""
    return any(
        part.startswith((".", "@", "$", "~"))
        or part.endswith(("~", ":Zone.Identifier"))
        or part.casefold() in _SERVICE
        or PurePosixPath(part).suffix.casefold() in _UNFINISHED
        for part in name.split("/")
    )


def is_text(name: str) -> bool:
    """True for file names that promise no image, but a text, a table or an archive."""
    return bool(_TEXT.fullmatch(PurePosixPath(name).suffix))


def is_picture(name: str) -> bool:
    """True for file names that promise an image."""
    return bool(_PICTURE.fullmatch(PurePosixPath(name).suffix))


def spelling(name: str) -> str:
    """What two spellings of one word have in common: case, blanks and Unicode form set aside."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).strip()).casefold()


def word(name: str) -> str:
    """Its spelling without a number in front, by which folders are sorted: ``1_pneumonia``."""
    return re.sub("^[0-9]+(?=[^0-9])", "", spelling(name))


def one_spelling(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Each name -> the most frequent spelling of the same word; and a note on each such word."""
    count = Counter(names)
    words: dict[str, list[str]] = {}
    for name in sorted(count, key=lambda name: (-count[name], name)):
        words.setdefault(spelling(name), []).append(name)
    told = {name: " ".join(group[0].split()) for group in words.values() for name in group}
    notes = [
        f"{' and '.join(map(quoted, group))} are taken for one class, {quoted(told[group[0]])}"
        for group in words.values()
        if len({unicodedata.normalize("NFC", name.strip()) for name in group}) > 1
    ]
    return {name: unicodedata.normalize("NFC", chosen) for name, chosen in told.items()}, notes

"""Model cards: what a model file says about itself, read without running it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from typing import Any

from benchmark.bounds import is_writable
from tfds_builders.encodings import NoText, utf8_text

OWN_NORMALISATIONS = ("unit", "standardise", "imagenet", "minus1_1", "lite", "caffe")
"""What ``own_normalisation`` may say; the arithmetic is in ``_normalisation.py``."""

NORMALISATIONS = ("unit", "standardise", "imagenet", "own")
"""What a spec may ask for; ``own`` means the card's ``own_normalisation``."""

WITHOUT_IMAGE = ("metadata", "shape")
"""What ``inputs`` says of a model that sees no image: age, sex and view, or the original file's
shape."""

PREDICTS = ("findings", "masks")
"""What ``predicts`` may say: a classifier's findings, or the mask of a segmentation network."""

SOURCE_SYSTEMS = ("", "S0", "S1", "S2", "S3", "S4")
STATEMENT_KEYS = ("size", "channels", "outputs", "count")
PACKAGE_KEYS = ("distribution", "install", "sha256")


class CardError(Exception):
    """A card that cannot be used; the text says what is wrong with it and what is expected."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and is_writable(value)


def _is_whole(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_statement(value: Any) -> bool:
    return value == {} or (
        isinstance(value, dict)
        and set(value) == set(STATEMENT_KEYS)
        and all(_is_whole(number) for number in value.values())
    )


def _is_text_by_text(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(text) for text in (*value, *value.values()))


def _is_file_names(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(n) and "/" not in n for n in value)


def _is_package(value: Any) -> bool:
    return value == {} or (_is_text_by_text(value) and set(value) == set(PACKAGE_KEYS))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6


_Check = tuple[Callable[[Any], bool], str]

_COMMON: dict[str, _Check] = {
    "title": (_is_text, "a text that is not empty, of whole characters"),
    "description": (_is_text, "a text that is not empty, of whole characters"),
    "reference": (_is_text, "a paper with its DOI or arXiv number"),
    "source_system": (
        lambda v: v in SOURCE_SYSTEMS,
        f"one of {', '.join(map(repr, SOURCE_SYSTEMS))}",
    ),
    "predicts": (lambda v: v in PREDICTS, "'findings' or 'masks'"),
    "inputs": (lambda v: v in ("image", *WITHOUT_IMAGE), "'image', 'metadata' or 'shape'"),
    "deterministic": (lambda v: isinstance(v, bool), "True or False"),
    "version": (_is_whole, "a whole number from 1, raised when the model's numbers change"),
}

_IMAGE: dict[str, _Check] = {
    "channels": (lambda v: _is_whole(v) and v in (1, 3), "1 or 3"),
    "own_normalisation": (
        lambda v: v in OWN_NORMALISATIONS,
        f"one of {', '.join(map(repr, OWN_NORMALISATIONS))}",
    ),
    "min_size": (_is_whole, "a whole number of pixels"),
    "max_size": (lambda v: v is None or _is_whole(v), "a whole number of pixels or None"),
    "parameters": (
        _is_statement,
        f"{{}}, or a dict of whole numbers {', '.join(map(repr, STATEMENT_KEYS))}",
    ),
    "gmacs_224": (lambda v: v is None or _is_number(v), "a number (multiply-adds at 224 px / 1e9)"),
    "weights": (_is_text_by_text, "a dict of source name to 'where from, licence', or {}"),
    "weight_files": (_is_file_names, "a list of file names, one a backbone, as Keras names them"),
    "weight_package": (
        _is_package,
        f"{{}}, or a dict of texts {', '.join(map(repr, PACKAGE_KEYS))}: the Python package that "
        "holds the weight file, how to install it, the file's hash",
    ),
    "packages": (_is_text_by_text, "a dict of module name to how to install it, or {}"),
}

_OPTIONAL: dict[str, Any] = {
    "parameters": {}, "gmacs_224": None, "weight_files": [], "weight_package": {}, "packages": {}
}  # fmt: skip
"""Image keys that a card may leave out, and what they are then. How large a model is, is counted
where it is built; files of this package state it beforehand, and tests count it."""

# What the image keys mean for a model that sees no image, so that a reader finds them in any card.
_NO_IMAGE = {
    "channels": 1,
    "own_normalisation": "unit",
    "min_size": 1,
    "max_size": None,
    "parameters": {},
    "gmacs_224": 0.0,
    "weights": {},
    **_OPTIONAL,
}


def read_card(source: bytes) -> dict[str, Any]:
    """The checked card in the source of a model file.

    Args:
        source: the bytes of a Python file; it is parsed, never run.

    Returns:
        Every key of the card. Cards of models that see no image get neutral values for the keys
        that concern images.

    Raises:
        CardError: the file is not Python, or its CARD is missing, not a literal or not complete.
    """
    return _checked(_literal(_parsed(source)))


def _parsed(source: bytes) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CardError(_no_python(source, error)) from error


def _no_python(source: bytes, error: Exception) -> str:
    try:
        utf8_text(source)
    except NoText as fault:  # which Python says in its decoder's words
        return str(fault)
    if isinstance(error, SyntaxError):
        where = f"line {error.lineno}: " if error.lineno else ""
        return f"{where}not valid Python ({error.msg})"
    return f"not valid Python ({error or type(error).__name__})"


def _literal(tree: ast.Module) -> Any:
    value = None
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "CARD" for target in targets):
            value = getattr(node, "value", None)
    if value is None:
        raise CardError("no CARD = {...} at the top level of the file")
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise CardError(
            f"line {value.lineno}: CARD is not a literal; write plain values, no names or calls"
        ) from error


def _checked(card: Any) -> dict[str, Any]:
    if not isinstance(card, dict):
        raise CardError(f"CARD is a {type(card).__name__}, not a dict")
    card = {"predicts": "findings", "version": 1} | card
    wanted = _COMMON
    if card.get("inputs") not in WITHOUT_IMAGE:
        wanted, card = _COMMON | _IMAGE, _OPTIONAL | card
    _check_keys(card, wanted)
    for key, (holds, expected) in wanted.items():
        if not _safely(holds, card[key]):
            raise CardError(f"CARD[{key!r}] is {card[key]!r}; expected {expected}")
    if card["inputs"] in WITHOUT_IMAGE:
        return _NO_IMAGE | card
    _check_sizes(card)
    if card["weight_files"] and not card["weights"]:
        raise CardError("CARD['weight_files'] names files, CARD['weights'] no source of them")
    if card["weight_package"] and len(card["weight_files"]) != 1:
        raise CardError("CARD['weight_package'] holds one file: name it in CARD['weight_files']")
    return card


def _check_keys(card: dict, wanted: dict[str, _Check]) -> None:
    for key in card:
        if key not in wanted:
            near = difflib.get_close_matches(str(key), wanted, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise CardError(f"CARD has an unknown key {key!r}.{hint} Keys: {', '.join(wanted)}")
    missing = [repr(key) for key in wanted if key not in card]
    if missing:
        raise CardError(f"CARD lacks {', '.join(missing)}")


def _safely(holds: Callable[[Any], bool], value: Any) -> bool:
    try:
        return bool(holds(value))
    except TypeError:  # a value of a type that cannot be looked up or compared
        return False


def _check_sizes(card: dict) -> None:
    least, most = card["min_size"], card["max_size"]
    if most is not None and most < least:
        raise CardError(f"CARD['max_size'] {most} is below CARD['min_size'] {least}")
    if card["parameters"] and not within_limits(card, card["parameters"]["size"]):
        raise CardError("CARD['parameters']['size'] is outside min_size and max_size")
    if card["gmacs_224"] is not None and not within_limits(card, 224):
        raise CardError("CARD['gmacs_224'] is a number, but the model cannot be 224 px")


def within_limits(card: dict[str, Any], size: int) -> bool:
    """Whether images of ``size`` x ``size`` px are inside the card's limits."""
    return card["min_size"] <= size and (card["max_size"] is None or size <= card["max_size"])

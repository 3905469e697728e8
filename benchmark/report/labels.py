"""Short names that tell the configurations of one table apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from benchmark.report.text import UNDEFINED, plain

_COLUMNS = ("model", "resolution", "preprocessing", "normalisation", "augmentation", "imbalance",
            "weights")  # fmt: skip
_OPTIONAL = {"augmentation": "augmented", "imbalance": "imbalance"}
_ABSENT = {"augmentation": "no augmentation", "imbalance": "no imbalance policy"}
_IDENTITY = ("dataset", "dataset_version", "manifest_sha256", "seed")


def size(cell: dict) -> str:
    """Pixels per side, or an en dash for a model that sees no image."""
    return str(cell["resolution"]) if cell["resolution"] else UNDEFINED


def preparation(cell: dict) -> str:
    """What is done to an image before the model sees it, and to the loss; defaults unsaid."""
    parts = [plain(cell[axis]) for axis in ("preprocessing", "normalisation") if cell[axis]]
    parts += [_say(axis, cell[axis]) for axis in _OPTIONAL if cell[axis] not in ("", "none")]
    return ", ".join(parts) or UNDEFINED


def settings(cells: dict[str, dict]) -> dict[str, str]:
    """Cell id or config id -> those settings without a column in which its model's cells differ.

    They are the recipe and the arithmetic (precision, micro-batch, threads, ...); what all cells
    of a model share goes without saying.
    """
    return _differing(cells, lambda key: key not in (*_COLUMNS, *_IDENTITY))


def labels(cells: dict[str, dict]) -> dict[str, str]:
    """Cell id or config id -> the model's name, and whatever else tells its cells apart."""
    differing = _differing(cells, lambda key: key not in ("model", *_IDENTITY))
    return {
        key: plain(cell["model"]) + (f" ({differing[key]})" if differing[key] else "")
        for key, cell in cells.items()
    }


def _differing(cells: dict[str, dict], counts) -> dict[str, str]:
    by_model: dict[str, list[str]] = defaultdict(list)
    for key, cell in cells.items():
        by_model[cell["model"]].append(key)
    flat = {key: {k: v for k, v in flatten(cell) if counts(k)} for key, cell in cells.items()}
    return {
        key: ", ".join(
            _say(axis, flat[key][axis])
            for axis in _axes(flat[k] for k in keys)
            if axis in flat[key]  # a cell leaves out what is as usual
        )
        for keys in by_model.values()
        for key in keys
    }


def flatten(cell: dict) -> Iterable[tuple[str, object]]:
    """The fields of a cell in their order, those of its recipe as ``recipe.epochs``."""
    for key, value in cell.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", text) for inner, text in flatten(value))
        else:
            yield key, value


def _axes(cells: Iterable[dict[str, object]]) -> list[str]:
    """The keys in which the cells differ, those with a column first."""
    cells = list(cells)
    keys = dict.fromkeys((*_COLUMNS, *sorted(key for cell in cells for key in cell)))
    return [key for key in keys if len({repr(cell.get(key)) for cell in cells}) > 1]


def _say(axis: str, value: object) -> str:
    if axis == "resolution":
        return f"{value} px"
    if axis in ("preprocessing", "normalisation"):
        return plain(value)
    if axis == "weights_sha256":
        return f"weight file {value[:8]}"
    if axis in _OPTIONAL:
        return _ABSENT[axis] if value in ("", "none") else f"{_OPTIONAL[axis]}: {plain(value)}"
    return f"{plain(axis.removeprefix('recipe.'))} {plain(value)}"

"""Sets that only claim to be prepared, and what they say of their original files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from benchmark.data.prepared import Prepared, load_prepared
from benchmark.data.shapes import NUMBERS, SHAPES, Shapes
from benchmark.records.door import write_record
from tests.data.claimed_sets import claim, some_facts

NAME = "image_folder/mine"


def lines_of(n: int = 60, *, seed: int = 0, findings: tuple[str, ...] = ("Mass",)) -> pd.DataFrame:
    """The manifest of ``n`` images of each split, two of every patient, half of them with Mass."""
    rng = np.random.default_rng(seed)
    splits = np.repeat(["train", "validation", "test"], n)
    count = len(splits)
    frame = pd.DataFrame(
        {
            "image_id": [f"{split}/{k}.png" for k, split in enumerate(splits)],
            "patient_id": [f"p{k // 2}" for k in range(count)],
            "split": splits,
            "sha256": [f"{k:064d}" for k in range(count)],
        }
    ).assign(width=8, height=8, age=-1, sex="", view="", label_source="x")
    for finding in findings:
        frame[f"target:{finding}"] = rng.integers(0, 2, count)
        frame[f"labelled:{finding}"] = 1
    return frame


def shaped(data_dir: Path, lines: pd.DataFrame, **numbers) -> Prepared:
    """A claimed set whose shapes are these; what is not named is not known of any image."""
    path = data_dir / NAME / "1.0.0"
    findings = [c.removeprefix("target:") for c in lines if c.startswith("target:")]
    if not path.is_dir():
        claim(path, lines, some_facts(*findings))
    prepared = load_prepared(NAME, data_dir)
    known = dict.fromkeys(NUMBERS, [None] * len(lines))
    known |= {name: [_plain(v) for v in values] for name, values in numbers.items()}
    ids = lines["image_id"].tolist()
    shapes = Shapes(manifest_sha256=prepared.manifest_sha256, image_id=ids, **known)
    write_record(path / SHAPES, msgspec.to_builtins(shapes), readable=False)
    return load_prepared(NAME, data_dir)


def _plain(value) -> float | int | None:
    if value is None or np.isnan(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def telling(lines: pd.DataFrame, right: float = 0.9, seed: int = 1) -> dict[str, np.ndarray]:
    """Widths and heights of which most tell whether there is a Mass."""
    rng = np.random.default_rng(seed)
    ill = lines["target:Mass"].to_numpy(bool)
    said = np.where(rng.uniform(size=len(lines)) < right, ill, ~ill)
    side = rng.integers(900, 1100, len(lines)) + 1000 * said
    return {"width": side, "height": side}

"""A set that only claims to be prepared, and `cxr-bench score` on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.records.store import Results
from tests.data.claimed_sets import claim

SET = "kermany_pneumonia/internal"
SIZES = {"train": 40, "validation": 40, "test": 60}


@dataclass(frozen=True)
class Told:
    """What a call ended with and said."""

    code: int
    said: str


@dataclass(frozen=True)
class Score:
    """Calls of `cxr-bench score` with the files of one folder, into one results folder."""

    folder: Path

    @classmethod
    def on_a_set(cls, folder: Path, prefix: str = "") -> Score:
        """With a set whose manifest is all that scoring needs; a prefix begins its images' ids."""
        ids = [f"{prefix}{split}{i:03d}" for split, n in SIZES.items() for i in range(n)]
        lines = pd.DataFrame({"image_id": ids, "split": np.repeat([*SIZES], [*SIZES.values()])})
        number = lines.groupby("split").cumcount()
        lines.insert(1, "patient_id", lines["split"] + number.astype(str))
        lines["sha256"] = number
        lines = lines.assign(width=8, height=8, age=-1, sex="", view="AP", label_source="x")
        lines["target:Pneumonia"], lines["labelled:Pneumonia"] = number % 2, 1
        claim(folder / "data" / SET / "1.0.0", lines)
        return cls(folder)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def results(self) -> Results:
        return Results(self.folder / "results")

    def __call__(self, *words: object, dataset: str = SET) -> Told:
        """Words of the command line; those that are relative paths are of the folder."""
        names = [str(self.folder / w if isinstance(w, Path) else w) for w in words]
        dirs = ["--data-dir", str(self.data_dir), "--results", str(self.results.folder)]
        asked = ["--dataset", dataset] if dataset else []
        done = CliRunner().invoke(main, ["score", *names, *asked, *dirs])
        assert isinstance(done.exception, SystemExit | None), done.exc_info
        return Told(done.exit_code, done.output)

    def write(self, name: str, content: bytes | str | Sequence[str]) -> Path:
        """A file of bytes, a text or lines, for a call."""
        if not isinstance(content, bytes | str):
            content = "\n".join(content) + "\n"
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return Path(name)


@pytest.fixture
def score(tmp_path) -> Score:
    return Score.on_a_set(tmp_path)


def table(splits: Sequence[str] = ("test",), seed: int = 0) -> pd.DataFrame:
    """Predictions that know something, in an order that is not the data set's."""
    rng = np.random.default_rng(seed)
    lines = []
    for split in splits:
        for i in rng.permutation(SIZES[split]):
            value = 0.3 + 0.4 * (i % 2) + 0.2 * rng.normal()
            lines.append((f"{split}{i:03d}", split, min(max(value, 0.01), 0.99)))
    return pd.DataFrame(lines, columns=["image_id", "split", "Pneumonia"])


def lines(splits: Sequence[str] = ("test",), seed: int = 0) -> list[str]:
    """The same as lines of a CSV file."""
    return table(splits, seed).to_csv(index=False, float_format="%.4f").splitlines()

"""Figures of whom a set shows: images a patient, age and sex."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from benchmark.records.predictions import SPLITS
from benchmark.report.blocks.text import count
from benchmark.report.drawing.grounds import series
from benchmark.report.drawing.style import SPLIT_COLOURS, figure

_EDGES = {"1": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 4), "5–9": (5, 9), "10–19": (10, 19),
          "20 or more": (20, 10**9)}  # fmt: skip
_DECADE = 10


def images_a_patient(manifest: pd.DataFrame) -> Figure:
    """How many patients have how many images, by split."""
    drawn = figure(6.5, 2.8)
    axis = drawn.subplots()
    for k, split in enumerate(SPLITS):
        each = manifest.loc[manifest["split"] == split, "patient_id"].value_counts().to_numpy()
        counts = [((each >= low) & (each <= high)).sum() for low, high in _EDGES.values()]
        name = f"{split}: {count(int(each.sum()))} images of {count(len(each))} patients"
        places = np.arange(len(counts)) + (k - 1) * 0.27
        axis.bar(places, counts, 0.25, color=SPLIT_COLOURS[split], label=name)
    axis.set_xticks(range(len(_EDGES)), list(_EDGES))
    axis.set(xlabel="images of a patient", ylabel="patients")
    axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.grid(axis="y")
    axis.legend(fontsize=8)
    return drawn


def age_and_sex(manifest: pd.DataFrame) -> Figure:
    """Images by decade of age, women to the left and men to the right."""
    aged = manifest[(manifest["age"] >= 0) & manifest["sex"].isin(["F", "M"])]
    decades = np.minimum(aged["age"].to_numpy() // _DECADE, 9)
    drawn = figure(5.5, 3.2)
    axis = drawn.subplots()
    for k, (sex, word, side) in enumerate((("F", "women", -1), ("M", "men", 1))):
        here = (aged["sex"] == sex).to_numpy()
        counts = np.bincount(decades[here], minlength=10)
        name = f"{word}, n = {count(int(here.sum()))} images"
        axis.barh(range(10), side * counts, 0.8, color=series(k), label=name)
    names = [f"{10 * d}–{10 * d + 9}" for d in range(9)] + ["90 or more"]
    axis.set_yticks(range(10), names)
    axis.set(xlabel="images", ylabel="age in years")
    axis.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: count(abs(round(x)))))
    axis.grid(axis="x")
    drawn.legend(loc="outside upper center", ncols=2)
    return drawn

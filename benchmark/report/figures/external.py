"""Does it hold elsewhere? Each network on the test images of other data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.figure import Figure

from benchmark.report.eda_style import figure
from benchmark.report.external_validation import ExternalValidation
from benchmark.report.figure_style import PALE
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import short, titled
from benchmark.report.labels import ways
from benchmark.report.text import count, interval, number
from benchmark.report.values import Measurement

CARD = {
    "question": "Does it hold on another data set?",
    "shows": "AUC of each network on each set, as a heat map",
    "order": 5,
}
OWN = "own test images"
_SCALE = "cividis"  # readable with any colour vision
_LIGHT = 0.78
"""AUC from which on the scale is too light for white letters."""
Cells = Mapping[str, Mapping[str, Measurement]]
"""Trained on, and model -> data set -> AUC there."""


def drafts(of: Source) -> Iterator[Draft]:
    """One figure, where at least two evaluations have an AUC."""
    cells = _cells(of.board.external)
    tested = [m for row in cells.values() for name, m in row.items() if name != OWN]
    if len(tested) < 2:
        return
    title = f"AUC on other data sets than their own: {count(len(cells))} networks"
    lowest, highest = (number(f(m.mean or 0.0 for m in tested)) for f in (min, max))
    yield Draft(
        about="other data sets",
        title=title,
        alt=f"Heat map of {len(tested)} AUCs on other data sets, from {lowest} to {highest}.",
        caption=(
            "Lines: what a network was trained on, and which it is; columns: whose test images it "
            "is asked about, for the findings that both sets label. Below each AUC its 95 % "
            "interval over patients, but for their own. Columns are not comparable with each other."
        ),
        draw=lambda: _drawn(title, cells),
    )


def _cells(every: list[ExternalValidation]) -> Cells:
    how = ways({each.configuration.key: each.row.spec for each in every})
    cells: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for each in every:
        auc = each.configuration.measurements["test_auc"]
        if auc.mean is None or each.configuration.differs:
            continue
        size = f"{each.row.spec.resolution} px" if each.row.spec.resolution else ""
        told = (each.row.spec.model, size, each.trained_on.scheme, how[each.configuration.key])
        line = cells[f"{each.trained_on.dataset}: {', '.join(filter(None, told))}"]
        line[each.row.protocol.dataset] = auc
        if each.home is not None:
            line.setdefault(OWN, Measurement(each.home))
    return cells


def _drawn(title: str, cells: Cells) -> Figure:
    columns = sorted({name for row in cells.values() for name in row}, key=lambda n: (n != OWN, n))
    values = np.array([[_mean(row.get(name)) for name in columns] for row in cells.values()])
    drawn = figure(4.6 + 1.5 * len(columns), 1.4 + 0.42 * len(cells))
    axis = drawn.subplots()
    image = axis.imshow(values, cmap=_SCALE, vmin=0.5, vmax=1, aspect="auto")
    for y, row in enumerate(cells.values()):
        for x, name in enumerate(columns):
            if m := row.get(name):
                ends = interval(m.low, m.high)
                said = number(m.mean) + (f"\n{ends}" if ends else "")
                colour = "black" if values[y, x] > _LIGHT else PALE
                axis.text(x, y, said, ha="center", va="center", size=7.5, color=colour)
    axis.set_xticks(range(len(columns)), [_broken(name, "/") for name in columns])
    axis.set_yticks(range(len(cells)), [_broken(name, ": ") for name in cells])
    axis.spines[:].set_visible(False)
    drawn.colorbar(image, ax=axis, label="test AUC; 0.5 is guessing", shrink=0.9)
    titled(drawn, title)
    return drawn


def _broken(name: str, at: str) -> str:
    """In two lines, of which each may be cut."""
    first, sign, rest = name.partition(at)
    return f"{short(first + sign.strip(), 40)}\n{short(rest, 40)}" if rest else short(first, 40)


def _mean(m: Measurement | None) -> float:
    return np.nan if m is None or m.mean is None else m.mean

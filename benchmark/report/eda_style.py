"""How the figures of the exploratory analysis look, and how they are saved."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.records.files import write_atomic

#: Okabe and Ito's colours, told apart with any colour vision (doi:10.1038/nmeth.1618).
SPLIT_COLOURS = {"train": "#0072B2", "validation": "#E69F00", "test": "#009E73"}
POINT, GRID = "#333333", "#DDDDDD"
SCALE = "viridis"
_LONGEST = 34

_RC = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "legend.frameon": False,
    "text.parse_math": False,  # a dollar sign in a finding's name is a dollar sign
    "svg.hashsalt": "cxr-bench",  # the same figure, the same file
    "svg.fonttype": "path",
}


def styled():
    """Context in which figures are made and saved."""
    return mpl.rc_context(_RC)


def figure(width: float, height: float) -> Figure:
    """A new figure in inches, drawn without a display."""
    new = Figure((width, height), layout="constrained")
    FigureCanvasAgg(new)
    return new


def label(text: object) -> str:
    """A name from data as a figure shows it: one line, printable, not longer than 34 signs."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def save(drawn: Figure, path: Path) -> None:
    """Write ``path`` with the suffixes .png (150 dpi) and .svg."""
    for form, options in (("png", {"dpi": 150}), ("svg", {"metadata": {"Date": None}})):
        file = io.BytesIO()
        with warnings.catch_warnings():  # a name may need signs that the font does not have
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            drawn.savefig(file, format=form, **options)
        write_atomic(path.with_suffix(f".{form}"), file.getvalue())

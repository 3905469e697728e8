"""How the figures of the exploratory analysis look, and how they are saved."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmark.report.blocks.text import one_line
from benchmark.report.files import write_asked

#: Okabe and Ito's colours, told apart with any colour vision (doi:10.1038/nmeth.1618).
SPLIT_COLOURS = {"train": "#0072B2", "validation": "#E69F00", "test": "#009E73"}
SCALE = "viridis"
DPI = 150
_LONGEST = 34

_RC: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "text.parse_math": False,  # a dollar sign in a finding's name is a dollar sign
    "svg.hashsalt": "cxr-bench",  # the same figure, the same file
    "svg.fonttype": "path",
}


def styled(**settings: Any) -> AbstractContextManager[None]:
    """Context in which figures are made and saved; ``settings`` are further ones of Matplotlib."""
    together: dict[Any, Any] = _RC | settings
    return mpl.rc_context(together)


def figure(width: float, height: float) -> Figure:
    """A new figure in inches, drawn without a display."""
    new = Figure((width, height), layout="constrained")
    FigureCanvasAgg(new)
    return new


def lay_out(drawn: Figure) -> None:
    """Settle where everything stands, once for all files."""
    engine = drawn.get_layout_engine()
    if engine is not None:
        engine.execute(drawn)
        drawn.set_layout_engine("none")


def label(text: object) -> str:
    """A name from data as a figure shows it: one line, printable, not longer than 34 signs."""
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def save(drawn: Figure, path: Path, forms: Iterable[str] = ("png", "svg")) -> None:
    """Write ``path`` with the suffixes .png (150 dpi) and .svg."""
    lay_out(drawn)
    for form in forms:
        file = io.BytesIO()
        with warnings.catch_warnings():  # a name may need signs that the font does not have
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            _WRITERS[form](drawn, file)
        write_asked(path.with_suffix(f".{form}"), file.getvalue())


# Figure.savefig would draw everything once more before each file, for the sake of the layout.
def _write_png(drawn: Figure, file: io.BytesIO) -> None:
    drawn.dpi = DPI
    FigureCanvasAgg(drawn).print_png(file)


def _write_svg(drawn: Figure, file: io.BytesIO) -> None:
    FigureCanvasSVG(drawn).print_svg(file, metadata={"Date": None})


_WRITERS = {"png": _write_png, "svg": _write_svg}

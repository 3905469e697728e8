"""What does a better AUC cost? AUC against training time and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from benchmark.report.blocks.text import count
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import GREY, SCHEMES, mark_of, marker_size
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import (
    AUC,
    images_of,
    named,
    point,
    pole,
    said,
    scheme,
    short,
    titled,
)
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.cost import multiply_adds, run_seconds
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.first_screen import Line

CARD = {
    "question": "What does a better AUC cost?",
    "shows": "AUC against training time and multiply-adds; what nothing cheaper is above",
    "order": 3,
    "cost": True,
}
_TIMES = {1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s", 100: "100 s", 300: "5 min", 900: "15 min",
          3600: "1 h", 10800: "3 h", 43200: "12 h", 172800: "2 d"}  # fmt: skip
_TIME = "training time of one run"
_ACROSS = 6
_SIGNS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


@dataclass(frozen=True)
class _Point:
    """A model at a size: its cost, and what validation chose there."""

    name: str
    cost: float
    auc: float
    c: Configuration


def drafts(of: Source) -> Iterator[Draft]:
    """A figure a table of at least three models and sizes whose cost is known."""
    for table, shown in of.tables:
        seconds = run_seconds(table)
        panels = {
            _TIME: _points(shown, partial(_of_key, seconds)),
            "multiply-adds for one image": _points(shown, multiply_adds),
        }
        panels = {name: points for name, points in panels.items() if len(points) > 2}
        if panels:
            yield _draft(table, panels)


def _of_key(seconds: Mapping[str, float], c: Configuration) -> float | None:
    return seconds.get(c.key)


def _points(shown: Sequence[Line], cost: Callable[[Configuration], float | None]) -> list[_Point]:
    return [
        _Point(named(line, c), seconds, auc, c)
        for line in shown
        for c in line.at.values()
        if (seconds := cost(c))
        and (auc := c.measurements["test_auc"].mean) is not None
        and c.complete
        and not c.spec.ensemble
    ]


def _front(points: Sequence[_Point]) -> list[_Point]:
    """Those that nothing cheaper is above."""
    front: list[_Point] = []
    for each in sorted(points, key=lambda p: (p.cost, -p.auc)):
        if not front or each.auc > front[-1].auc:
            front.append(each)
    return front


def _front_of(name: str, points: Sequence[_Point]) -> list[_Point]:
    """The front of a panel; none where times of several machines would be compared."""
    machines = {machine for p in points for machine in p.c.machines}
    return [] if name == _TIME and len(machines) > 1 else _front(points)


def _draft(table: Table, panels: dict[str, list[_Point]]) -> Draft:
    title = f"{table.name}: AUC against cost, {images_of(table)}"
    front = next(filter(None, (_front_of(*panel) for panel in panels.items())), [])
    best = [said(p.name, p.c.measurements["test_auc"]) for p in front]
    above = f"; nothing cheaper is above {', '.join(best)}" if best else ""
    machines = "; ".join(f"{letter} = {name}" for name, letter in table.machines.items())
    mixed = "No line joins times of different machines" if len(table.machines) > 1 else "On"
    return Draft(
        about=table.name,
        protocol_id=table.protocol.id,
        title=title,
        alt=f"AUC against {' and '.join(panels)}{above}.",
        caption=(
            "Each model in the way that validation chose; poles: 95 % intervals over patients. "
            "Dashed: nothing cheaper has a higher AUC, which may be chance where intervals "
            "overlap. Larger markers: larger images; hollow: features of a frozen network, the "
            f"computing of which is in the time. {mixed}: {machines}. Ensembles, which train "
            "nothing of their own, are left out."
        ),
        draw=lambda: _drawn(title, panels),
    )


def _drawn(title: str, panels: dict[str, list[_Point]]) -> Figure:
    drawn = figure(9.2, 4.8)
    axes = drawn.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (name, points) in zip(axes, panels.items(), strict=True):
        front = _front_of(name, points)
        axis.step([p.cost for p in front], [p.auc for p in front], "--", where="post", color=GREY,
                  linewidth=1)  # fmt: skip
        for p in points:
            pole(axis, p.cost, p.c.measurements["test_auc"], mark_of(p.c.spec).colour,
                 alpha=0.55)  # fmt: skip
            size = marker_size(p.c.spec.resolution)
            point(axis, p.cost, p.auc, p.c.spec, scheme(p.c), size)
        axis.set(xscale="log", xlabel=name)
        _ticks(axis, points, times=name == _TIME)
        axis.grid(visible=True)
    axes[0].set_ylabel(AUC)
    _legend(drawn, axes[0], [p for points in panels.values() for p in points])
    titled(drawn, title)
    return drawn


def _ticks(axis: Axes, points: Sequence[_Point], *, times: bool) -> None:
    axis.xaxis.set_minor_locator(NullLocator())
    if times:
        least, most = min(p.cost for p in points), max(p.cost for p in points)
        known = [t for t in _TIMES if least / 3 <= t <= most * 3]
        axis.xaxis.set_major_locator(FixedLocator([float(t) for t in known]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda t, _: _TIMES.get(round(t), "")))
    else:
        axis.xaxis.set_major_formatter(FuncFormatter(lambda n, _: _brief(n)))


def _brief(n: float) -> str:
    unit, sign = next(((u, s) for u, s in _SIGNS if n >= u), (1.0, ""))
    return f"{n / unit:g} {sign}".strip()


def _legend(drawn: Figure, axis: Axes, points: Sequence[_Point]) -> None:
    """The models, then the schemes and sizes."""
    marks = {p.c.spec.model: mark_of(p.c.spec) for p in points}
    handles = [
        axis.plot([], [], mark.marker, color=mark.colour, label=short(model, 30))[0]
        for model, mark in sorted(marks.items())
    ]
    names = sorted({p.c.spec.scheme for p in points} & set(SCHEMES))
    for name in names if len(names) > 1 else ():
        fill = SCHEMES[name].fill
        handles += axis.plot([], [], "o", color=ink(), label=name, fillstyle=fill)
    sizes = sorted({p.c.spec.resolution for p in points})
    for size in sizes if len(sizes) > 1 else ():
        handles += axis.plot([], [], "o", color=GREY, label=f"{count(size)} px",
                             markersize=marker_size(size))  # fmt: skip
    # A legend is filled column by column.
    by_row = [handles[k] for c in range(_ACROSS) for k in range(c, len(handles), _ACROSS)]
    drawn.legend(handles=by_row, loc="outside lower center", ncols=min(_ACROSS, len(handles)))

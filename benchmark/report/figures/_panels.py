"""What several figures have in common."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import count, interval, number, one_line
from benchmark.report.blocks.values import Measurement
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import Scheme, mark_of, scheme_of
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.first_screen import Line
from benchmark.spec import Spec

_SIGNS_AN_INCH = 12
AUC = "test AUC, 95 % interval over patients"


def images_of(each: Table) -> str:
    """The test images and patients of a table."""
    kind = "simulated test images" if each.dataset.simulated else "test images"
    test = each.counts.get("test")
    if test is None:
        return kind
    who = of_patients(test.patients, unknown=each.dataset.patients_unknown)
    return f"{count(test.images)} {kind}{who}"


def short(text: str, longest: int = 44) -> str:
    """A name as a figure shows it: one printable line, cut where it is too long."""
    line = one_line(text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def in_lines(text: str, most: int = 46) -> str:
    """A name at an axis, which is broken where it is too long, and cut after the second line."""
    return "\n".join(textwrap.wrap(one_line(text), most, max_lines=2, placeholder=" …"))


def titled(drawn: Figure, title: str) -> None:
    """The title, from the left edge, in as many lines as the figure is narrow."""
    lines = textwrap.wrap(one_line(title), int(_SIGNS_AN_INCH * drawn.get_figwidth()))
    drawn.suptitle("\n".join(lines), x=0.01, ha="left", size=10)


def bar(axis: Axes, x: Measurement, y: float, colour: str, alpha: float = 1) -> None:
    """The interval of a measurement across, where it has one."""
    if x.limits:
        axis.plot(x.limits, [y, y], color=colour, linewidth=1.8, solid_capstyle="butt", alpha=alpha)


def pole(axis: Axes, x: float, y: Measurement, colour: str, alpha: float = 1) -> None:
    """The interval of a measurement upwards, where it has one."""
    if y.limits:
        axis.plot([x, x], y.limits, color=colour, linewidth=1.2, solid_capstyle="butt", alpha=alpha)


def point(
    axis: Axes, x: float, y: float, spec: Spec, scheme: Scheme | None = None, size: float = 7
) -> None:
    """A model's marker, filled as its scheme has it."""
    mark = mark_of(spec)
    fill = scheme.fill if scheme else "full"
    ground = axis.get_facecolor()
    axis.plot(
        x, y, mark.marker, color=mark.colour, markersize=size, zorder=3,
        markerfacecolor=ground if fill == "none" else mark.colour, markerfacecoloralt=ground,
        fillstyle="full" if fill == "none" else fill,  # a hollow one hides the lines below it
        markeredgecolor=mark.colour if fill != "full" else ink(),
        markeredgewidth=1.4 if fill != "full" else 0.5,
    )  # fmt: skip


def named(line: Line, c: Configuration | None = None) -> str:
    """A model with its size and how it was trained, as far as the table tells these apart."""
    c = c or line.chosen
    size = f"{c.spec.resolution} px" if c.spec.resolution else ""
    return ", ".join(filter(None, (c.spec.model, size, line.how[c.key])))


def said(name: str, m: Measurement) -> str:
    """A name with its number, for an alternative text."""
    return f"{name} {number(m.mean)} {interval(m.low, m.high)}".rstrip()


def scheme(c: Configuration) -> Scheme:
    """How the scheme of a configuration looks."""
    return scheme_of(c.spec.scheme)


def apart(places: Sequence[float], least: float) -> list[float]:
    """The same places moved as little as puts ``least`` between any two."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, float)[order]
    for _ in range(200):
        short = least - np.diff(moved)
        if (short <= 1e-9).all():
            break
        push = np.clip(short, 0, None) / 2
        moved[:-1] -= push
        moved[1:] += push
    result = np.empty(len(moved))
    result[order] = moved
    return [float(place) for place in result]

"""Does a larger image help? AUC against size, a line a model and scheme."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from benchmark.report.drawing.marks import mark_of, marker_size, scheme_of
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import (
    AUC,
    apart,
    images_of,
    point,
    pole,
    said,
    short,
    titled,
)
from benchmark.report.gathering.choosing import on_validation
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.labels import likeness
from benchmark.report.gathering.table import Table
from benchmark.spec import Spec
from benchmark.suites.families import is_baseline

CARD = {
    "question": "Does a larger image help?",
    "shows": "AUC at each size, a line a model and scheme",
    "order": 1,
}


@dataclass(frozen=True)
class _Curve:
    """A model under one scheme, all but its size as validation chose it: size -> configuration."""

    model: str
    scheme: str
    at: dict[int, Configuration]

    @property
    def name(self) -> str:
        return f"{self.model}, {self.scheme}" if self.scheme else self.model

    @property
    def spec(self) -> Spec:
        """Of one of its sizes."""
        return next(iter(self.at.values())).spec

    def points(self) -> Iterator[tuple[int, Configuration]]:
        for size in sorted(self.at):
            if self.at[size].measurements["test_auc"].mean is not None:
                yield size, self.at[size]


def drafts(of: Source) -> Iterator[Draft]:
    """A figure a table in which some model was run at several sizes."""
    for table, _ in of.tables:
        shown = _curves(table)
        if shown:
            yield _draft(table, shown)


def _curves(table: Table) -> list[_Curve]:
    """Of the ways of a model and scheme that were run at several sizes, the one chosen."""
    ways: dict[tuple[str, str], dict[bytes, dict[int, Configuration]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for c in table.ranked:
        if c.spec.resolution and not is_baseline(c.spec):
            way = likeness(c.spec, "resolution", "seed")
            ways[c.spec.model, c.spec.scheme][way][c.spec.resolution] = c
    found = []
    for (model, scheme), of_one in sorted(ways.items()):
        if several := [at for at in of_one.values() if len(at) > 1]:
            best = max(several, key=lambda at: max(map(on_validation, at.values())))
            found.append(_Curve(model, scheme, best))
    return found


def _draft(table: Table, shown: list[_Curve]) -> Draft:
    title = f"{table.name}: AUC against image size, {images_of(table)}"
    changes = [
        f"{curve.name} from "
        + " to ".join(said(f"{size} px", c.measurements["test_auc"]) for size, c in ends)
        for curve in shown
        if (ends := [*curve.points()][:: max(1, len(curve.at) - 1)])
    ]
    return Draft(
        about=table.name,
        protocol_id=table.protocol.id,
        title=title,
        alt=f"Test AUC by image size: {'; '.join(changes[:4])}.",
        caption=(
            "Each model under each scheme that was run at several sizes, in the way, the same at "
            "every size, that validation chose. Poles: 95 % intervals over patients; they belong "
            "to the same patients, so "
            "that a difference may be surer than they look: see what each choice changes."
        ),
        draw=lambda: _drawn(title, shown),
    )


def _drawn(title: str, shown: Sequence[_Curve]) -> Figure:
    drawn = figure(9.2, max(3.6, 1.6 + 0.3 * len(shown)))
    axis = drawn.subplots()
    sizes = sorted({size for curve in shown for size in curve.at})
    for k, curve in enumerate(shown):
        _line(axis, curve, 1 + 0.022 * (k - (len(shown) - 1) / 2))
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_locator(FixedLocator([float(size) for size in sizes]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.set(xlabel="image size (px, side)", ylabel=AUC)
    axis.grid(axis="y")
    _names(axis, shown)
    titled(drawn, title)
    return drawn


def _line(axis: Axes, curve: _Curve, beside: float) -> None:
    """Moved a little sideways, so that intervals of one size stand beside each other."""
    look, colour = scheme_of(curve.scheme), mark_of(curve.spec).colour
    places = [(size * beside, c) for size, c in curve.points()]
    aucs = [c.measurements["test_auc"] for _, c in places]
    axis.plot([x for x, _ in places], [auc.mean or 0.0 for auc in aucs], color=colour,
              linestyle=look.line, linewidth=1.6)  # fmt: skip
    for (x, c), auc in zip(places, aucs, strict=True):
        pole(axis, x, auc, colour, alpha=0.7)
        point(axis, x, auc.mean or 0.0, c.spec, look, marker_size(c.spec.resolution))


def _names(axis: Axes, shown: Sequence[_Curve]) -> None:
    """Each line's name behind its last point, moved where two would overlap."""
    ends = [[*curve.points()][-1] for curve in shown]
    low, high = axis.get_ylim()
    heights = [c.measurements["test_auc"].mean or 0.0 for _, c in ends]
    largest = max(size for size, _ in ends)
    beyond = 1 + 0.022 * len(shown)
    for curve, y, place in zip(shown, heights, apart(heights, (high - low) / 17), strict=True):
        axis.annotate(
            short(curve.name), (largest * beyond, y), (largest * beyond * 1.04, place),
            color=axis.yaxis.label.get_color(), size=8.5, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": mark_of(curve.spec).colour, "lw": 0.8,
                        "relpos": (0, 0.5)},
        )  # fmt: skip

"""Does it hold elsewhere? Each model on the test images of other data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.blocks.text import count, number
from benchmark.report.blocks.values import Measurement
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import GREY, mark_of
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import AUC, bar, in_lines, point, titled
from benchmark.report.gathering.choosing import chosen_first
from benchmark.report.gathering.labels import ways
from benchmark.report.sections.external_validation import ExternalValidation

CARD = {
    "question": "Does it hold on another data set?",
    "shows": "AUC of each model on another set, with interval, beside that on its own",
    "order": 5,
}
OWN = "own test images, the same findings"
Panels = Mapping[str, Sequence[ExternalValidation]]
"""From which data set to which -> a line a model, the best first."""


def drafts(of: Source) -> Iterator[Draft]:
    """One figure, where at least two evaluations have an AUC."""
    panels = _panels(of.board.external)
    shown = [each for lines in panels.values() for each in lines]
    if len(shown) < 2:
        return
    tested = count(len(of.board.external))
    title = f"AUC on another data set than their own: {count(len(shown))} of {tested} networks"
    lowest, highest = (number(f(_auc(each).mean or 0.0 for each in shown)) for f in (min, max))
    yield Draft(
        about="other data sets",
        title=title,
        alt=f"{len(shown)} AUCs on another data set than their own, from {lowest} to {highest}.",
        caption=(
            "Of the networks that were tested on another set each model's, as validation on its "
            "own set chose it; all of them stand in the table. For the findings that both sets "
            "label. Bars: 95 % intervals over patients; dotted: guessing. Panels are not "
            "comparable with each other."
        ),
        draw=lambda: _drawn(title, panels),
    )


def _panels(every: Sequence[ExternalValidation]) -> Panels:
    shown = [e for e in every if _auc(e).mean is not None and not e.configuration.differs]
    chosen, _ = chosen_first(
        shown, lambda e: (_pair(e), e.row.spec.model), lambda e: e.configuration
    )
    panels: dict[str, list[ExternalValidation]] = defaultdict(list)
    for each in chosen:
        panels[_pair(each)].append(each)
    return panels


def _pair(each: ExternalValidation) -> str:
    return f"{each.trained_on.dataset}, tested on {each.row.protocol.dataset}"


def _auc(each: ExternalValidation) -> Measurement:
    return each.configuration.measurements["test_auc"]


def _drawn(title: str, panels: Panels) -> Figure:
    shown = [each for lines in panels.values() for each in lines]
    how = ways({each.configuration.key: each.row.spec for each in shown})
    rows = [len(lines) for lines in panels.values()]
    drawn = figure(9.2, 1.2 + 0.34 * sum(rows) + 0.55 * len(rows))
    axes = drawn.subplots(len(rows), sharex=True, height_ratios=rows, squeeze=False)[:, 0]
    for axis, (pair, lines) in zip(axes, panels.items(), strict=True):
        axis.set_title(f"Trained on {pair}", loc="left", size=9)
        axis.axvline(0.5, linestyle=":", color=ink(), linewidth=1.5)
        for place, each in enumerate(lines):
            _line(axis, place, each)
        axis.set_yticks(range(len(lines)), [in_lines(_name(each, how)) for each in lines])
        axis.set_ylim(len(lines) - 0.5, -0.5)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="x")
    axes[-1].set_xlim(0, 1.01)
    axes[-1].set_xlabel(AUC)
    handles = [
        axes[0].plot([], [], "o-", color=ink(), label="test images of the other set")[0],
        axes[0].plot([], [], "d", color=GREY, markerfacecolor="none", label=OWN)[0],
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)
    titled(drawn, title)
    return drawn


def _line(axis: Axes, place: int, each: ExternalValidation) -> None:
    auc, spec = _auc(each), each.row.spec
    if each.home is not None:
        axis.plot(each.home, place, "d", color=GREY, markersize=5.5, markerfacecolor="none")
    bar(axis, auc, place, mark_of(spec).colour)
    point(axis, auc.mean or 0.0, place, spec)


def _name(each: ExternalValidation, how: Mapping[str, str]) -> str:
    spec = each.row.spec
    size = f"{spec.resolution} px" if spec.resolution else ""
    told = (spec.model, size, each.trained_on.scheme, how[each.configuration.key])
    return ", ".join(filter(None, told))

"""What else can be read from the same images? Findings beside sex, view, age or source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import count
from benchmark.report.drawing.grounds import ink
from benchmark.report.drawing.marks import BLUE, GREEN, GREY, PURPLE, VERMILION
from benchmark.report.drawing.style import figure
from benchmark.report.figures import Draft, Source
from benchmark.report.figures._panels import AUC, bar, said, short, titled
from benchmark.report.sections.attribute_prediction import (
    FINDINGS,
    INPUTS,
    METADATA,
    Asked,
    PredictedAttributes,
    mean_of,
    predicted_attributes,
)

CARD = {
    "question": "What else can be read from the same images?",
    "shows": "AUC of sex, view, age or source beside that of the findings",
    "order": 4,
}
_LOOKS = dict(
    zip(
        (*INPUTS.values(), METADATA),
        ((BLUE, "o"), (GREEN, "s"), (PURPLE, "D"), (VERMILION, "^"), (GREY, "v")),
        strict=True,
    )
)
"""What of an image was seen -> its colour and marker."""


def drafts(of: Source) -> Iterator[Draft]:
    """A figure a data set from whose images attributes were predicted."""
    for each in predicted_attributes(of.board.tables):
        asked = [a for a in each.asked if any(_auc(a, name) is not None for name in _LOOKS)]
        if len(asked) > 1:
            yield _draft(each, sorted(asked, key=_highest, reverse=True))


def _auc(asked: Asked, name: str) -> float | None:
    c = asked.answers.get(name)
    return c.measurements["test_auc"].mean if c else None


def _best_seen(asked: Asked) -> str:
    return max(asked.answers, key=lambda name: _auc(asked, name) or 0.0)


def _highest(asked: Asked) -> float:
    return _auc(asked, _best_seen(asked)) or 0.0


def _draft(each: PredictedAttributes, asked: list[Asked]) -> Draft:
    most = max((a.tested for a in asked), key=lambda tested: tested.n_images)
    who = of_patients(most.n_patients, unknown=asked[0].table.dataset.patients_unknown)
    n = f"{count(most.n_images)} test images{who}"
    readers = " or ".join(dict.fromkeys(_reader(a) for a in asked))
    title = f"{each.dataset}: what {readers} can read from {n}"
    told = [
        said(_name(a), a.answers[name].measurements["test_auc"])
        for a in asked
        for name in [_best_seen(a)]
    ]
    return Draft(
        about=each.dataset,
        title=title,
        alt=f"Test AUC, the highest first: {'; '.join(told)}.",
        caption=(
            "Bars: 95 % intervals over patients; dotted: guessing. Here a high AUC of an attribute "
            "is no good news: what goes together with a finding and can be read is a way to score "
            "without looking at the disease. It shows what can be read, not what a model uses."
        ),
        draw=lambda: _drawn(title, asked),
    )


def _reader(asked: Asked) -> str:
    """The model that was trained for each question, and its size."""
    spec = asked.answer.spec
    return f"{spec.model} at {spec.resolution} px"


def _name(asked: Asked) -> str:
    if asked.question != FINDINGS:
        return asked.question
    return mean_of(asked.answer.runs[0].scores.macro_findings)


def _drawn(title: str, asked: Sequence[Asked]) -> Figure:
    several = len({a.model for a in asked}) > 1
    shown = [name for name in _LOOKS if any(name in a.answers for a in asked)]
    drawn = figure(9.2, 1.6 + 0.34 * len(asked))
    axis = drawn.subplots()
    axis.axvline(0.5, linestyle=":", color=ink(), linewidth=1)
    for place, one in enumerate(asked):
        for k, name in enumerate(shown):
            mean = _auc(one, name)
            if mean is not None:
                auc = one.answers[name].measurements["test_auc"]
                y, (colour, marker) = place + 0.22 * (k - (len(shown) - 1) / 2), _LOOKS[name]
                bar(axis, auc, y, colour)
                axis.plot(mean, y, marker, color=colour, markersize=7, markeredgecolor=ink(),
                          markeredgewidth=0.5, zorder=3)  # fmt: skip
    names = [
        f"{_name(a)}, n = {count(a.tested.n_images)}" + (f" ({a.model})" if several else "")
        for a in asked
    ]
    axis.set_yticks(range(len(asked)), [short(name) for name in names])
    axis.set_ylim(len(asked) - 0.5, -0.5)
    axis.set_xlabel(AUC)
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
    handles = [
        axis.plot([], [], _LOOKS[name][1], color=_LOOKS[name][0], label=name)[0] for name in shown
    ]
    drawn.legend(handles=handles, loc="outside lower center", ncols=5)
    titled(drawn, title)
    return drawn

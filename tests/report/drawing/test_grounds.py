"""How figures are saved: once, for a light ground and for a dark one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmark.report.drawing.grounds import ink, luminance, save_both, series
from benchmark.report.drawing.marks import COLOURS, GREY, MODELS
from benchmark.report.drawing.style import figure
from benchmark.report.html.figures_decisions import confusion_by_finding

GROUNDS = {"#ffffff", "#1b1f24", "#dddddd"}


def drawn():
    new = figure(3, 2)
    axis = new.subplots()
    for k in range(7):
        axis.plot([0, 1], [k, k], color=series(k), label=f"line {k}")
    axis.axhline(3, color=ink(), linestyle=":")
    axis.grid(visible=True)
    axis.set(title="a title", xlabel="x")
    return new


def colours(svg: str) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}", svg))


def test_a_dark_figure_is_the_light_one_on_another_ground(tmp_path):
    save_both(drawn, tmp_path / "lines")
    light, dark = (tmp_path / f"lines{end}.svg" for end in ("", "-dark"))
    assert colours(light.read_text()) >= GROUNDS
    assert not colours(dark.read_text()) & GROUNDS
    assert colours(light.read_text()) - GROUNDS == (
        colours(dark.read_text()) - {"#14181d", "#e4e8ec", "#39414a"}
    )
    shapes = [re.sub(r"#[0-9a-f]{6}", "", file.read_text()) for file in (light, dark)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("forms", [["svg"], ["png"]])
def test_only_the_forms_asked_for_are_written(tmp_path, forms):
    save_both(drawn, tmp_path / "lines", forms)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == ({"lines.png"} if forms == ["png"] else {"lines.svg", "lines-dark.svg"})


def test_no_colour_of_a_thing_is_one_that_changes_with_the_ground():
    things = {*COLOURS, GREY, *(mark.colour for mark in MODELS.values()), *map(series, range(9))}
    assert not {colour.lower() for colour in things} & GROUNDS


@pytest.mark.parametrize("percent", range(0, 101, 4))
def test_numbers_in_a_confusion_matrix_can_be_read_on_every_field(percent):
    counts = np.array([[[percent, 100 - percent], [100 - percent, percent]]])
    axis = confusion_by_finding({"toy": counts}).axes[0]
    (image,) = axis.images
    for text in axis.texts:
        column, row = text.get_position()
        field = image.cmap(image.norm(image.get_array()[row, column]))
        pair = sorted([luminance(text.get_color()), luminance(field)])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


def test_the_same_figure_is_the_same_file(tmp_path):
    for name in ("a", "b"):
        save_both(drawn, tmp_path / name)
    for end in (".svg", "-dark.svg", ".png"):
        first, second = (tmp_path / f"{name}{end}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()

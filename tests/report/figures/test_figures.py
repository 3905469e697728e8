"""Figures: what is drawn, from which numbers, and that nothing is drawn that says nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace as replace_fields

from benchmark.cli import main
from benchmark.errors import UnknownName
from benchmark.records.store import Results
from benchmark.report.blocks.values import Measurement
from benchmark.report.drawing import marks
from benchmark.report.figures import AXIS, Source, draw_all, figures_of
from benchmark.report.figures._panels import apart
from benchmark.report.figures.cost import _front, _Point
from benchmark.report.gathering.cost import multiply_adds, run_seconds
from benchmark.report.gathering.gather import gather
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.spec import EnsembleRule
from tests.records.rows import an_environment
from tests.report import made_rows
from tests.report.made_rows import add_row, make_spec, protocol

SIMULATED = {  # Machado, Oliveira and Fernandes 2009, severity 1.0; linear RGB
    "all colours": np.eye(3),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def drafted(results, **asked) -> dict[str, list[str]]:
    """Name of a figure -> titles of what it would draw."""
    found: dict[str, list[str]] = {}
    for each in figures_of(Source(Leaderboard.of(results), results), **asked):
        found.setdefault(each.name, []).append(each.draft.title)
    return found


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """Two models at two sizes, a hard vote that is not ranked, and a constant."""
    results = Results(tmp_path_factory.mktemp("results"))
    for size in (64, 128):
        made_rows.add_seeds(results, "cnn", strength=2.0, spec={"resolution": size})
        made_rows.add_seeds(results, "mlp", strength=1.0, spec={"resolution": size})
    add_row(results, "constant", strength=0.0)
    return results


def test_each_figure_is_drawn_where_there_is_ground_for_it(matrix):
    found = drafted(matrix)
    assert set(found) == {"forest", "size", "gap", "cost", "curves"}
    assert len(found["curves"]) == 3
    n = "60 test images of 30 patients"
    assert all(n in title for titles in found.values() for title in titles)


def test_nothing_is_drawn_that_says_nothing(results, add, add_seeds):
    assert drafted(results) == {}
    add("constant", strength=0.0)
    assert drafted(results) == {}
    add_seeds("cnn")
    assert set(drafted(results)) == {"curves"}  # one model: nothing to compare


def test_no_curves_of_findings_of_few_patients(results, add_seeds, make_protocol, tmp_path):
    targets = np.zeros((190, 1))
    targets[::19] = 1
    few = make_protocol("toy/few")
    add_seeds("cnn", shared=few, people={"targets": targets})
    assert "curves" not in drafted(results)


def test_attributes_stand_beside_findings(results, add_seeds, make_protocol):
    add_seeds("cnn", strength=1.0)
    shared = make_protocol(findings=("sex",), probe="sex", split="as published; probe")
    add_seeds("cnn", strength=4.0, shared=shared)
    source = Source(Leaderboard.of(results), results)
    (figure,) = figures_of(source, names=["attributes"])
    assert "what cnn at 64 px can read" in figure.draft.title
    sex, finding = (figure.draft.alt.index(word) for word in ("sex", "pneumonia"))
    assert sex < finding


def test_what_is_drawn_is_what_the_tables_hold(matrix):
    (table,) = gather(matrix)
    source = Source(Leaderboard.of(matrix), matrix)
    (forest,) = figures_of(source, names=["forest"])
    chosen = [line.chosen for _, lines in source.tables for line in lines]
    for c in chosen:
        auc = c.measurements["test_auc"]
        assert f"{auc.mean:.3f} [{auc.low:.3f}, {auc.high:.3f}]" in forest.draft.alt.replace(
            "\xa0", " "
        )
    drawn = forest.draft.draw()
    places = [x for line in drawn.axes[0].lines for x in line.get_xdata()]
    for c in chosen:
        assert {c.measurements["test_auc"].mean, *c.measurements["test_auc"].limits} <= set(places)
    names = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert [name.split(",")[0] for name in names] == [c.spec.model for c in chosen]
    letters = [text.get_text().replace("\xa0", " ") for text in drawn.axes[0].texts]
    own = [table.letters[c.key] for c in chosen]
    assert letters == [*(f"({each.family} {each.text})" for each in own), "letters"]


def test_a_line_over_sizes_differs_in_size_alone(results, add_seeds):
    """Without augmentation it is better at 64 px, and was run there alone: another line."""
    for size, augmentation, strength in ((64, "none", 6), (64, "strong", 1), (128, "strong", 2)):
        add_seeds("cnn", strength=strength, spec={"resolution": size, "augmentation": augmentation})
    (figure,) = figures_of(Source(Leaderboard.of(results), results), names=["size"])
    aucs = {
        c.spec.resolution: c.measurements["test_auc"].mean
        for table in gather(results)
        for c in table.ranked
        if c.spec.augmentation == "strong"
    }
    said = figure.draft.alt.replace("\xa0", " ")
    assert re.search(f"from 64 px {aucs[64]:.3f} .* to 128 px {aucs[128]:.3f} ", said), said


def test_equal_results_give_equal_files_on_both_grounds(matrix, tmp_path):
    for folder in ("a", "b"):
        found = draw_all(matrix, tmp_path / folder, names=["forest", "cost"], forms=["svg"])
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(
        f"{each.file}{ground}.svg" for each in found for ground in ("", "-dark")
    )
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        assert not file.read_text().startswith("\n")
        assert "http://www.w3.org" in file.read_text()


def test_figures_can_be_named_and_cost_left_out(matrix):
    assert set(drafted(matrix, names=["forest"])) == {"forest"}
    assert "cost" not in drafted(matrix, cost=False)
    with pytest.raises(UnknownName, match="forest"):
        drafted(matrix, names=["forrest"])
    with pytest.raises(UnknownName, match="toy/official"):
        drafted(matrix, dataset="tony")


def test_the_command_says_what_it_drew(matrix, tmp_path):
    asked = ["figures", "forest", "--results", str(matrix.folder), "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(main, [*asked, "--format", "svg"])
    assert said.exit_code == 0, said.output
    assert "forest-toy-official: toy/official: 2 models on 60 test images" in said.output
    assert (tmp_path / "out" / "forest-toy-official.svg").is_file()
    assert not (tmp_path / "out" / "forest-toy-official.png").exists()


def test_the_front_holds_what_nothing_cheaper_is_above():
    points = [
        _Point(name, cost, auc, None)
        for name, cost, auc in (
            ("dear", 9.0, 0.9), ("cheap", 1.0, 0.7), ("worse", 2.0, 0.6), ("same cost", 1.0, 0.5),
            ("better", 3.0, 0.8), ("no better", 4.0, 0.8),
        )
    ]  # fmt: skip
    assert [p.name for p in _front(points)] == ["cheap", "better", "dear"]


def test_no_line_joins_times_of_different_machines(results, add):
    """Multiply-adds of one image are the same on all of them."""
    other = replace_fields(an_environment(), cpu="another one")
    for seed, model in enumerate(("cnn", "mobilenetv2", "googlenet")):
        for k in range(3):
            facts = {"environment": other} if seed else {}
            add(model, seed=k, strength=1.0 + seed, phases={"train": 5.0 + seed}, **facts)
    (figure,) = figures_of(Source(Leaderboard.of(results), results), names=["cost"])
    times, work = figure.draft.draw().axes
    dashed = [
        [line for line in axis.lines if line.get_linestyle() == "--"] for axis in (times, work)
    ]
    assert [sum(len(line.get_xdata()) > 0 for line in of) for of in dashed] == [0, 1]
    assert "different machines" in figure.draft.caption


def test_features_that_were_found_cost_what_they_took_whoever_computed_them(results, add):
    probe = {"scheme": "linear_probe", "weights": "imagenet"}
    add("cnn", spec=probe, phases={"features": 100.0, "train": 3.0})
    add("cnn", spec=probe | {"scheme": "knn"}, phases={"features": 0.5})
    add("cnn", spec={"resolution": 128}, phases={"train": 7.0})
    (table,) = gather(results)
    seconds = run_seconds(table)
    by_scheme = {c.spec.scheme: seconds[c.key] for c in table.configurations}
    assert by_scheme == {"linear_probe": 103.0, "knn": 100.0, "scratch": 7.0}
    at = {c.spec.resolution: multiply_adds(c) for c in table.configurations}
    assert at[128] == pytest.approx(4 * at[64])


def test_a_model_has_one_look_and_a_listed_one_shares_it_with_nobody():
    looks = list(marks.MODELS.values())
    assert len(set(looks)) == len(looks)
    unknown = {mark(f"my_model_{k}") for k in range(300)}
    assert len(unknown) > 20
    assert not unknown & set(looks)
    assert mark("my_model_1") == mark("my_model_1")
    assert mark("cnn") == marks.MODELS["cnn"]


def mark(model: str) -> marks.Mark:
    return marks.mark_of(make_spec(model, 0, protocol(), {}))


@pytest.mark.parametrize("sight", SIMULATED)
def test_colours_are_told_apart_with_any_colour_vision(sight):
    seen = [_lab(SIMULATED[sight] @ _linear(colour)) for colour in marks.COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def _linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB under D65."""
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_names_are_moved_apart_and_keep_their_order():
    moved = apart([0.5, 0.51, 0.9, 0.505], 0.05)
    assert list(np.argsort(moved)) == [0, 3, 1, 2]
    assert np.diff(np.sort(moved)).min() >= 0.05 - 1e-6
    assert moved[2] == 0.9


def test_a_figure_is_one_file(tmp_path):
    (tmp_path / "mine.py").write_text('CARD = {"question": "Mine?", "shows": "it", "order": 9}\n'
                                      "def drafts(of):\n    return iter(())\n")  # fmt: skip
    plugin = AXIS.find("mine", tmp_path)
    assert plugin.card == {"question": "Mine?", "shows": "it", "order": 9, "cost": False}
    assert list(plugin.load()(None)) == []
    assert {card["order"] for card in (p.card for p in AXIS.discover().values())} == set(
        range(len(AXIS.names()))
    )


def test_tables_and_the_list_of_figures_need_no_matplotlib():
    modules = "benchmark.report.export.leaderboard, benchmark.report.figures as f"
    code = f"import sys, {modules}; f.AXIS.discover()"
    check = "; assert not {'matplotlib', 'tensorflow', 'keras'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code + check], check=True)


def evaluation(model: str, home: str, elsewhere: str, auc: float, own: float | None, size=64):
    """One network on the test images of another set, the better on validation the larger."""
    spec = make_spec(model, 0, protocol(elsewhere), {"resolution": size})
    row = SimpleNamespace(spec=spec, protocol=protocol(elsewhere))
    measured = {
        "test_auc": Measurement(auc, None, auc - 0.1, auc + 0.1),
        "validation_auc": Measurement(size / 1000),
    }
    c = SimpleNamespace(
        key=f"{model}{size}{home}{elsewhere}", measurements=measured, differs="", complete=True
    )
    trained_on = SimpleNamespace(dataset=home, scheme="scratch")
    return SimpleNamespace(configuration=c, row=row, trained_on=trained_on, home=own)


def test_on_other_data_sets_a_line_a_model_as_validation_chose_it(matrix):
    one = [evaluation("cnn", "a/x", "b/x", 0.75, 0.9)]
    several = [
        *one,
        evaluation("mlp", "a/x", "b/x", 0.6, None),
        evaluation("cnn", "a/x", "b/x", 0.3, 0.8, size=128),
        evaluation("cnn", "b/x", "a/x", 0.65, None),
    ]
    shown = {}
    for name, every in (("one", one), ("several", several)):
        source = Source(replace(Leaderboard.of(matrix), external=every), matrix)
        shown[name] = figures_of(source, names=["external"])
    assert shown["one"] == []  # one line alone says nothing
    (figure,) = shown["several"]
    there, back = figure.draft.draw().axes
    assert [axis.get_title(loc="left") for axis in (there, back)] == [
        "Trained on a/x, tested on b/x",
        "Trained on b/x, tested on a/x",
    ]
    names = [text.get_text() for text in there.get_yticklabels()]
    assert names == ["mlp, 64 px, scratch", "cnn, 128 px, scratch"]
    drawn = {x for line in there.lines for x in line.get_xdata()}
    assert {0.6, 0.3, 0.8} <= drawn
    assert not {0.75, 0.9} & drawn
    low, high = there.get_xlim()
    assert low <= 0 < 0.5 < 1 <= high  # worse than guessing looks worse than guessing


def test_an_ensemble_and_a_row_of_another_tool_have_the_colour_of_no_kind_of_network():
    vote = make_spec("mean_of_best_3", 0, protocol(), {"kind": "vote", "ensemble": EnsembleRule()})
    other = make_spec("cnn", 0, protocol(), {"kind": "external"})
    assert {marks.mark_of(vote).colour, marks.mark_of(other).colour} == {marks.INK}
    assert marks.INK not in marks.COLOURS
    assert marks.mark_of(make_spec("cnn", 0, protocol(), {})).colour in marks.COLOURS


def test_no_letters_are_announced_where_there_is_no_family(results, add_seeds):
    add_seeds("cnn", strength=3.0)
    add_seeds("mlp", strength=1.0, spec={"augmentation": "strong"})
    (forest,) = figures_of(Source(Leaderboard.of(results), results), names=["forest"])
    assert {text.get_text() for text in forest.draft.draw().axes[0].texts} == {""}
    assert "letter" not in forest.draft.caption


def test_only_a_family_is_shaded_and_neighbouring_ones_are_told_apart(results, add_seeds):
    for model in ("cnn", "mlp"):
        add_seeds(model, strength=3.0)
    for model in ("linear", "resnet50"):
        add_seeds(model, strength=1.0, spec={"augmentation": "strong"})
    add_seeds("vgg16", strength=0.5, spec={"resolution": 128})
    (forest,) = figures_of(Source(Leaderboard.of(results), results), names=["forest"])
    axis = forest.draft.draw().axes[0]
    ends = [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in axis.patches]
    (_, first_end), (second_begin, last_end) = sorted(ends)
    assert first_end < 1.5 < second_begin  # ground shows between them
    assert last_end < 3.5  # who is compared with nobody stands on the ground
    assert "Each shade" in forest.draft.caption

"""Rows made by other versions of the code: never averaged with current ones, shown and marked."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.records.row import Made
from benchmark.report.comparing.lookup import find
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.html.site import write_site
from benchmark.report.render import markdown
from benchmark.report.sections.legend import legend

OLD = {"training": "0"}
CHANGE = "training 0, now 1"
AGAIN = "`cxr-bench run --suite SUITE --rerun stale` makes them anew"


@pytest.fixture
def add_old(results, add):
    """Add a row as an older version of training made it."""

    def add_one(model, seed, **facts):
        made = add(model, seed, **facts)
        made = replace(made, code=made.code | OLD, finished="2025-01-01T00:00:00+00:00")
        results.write_row(made)
        return made

    return add_one


def said(results, *arguments) -> str:
    told = CliRunner().invoke(main, [*arguments, "--results", str(results.folder)])
    assert told.exit_code == 0, told.output
    return told.output


def test_seeds_of_two_versions_are_two_configurations(results, add, add_old):
    new = [add("cnn", seed) for seed in range(3)]
    old = [add_old("cnn", seed, strength=6.0) for seed in (3, 4, 5)]
    (table,) = gather(results)
    counted, other = sorted(table.configurations, key=lambda c: c.seeds)
    assert [run.row for run in counted.runs] == new
    assert [run.row for run in other.runs] == old
    assert counted.key == counted.config_id == other.config_id != other.key
    assert table.ranked == (counted,)
    assert (counted.stale, other.stale) == ("", CHANGE)
    assert table.obstacles == {
        other.key: "made by another version of the code (training 0): the same configuration made "
        "by training 1 counts in its place"
    }


def test_two_of_three_seeds_stay_two_where_the_third_is_of_another_version(results, add, add_old):
    for seed in range(2):
        add("cnn", seed)
    add_old("cnn", 2)
    text = write(results).read_text()
    assert "Not ranked, 2 of the 3 seeds that a comparison needs: cnn." in text
    assert (
        f"¶ Made by another version of the code ({CHANGE}); {AGAIN}: cnn \\[training 0\\]." in text
    )
    told = json.loads((results.folder / "leaderboard.json").read_bytes())["configurations"]
    assert {entry["stale"]: entry["seeds"] for entry in told} == {"": [0, 1], CHANGE: [2]}


def test_what_is_stale_throughout_is_ranked_and_marked(results, add_old):
    for seed in range(3):
        add_old("cnn", seed)
    text = write(results).read_text()
    assert "| – | cnn ¶ |" in text
    assert f"- ¶ Made by another version of the code ({CHANGE}); {AGAIN}: cnn." in text
    assert "| ¶ | Made by another version" in text
    with (results.folder / "leaderboard.csv").open(newline="") as file:
        assert [line["stale"] for line in csv.DictReader(file)] == [CHANGE]


def test_where_all_is_current_nothing_is_said(results, add_seeds):
    add_seeds("cnn")
    assert "¶" not in write(results).read_text()
    assert "¶" not in markdown.document(legend(cost=True))


def test_of_a_model_that_is_not_here_the_later_version_counts(results, add):
    for seed in range(6):
        version = {"model": "aaaa" if seed < 3 else "bbbb"}
        made = add("of_mine", seed, finished=f"2026-0{1 + (seed < 3)}-01T00:00:00+00:00")
        results.write_row(replace(made, code=made.code | version))
    (table,) = gather(results)
    counted, other = table.configurations
    assert (counted.seeds, counted.stale, counted.differs) == ([0, 1, 2], "", "")
    assert (other.seeds, other.stale, other.differs) == ([3, 4, 5], "", "model bbbb")
    assert table.ranked == (counted,)


def test_of_a_model_that_is_not_here_other_components_are_compared(results, add_old):
    add_old("of_mine", 0)
    (table,) = gather(results)
    assert table.configurations[0].stale == CHANGE


def test_show_and_compare_say_so_and_average_one_version(results, add, add_old):
    new = [add("cnn", seed) for seed in range(3)]
    add_old("cnn", 3, strength=6.0)
    config_id = new[0].config_id
    alone = find(results, config_id).configurations(results)
    page = said(results, "show", config_id)
    assert f"Note: seed 3 made by another version of the code: {CHANGE}." in page
    assert "not averaged with what was made by training 1" in page
    assert f"F1   {alone[0].measurements['test_f1'].mean:.3f} ±" in page
    assert [c.seeds for c in alone] == [[0, 1, 2], [3]]
    other, *_ = [add("mlp", seed) for seed in range(3)]
    told = said(results, "compare", config_id, other.config_id)
    assert "Note on A: seed 3 made by another version of the code, left out" in told


def test_each_version_has_a_page_of_its_own(results, add_seeds, add_old, tmp_path, monkeypatch):
    from benchmark.report.drawing import grounds
    from benchmark.report.html import row_figures

    monkeypatch.setattr(row_figures, "save_both", lambda *_: None)
    monkeypatch.setattr(grounds, "save_both", lambda *_: None)
    rows = add_seeds("cnn")
    add_old("cnn", 3)
    write_site(results, tmp_path)
    pages = {path.stem: path.read_text() for path in (tmp_path / "rows").glob("*.html")}
    assert len(pages) == 2
    (old,) = (text for name, text in pages.items() if name != rows[0].config_id)
    assert f"Made by another version of the code ({CHANGE})" in old
    assert "Not ranked: made by another version" in old
    assert "Made by another version" not in pages[rows[0].config_id]


def test_what_was_made_from_rows_that_were_made_anew_says_so(results, add):
    origin = add("cnn")
    made = Made(spec_id=origin.spec_id, weights_sha256="a" * 64)
    results.write_row(replace(origin, weights_sha256="a" * 64))
    row = add("mlp", made_from={"weights": made})
    assert "¶" not in write(results).read_text()
    results.write_row(replace(origin, weights_sha256="b" * 64))
    text = write(results).read_text()
    note = "¶ Made from rows that have been made anew since, seed 0 (weights); `cxr-bench run "
    assert f"- {note}--suite SUITE --rerun stale` makes them anew: mlp." in text
    assert "| mlp ¶ |" in text
    assert "made from rows that have been made anew since" in said(results, "show", row.spec_id)


def test_rows_that_are_not_here_count_as_they_were(results, add):
    made = Made(spec_id="0" * 12, predictions_sha256="a" * 64)
    add("mlp", made_from={"member:cnn": made})
    assert "¶" not in write(results).read_text()

"""The top of a table, as a run prints it in the end."""

from __future__ import annotations

from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.top import LINES, tops
from tests.report.made_rows import make_rare


def test_the_best_of_a_table_stand_in_the_terminal(results, add_seeds, add):
    strengths = {"cnn": 3.0, "mlp": 2.0, "resnet50": 1.0, "linear": 0.5, "vgg16": 0.3, "vit": 0.1}
    rows = {model: add_seeds(model, strength=s)[0] for model, s in strengths.items()}
    add("constant", failed="it crashed")
    board = Leaderboard.of(results)
    lines = list(tops(board, {rows["mlp"].config_id}))
    assert lines[0] == "\ntoy/official 1.0.0, 60 test images of 30 patients"
    assert lines[1].split()[:2] == ["Configuration", "Letters"]
    shown = [line.split()[0] for line in lines[2 : 2 + LINES]]
    assert shown == [c.spec.model for c in board.tables[0].configurations][:LINES]
    assert f"{board.tables[0].configurations[0].measurements['test_auc'].mean:.3f}" in lines[2]
    assert lines[-1] == "  and 1 more"


def test_tables_that_a_run_did_not_touch_are_left_out(results, add_seeds):
    add_seeds("cnn")
    assert list(tops(Leaderboard.of(results), {"another"})) == []


def test_a_narrow_window_folds_the_columns(results, add_seeds):
    row = add_seeds("cnn")[0]
    board = Leaderboard.of(results)
    lines = "\n".join(tops(board, {row.config_id}, 50)).split("\n")
    assert max(map(len, lines)) <= 50
    whole = "\n".join(tops(board, {row.config_id}))
    assert {"AUC", "Gap", "Seeds"} <= set(" ".join(lines).split()) & set(whole.split())


def test_of_several_findings_the_head_line_says_what_the_mean_is_of(
    results, add_seeds, make_protocol
):
    shared = make_protocol(findings=("effusion", "mass", "rare"))
    rows = add_seeds("cnn", shared=shared, kind="multilabel")
    head = "\ntoy/official 1.0.0, 60 test images of 30 patients, mean over "
    line = next(tops(Leaderboard.of(results), {rows[0].config_id}))
    assert line == f"{head}3 findings"
    make_rare(results, rows, "rare")
    line = next(tops(Leaderboard.of(results), {rows[0].config_id}))
    assert line == f"{head}2 of 3 findings: effusion, mass"

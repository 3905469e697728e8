"""The leaderboard as files: what it says, and that it says it of these files alone."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from msgspec.structs import replace

from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import History, StartingWeights
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.sections import splits
from benchmark.scoring import score
from benchmark.scoring.seeds import of_all
from tests.records.rows import counts_of
from tests.records.written import write_predictions
from tests.report.made_rows import make_rare

NAMES = ("LEADERBOARD.md", "leaderboard.csv", "leaderboard.json")


def contents(results) -> dict[str, bytes]:
    return {name: (results.folder / name).read_bytes() for name in NAMES}


def sections(markdown: str) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading."""
    found = {}
    for block in ("\n" + markdown).split("\n#")[1:]:
        title, _, text = block.partition("\n")
        found[title.lstrip("# ")] = text
    return found


def table_rows(text: str) -> list[list[str]]:
    """Cells of every line of every table, escaped pipes kept together."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")] for line in lines
    ]


def written(results, **options) -> str:
    return write(results, **options).read_text()


def test_same_files_give_the_same_bytes(results, add, add_seeds):
    add("constant", strength=0.0)
    add_seeds("cnn")
    write(results)
    first = contents(results)
    write(results)
    assert contents(results) == first
    for name in NAMES:
        (results.folder / name).unlink()
    for path in (results.folder / "scores").iterdir():
        path.unlink()
    write(results)
    assert contents(results) == first


def test_an_edited_prediction_file_changes_the_table_and_is_marked(results, add_seeds):
    rows = add_seeds("cnn")
    before = written(results)
    path = results.predictions_path(rows[1].spec_id)
    predictions = read_predictions(path, "binary")
    predictions.logits[-40:] = 0
    write_predictions(path, predictions)
    after = written(results)
    note = "† Predictions changed after the run; scored from the file as it is now: cnn, seed 1."
    assert note in after
    assert "| cnn † |" in after
    assert "| cnn † |" not in before
    entry = json.loads((results.folder / "leaderboard.json").read_bytes())["configurations"][0]
    assert entry["edited_seeds"] == [1]
    assert table_rows(after) != table_rows(before)


def test_a_training_that_was_ended_while_it_still_got_better_is_marked(results, add, add_seeds):
    add_seeds("mlp")
    for seed, last in enumerate((0.5, 0.9, 0.9)):
        aucs = [0.5, 0.5, 0.5, 0.5, last]
        add("cnn", seed, history=History(loss=[0.5] * 5, val_auc=aucs, best_epoch=4))
    text = written(results)
    assert "↗ Still improving when training ended: cnn, seed 1, 2." in text
    assert "| cnn ↗ |" in text
    assert "| mlp |" in text
    configurations = json.loads((results.folder / "leaderboard.json").read_bytes())
    seeds = {c["model"]: c["improving_seeds"] for c in configurations["configurations"]}
    assert seeds == {"cnn": [1, 2], "mlp": []}
    lines = csv.DictReader((results.folder / "leaderboard.csv").read_text().splitlines())
    assert {line["model"]: line["improving_seeds"] for line in lines} == {"cnn": "1|2", "mlp": ""}


def test_a_training_that_never_got_better_than_after_one_epoch_is_marked(results, add):
    for seed, best in enumerate((0, 4, 0)):
        add("cnn", seed, history=History(loss=[0.5] * 6, val_auc=[0.6] * 6, best_epoch=best))
    text = written(results)
    assert "↘ Never better on validation than after the first epoch: cnn, seed 0, 2." in text
    assert "| cnn ↘ |" in text
    entry = json.loads((results.folder / "leaderboard.json").read_bytes())["configurations"][0]
    assert entry["stalled_seeds"] == [0, 2]


@pytest.mark.parametrize("damage", ["truncated", "not gzip", "missing"])
def test_a_damaged_prediction_file_leaves_out_its_row_by_name(results, add_seeds, damage):
    rows = add_seeds("cnn")
    path = results.predictions_path(rows[2].spec_id)
    if damage == "missing":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"split,image_id\n")
    said = written(results)
    assert "**1 file cannot be used, and what should be in them is left out below:**" in said
    assert f"predictions/{path.name}" in said
    assert str(results.folder) not in said
    assert "2 finished runs" in said


def test_lines_lost_from_a_valid_gzip_change_the_hash(results, add_seeds):
    rows = add_seeds("cnn")
    path = results.predictions_path(rows[0].spec_id)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-7])))
    assert "cnn †" in written(results)


def test_two_protocols_never_share_a_table(results, add_seeds, make_protocol):
    for dataset in ("toy/official", "toy/internal"):
        add_seeds("cnn", shared=make_protocol(dataset))
    add_seeds("cnn", shared=make_protocol("toy/official", test_digest="f" * 64))
    markdown = written(results)
    tables = markdown.split('<a id="protocol-')[1:]
    assert len(tables) == 3
    for text in tables:
        rows = table_rows(text.split("\nOn the test split")[0])
        assert sum(row[1] == "cnn" for row in rows) == 1


def test_watermarked_rows_stand_apart(results, add_seeds, make_legacy):
    add_seeds("cnn")
    add_seeds("mlp", watermarks=["limited to 20 images of each split"])
    add_seeds("mlp", shared=make_legacy("legacy_s3"))
    found = sections(written(results))
    assert not any(row[1] == "mlp" for row in table_rows(found["toy/official 1.0.0"]))
    marked = [title for title in found if title.startswith("toy/official") and "**" in title]
    why = {title.partition(": ")[0]: title.split("**")[1].split()[0] for title in marked}
    assert why == {"toy/official 1.0.0": "limited", "toy/official 1.0.0 under legacy_s3": "legacy"}
    order = list(found)
    assert order.index("Not comparable: limited, smoke and legacy runs") < order.index(marked[0])


def test_a_part_of_a_set_says_so(results, add):
    made = add("cnn")
    assert "a part of the set" not in written(results)
    part = replace(made.dataset, fraction=0.0089, listed=112_120)
    results.write_row(replace(made, dataset=part))
    told = "real images, a part of the set: 0.9 % of the 112,120 that its tables list"
    assert told in written(results)


def test_failed_specs_are_listed_with_their_reason(results, add, add_seeds):
    add_seeds("cnn")
    for seed in range(2):
        add("resnet50", seed, failed="out of memory")
    add("unet", 0, status="not_runnable", failed="needs 96 px or more")
    text = sections(written(results))["toy/official 1.0.0"]
    stopped = table_rows(text.split("Did not finish")[1])[2:]
    assert stopped == [
        ["resnet50", "0, 1", "failed", "out of memory"],
        ["unet", "0", "not runnable", "needs 96 px or more"],
    ]
    assert "resnet50" not in text.split("Did not finish")[0]


def test_a_protocol_of_failures_alone_still_shows(results, add):
    add("cnn", failed="diverged")
    assert "| cnn | 0 | failed | diverged |" in written(results)


def test_fewer_than_three_seeds_are_shown_and_not_ranked(results, add, add_seeds):
    add_seeds("linear", strength=0.5)
    for seed in range(2):
        add("cnn", seed, strength=5.0)
    add("constant", strength=0.0)
    text = sections(written(results))["toy/official 1.0.0"]
    rows = {row[1]: row for row in table_rows(text) if len(row) == 12}
    assert rows["cnn"][0] == "2 of 3 seeds, not ranked yet"
    assert list(rows)[2] == "cnn"  # above the ranked ones: no constant stands first
    (of_table,) = [r for r in table_rows(sections(written(results))["All tables"]) if "toy" in r[0]]
    assert of_table[4] == "linear, constant; above these 1 with too few seeds"
    (table,) = gather(results)
    assert of_table[3] == f"{table.leading[0].measurements['test_auc'].mean:.3f}"
    assert rows["cnn"][8] == "2 of 3"
    assert rows["constant"][8] == "1 fixed"
    assert "Not ranked, 2 of the 3 seeds that a comparison needs: cnn." in text


def test_letters_tell_apart_within_a_family_and_baselines_stand_beside_it(results, add, add_seeds):
    add_seeds("weak", strength=0.2)
    add_seeds("strong", strength=6.0)
    add_seeds("strongish", strength=5.9)
    add_seeds("other_size", strength=6.0, spec={"resolution": 128})
    add("constant", strength=0.0)
    text = write(results).read_text()
    with (results.folder / "leaderboard.csv").open(newline="") as file:
        lines = {line["model"]: line for line in csv.DictReader(file)}
    letters = {model: line["letters"] for model, line in lines.items()}
    assert letters == {"strong": "a", "strongish": "a", "weak": "b", "constant": "",
                       "other_size": ""}  # fmt: skip
    assert lines["strong"]["provisional"] == "True"
    assert "| (a) | strong " in text
    assert "| – | constant " in text
    told = text.split("Within models, all else the same")[1]
    assert "told in 80 % of tries" in told
    ((number, same, smallest), *_) = table_rows(told)[2:]
    assert (number, "64 px" in same, float(smallest.split()[0]) > 0) == ("1", True, True)
    (table,) = json.loads((results.folder / "leaderboard.json").read_bytes())["tables"]
    (family,) = table["families"]
    assert family["axis"] == "models"
    assert family["same"]["resolution"] == "64"
    assert len(family["comparisons"]) == 3
    assert sum(family["comes_first"].values()) == pytest.approx(1)
    outside = {each["second"] for each in table["outside"]}
    assert outside == {lines[name]["config_id"] for name in ("constant", "other_size")} or (
        lines["other_size"]["config_id"] == table["outside"][0]["first"]
    )


def test_those_not_told_apart_from_the_best_are_of_every_family_of_it(results, add_seeds):
    for size, strength in ((64, 3.0), (128, 3.05), (224, 0.3)):
        add_seeds("cnn", strength=strength, suite="legacy_s0", spec={"resolution": size})
    (table,) = gather(results)
    assert {c.spec.resolution for c in table.leading} == {64, 128}
    assert table.leading[0] is table.ranked[0]
    (said,) = (
        line for line in written(results).splitlines() if "family" in line and "1 of" in line
    )
    assert "1 of the 2 others was not told apart from it: cnn (" in said  # by its sizes


def test_what_no_family_compares_with_the_best_is_told_apart_by_a_comparison_of_its_own(
    results, add_seeds
):
    for size, strength in ((64, 3.0), (128, 3.05), (224, 0.3)):
        add_seeds("cnn", strength=strength, spec={"resolution": size})
    (table,) = gather(results)
    assert not table.families
    of = {c.key: c.spec.resolution for c in table.ranked}
    best = table.ranked[0]
    held = {of[c.second]: c.interval for c in table.outside}
    alike = {size for size, (low, high) in held.items() if low <= 0 <= high}
    assert {c.spec.resolution for c in table.leading} == {best.spec.resolution} | alike
    assert {c.spec.resolution for c in table.leading} == {64, 128}
    text = written(results)
    assert "each compared with it alone, 1 was not told apart" in text
    assert "one comparison at 5 %, not corrected" in text


def test_what_a_choice_changes_is_paired_over_models(results, add_seeds):
    for size in (64, 128):
        for model in ("cnn", "mlp"):
            add_seeds(model, strength=1.0 if size == 64 else 4.0, spec={"resolution": size})
    add_seeds("linear")
    text = write(results).read_text()
    (table,) = json.loads((results.folder / "leaderboard.json").read_bytes())["tables"]
    (effect,) = table["effects"]
    assert (effect["axis"], effect["before"], effect["after"]) == ("size", "64", "128")
    assert (effect["helped"], effect["pairs"], sorted(effect["models"])) == (2, 2, ["cnn", "mlp"])
    assert effect["difference"] > 0.1
    assert "| size | 64 | 128 |" in text
    assert "2 of 2" in text


def test_numbers_are_means_over_seeds_of_the_scores(results, add_seeds):
    rows = add_seeds("cnn")
    write(results)
    entry = json.loads((results.folder / "leaderboard.json").read_bytes())["configurations"][0]
    scores = [
        score(
            read_predictions(results.predictions_path(row.spec_id), "binary"),
            predictions_sha256=row.predictions_sha256,
            seed_text=row.protocol.id,
        )
        for row in rows
    ]
    measured = entry["measurements"]
    for metric in ("auc", "f1", "accuracy", "sensitivity"):
        values = [s.splits["test"].metrics[metric] for s in scores]
        assert measured[f"test_{metric}"]["mean"] == pytest.approx(np.mean(values))
        assert measured[f"test_{metric}"]["seed_sd"] == pytest.approx(np.std(values, ddof=1))
    contents = [read_predictions(results.predictions_path(row.spec_id), "binary") for row in rows]
    limits = of_all(contents, scores).intervals
    for name, expected in limits.items():
        assert [measured[name]["low"], measured[name]["high"]] == pytest.approx(expected)
    parts = [measured[f"gap_auc_{p}"]["mean"] for p in ("train_minus_validation",
             "validation_minus_test")]  # fmt: skip
    assert sum(parts) == pytest.approx(measured["gap_auc"]["mean"])
    assert entry["train_seconds"] == pytest.approx(13.5)


def test_csv_and_json_agree_and_are_unrounded(results, add, add_seeds):
    add("constant", strength=0.0)
    add_seeds("cnn")
    write(results)
    entries = json.loads((results.folder / "leaderboard.json").read_bytes())["configurations"]
    with (results.folder / "leaderboard.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["config_id"] for line in lines] == [entry["config_id"] for entry in entries]
    for line, entry in zip(lines, entries, strict=True):
        for name, value in entry["measurements"].items():
            assert (float(line[name]) if line[name] else None) == value["mean"]
        assert line["seeds"] == "|".join(map(str, entry["seeds"]))


def test_no_cost_leaves_time_and_hardware_out(results, add_seeds):
    add_seeds("cnn")
    assert "Some CPU" in written(results)
    assert "Some CPU" not in written(results, cost=False)
    for data in contents(results).values():
        assert b"train_seconds" not in data
        assert b"Some CPU" not in data
        assert b"Hardware" not in data


def test_internal_against_published(results, add, add_seeds, make_protocol, monkeypatch):
    pairs = {
        "toy": ("toy/internal", "toy/official"),
        "toy/three": ("toy/internal_three", "toy/official_three"),
    }
    monkeypatch.setattr(splits, "PAIRS", pairs)
    for config, strength in (("official", 1.0), ("internal", 5.0)):
        add_seeds("cnn", shared=make_protocol(f"toy/{config}"), strength=strength)
        add_seeds("cnn", shared=make_protocol(f"toy/{config}_three"), strength=strength)
    add("mlp", shared=make_protocol("toy/official"))
    rows = table_rows(sections(written(results))["Internal against published split"])[2:]
    assert [row[:2] for row in rows] == [["toy", "cnn"], ["toy/three", "cnn"]]
    internal, published = (float(cell) for cell in rows[0][2:4])
    assert float(rows[0][4].partition("<br>")[0]) == pytest.approx(internal - published, abs=0.0011)
    assert internal > published
    text = written(results)
    assert "of toy differ by" in text
    assert "Left out" not in text
    add("mlp", shared=make_protocol("toy/internal"))
    assert "Left out of 2: 1 with too few seeds." in written(results)


def test_of_each_model_what_validation_chooses_stands_first(
    results, add_seeds, make_protocol, monkeypatch
):
    monkeypatch.setattr(splits, "PAIRS", {"toy": ("toy/internal", "toy/official")})
    for config in ("official", "internal"):
        for size, strength in ((64, 1.0), (128, 5.0)):
            shared = make_protocol(f"toy/{config}")
            add_seeds("cnn", shared=shared, strength=strength, spec={"resolution": size})
    text = sections(written(results))["Internal against published split"]
    first, folded = text.split("<details><summary>The other 1 configuration</summary>")
    assert [row[1] for row in table_rows(first)[2:]] == ["cnn (128 px)"]
    assert [row[1] for row in table_rows(folded)[2:]] == ["cnn (64 px)"]


def test_findings_outside_the_mean_are_named(results, add_seeds, make_protocol):
    shared = make_protocol(findings=("effusion", "rare"))
    rows = add_seeds("cnn", shared=shared, kind="multilabel")
    make_rare(results, rows, "rare")
    text = sections(written(results))["toy/official 1.0.0"]
    assert "- ‡ rare is not in the mean: " in text
    assert ["Configuration", "effusion", "rare ‡"] in table_rows(text)
    assert next(row for row in table_rows(text.split("AUC per finding")[1])[2:])[2] == "–"


def test_undefined_scores_are_dashes_with_a_reason(results, add_seeds, make_protocol):
    rows = add_seeds("cnn")
    for row in rows:
        path = results.predictions_path(row.spec_id)
        predictions = read_predictions(path, "binary")
        predictions.targets[:] = 0
        digest = write_predictions(path, predictions)
        made = replace(row, predictions_sha256=digest, counts=counts_of(predictions))
        results.write_row(made)
    text = sections(written(results))["toy/official 1.0.0"]
    row = next(row for row in table_rows(text) if row[1] == "cnn")
    assert (row[0], row[5], row[6]) == ("–", "–", "–")
    assert "No AUC and no F1, no finding has enough patients on test: cnn." in text


def test_names_from_data_cannot_break_the_document(results, add, add_seeds, make_protocol):
    nasty = "a|b`c<script>x</script>\n## h *x* [l](u) & \u202eend"
    shared = make_protocol(findings=(nasty, "other"), split=nasty)
    add_seeds("mlp", shared=shared, kind="multilabel")
    add("cnn", shared=shared, kind="multilabel", failed=nasty)
    markdown = written(results)
    assert "<script" not in markdown
    assert "\n## h" not in markdown
    assert "\u202e" not in markdown
    lines = markdown.splitlines()
    for before, line in itertools.pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert len(table_rows(before)[0]) == len(table_rows(line)[0])


def test_published_numbers_stand_apart(results):
    found = sections(written(results))
    text = found["Published numbers, not reproduced here"]
    assert "| Kermany pneumonia | published test split | Inception v3 |" in text
    assert "Hernia 0.9164" in text
    assert "Zech" in found["Known limits"]
    assert "`cxr-bench run --all`" in found["Leaderboard"]


def test_unchanged_results_need_no_heavy_import(results, add, add_seeds):
    add("constant", strength=0.0)
    add_seeds("cnn")
    write(results)
    code = (
        "import sys; from pathlib import Path\n"
        "from benchmark.records.store import Results\n"
        "from benchmark.report.export.leaderboard import write\n"
        "write(Results(Path(sys.argv[1])))\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'sklearn', 'scipy', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(results.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_few_patients_are_flagged_where_the_auc_is_high(results, add_seeds, make_protocol):
    add_seeds("good", strength=9.0)  # some 30 patients with a positive image
    add_seeds("fair", strength=1.0)
    text = sections(written(results))["toy/official 1.0.0"]
    cells = {row[1]: row[5] for row in table_rows(text) if len(row) == 12}
    assert cells["good"].endswith("]\xa0§")  # no line is broken before it
    assert "§" not in cells["fair"]


def test_members_of_a_family_are_called_by_what_differs_within_it(results, add_seeds):
    for size, strength in ((64, 1.0), (128, 3.0)):
        add_seeds("cnn", strength=strength, suite="legacy_s0", spec={"resolution": size})
    told = written(results).split("Within resolutions, all else the same")[1]
    assert table_rows(told)[2][1].startswith("cnn, preprocessing raw")
    rows = table_rows(told.split("minus that of another")[1])[2:4]
    assert [row[:2] for row in rows] == [["1", "128 px"], ["1", "64 px"]]


def test_what_a_configuration_is_behind_the_best_is_told_with_its_p(results, add, add_seeds):
    add_seeds("strong", strength=6.0)
    add_seeds("weak", strength=0.2)
    text = sections(written(results))["toy/official 1.0.0"]
    below = table_rows(text.split("AUC of the best of a family minus that of another")[1])[3]
    values = {r[1]: r[5] for r in table_rows(text) if len(r) == 12}
    difference = float(values["strong"][:5]) - float(values["weak"][:5])
    assert below[:2] == ["1", "weak"]
    assert float(below[3]) == pytest.approx(difference, abs=0.0011)
    assert below[5] == "&lt; 0.001"


def test_published_weights_are_named_with_their_licence(results, add):
    published = StartingWeights(
        files=[], source={"imagenet": "somewhere, MIT"}, features="computed once"
    )
    spec = {"scheme": "frozen", "weights": "imagenet"}
    add("resnet50", spec=spec, starting_weights=published)
    text = written(results)
    assert "- Published weights (imagenet; somewhere, MIT): resnet50." in text
    assert "- Backbone frozen, its features computed once: resnet50." in text
    row = next(row for row in table_rows(text) if row[1] == "resnet50" and len(row) == 12)
    assert row[4] == "imagenet (frozen)"
    add("cnn")
    assert "| cnn | 64 | raw | random |" in written(results)


def test_normalisation_is_said_where_it_differs_and_then_as_what_it_is(results, add_seeds):
    add_seeds("cnn")
    assert "unit" not in sections(written(results))["toy/official 1.0.0"]
    add_seeds("mlp", spec={"normalisation": "imagenet"})
    text = sections(written(results))["toy/official 1.0.0"]
    rows = {row[1]: row for row in table_rows(text) if len(row) == 12}
    assert rows["cnn"][3] == "raw, normalised: unit"
    assert rows["mlp"][3] == "raw, normalised: imagenet"


def test_recipes_are_said_of_every_model_where_a_table_has_several(results, add_seeds):
    add_seeds("cnn")
    add_seeds("mlp", spec={"recipe": {"name": "reference"}})
    text = sections(written(results))["toy/official 1.0.0"]
    rows = {row[1]: row for row in table_rows(text) if len(row) == 12}
    assert rows["cnn"][3] == "raw, unnamed recipe"
    assert rows["mlp"][3].startswith("raw, recipe reference")
    with (results.folder / "leaderboard.csv").open(newline="") as file:
        lines = {line["model"]: line for line in csv.DictReader(file)}
    assert {m: (lines[m]["recipe"], lines[m]["precision"]) for m in lines} == {
        "cnn": ("unnamed", "float32"),
        "mlp": ("reference", "float32"),
    }

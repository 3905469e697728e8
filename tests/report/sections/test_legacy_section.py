"""A legacy table: its faults, its claims, and the honest twin beside it."""

from __future__ import annotations

import re

import pytest

from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.sections.legacy import comparisons, is_legacy
from tests.report.made_rows import add_seeds, legacy, protocol

TWIN = "kermany_pneumonia/internal"


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    results = Results(tmp_path_factory.mktemp("results"))
    add_seeds(results, "mlp", shared=legacy("legacy_s3"), strength=6.0)
    add_seeds(results, "cnn", shared=legacy("legacy_s3"), strength=1.0)
    add_seeds(results, "mlp", shared=protocol(TWIN), strength=1.0)
    add_seeds(results, "cnn", shared=protocol(TWIN), spec={"augmentation": "flip"})
    return results


@pytest.fixture(scope="module")
def legacy_table(twins):
    tables = gather(twins)
    return next(table for table in tables if is_legacy(table)), tables


def test_the_twin_is_the_same_configuration_under_the_honest_protocol(legacy_table):
    each, tables = legacy_table
    found = {c.label: c for c in comparisons(each, tables)}
    honest = next(t for t in tables if t.protocol.dataset == TWIN)
    mlp = next(c for c in honest.configurations if c.spec.model == "mlp")
    assert found["mlp"].disjoint is mlp
    assert found["cnn"].disjoint is None, "another augmentation is another configuration"
    assert found["cnn"].disjoint_value("test_auc") is None


def test_what_sees_no_image_has_a_twin_whatever_was_copied(results, add):
    shared = legacy("legacy_s3")
    for policy in ("none", "copies_s3"):
        add("constant", shared=shared, strength=0, spec={"imbalance": policy})
    add("constant", shared=protocol(TWIN), strength=0)
    tables = gather(results)
    copied = next(table for table in tables if is_legacy(table))
    (constant,) = next(t for t in tables if t.protocol.dataset == TWIN).configurations
    assert [c.disjoint for c in comparisons(copied, tables)] == [constant, constant]


def test_the_rule_is_measured_on_the_saved_predictions(legacy_table):
    each, tables = legacy_table
    found = {c.label: c for c in comparisons(each, tables)}
    strong, weak = found["mlp"].rule, found["cnn"].rule
    assert 0.95 < strong["test"]["f1"] <= 1
    assert weak["test"]["f1"] < strong["test"]["f1"]
    runs = found["mlp"].legacy.runs
    of_train = [run.scores.by_rule["train"].accuracy for run in runs]
    assert strong["train"]["accuracy"] == pytest.approx(sum(of_train) / len(runs))
    assert found["mlp"].claim == "F1 0.967"


def test_the_page_tells_what_is_wrong_and_what_was_claimed(twins):
    text = write(twins).read_text()
    after = text.partition("What is wrong with legacy_s3:")[2]
    assert "copies of one image lie on both sides" in after
    header, _, first = [line for line in after.splitlines() if line.startswith("|")][:3]
    assert header.startswith("| Configuration | S3 says | Accuracy, its rule (train / test) |")
    assert re.match(r"\| mlp \| F1 0\.967 \| [01]\.\d{3} / [01]\.\d{3} \|", first)
    assert header.count("|") == first.count("|") == 10


def test_an_honest_table_has_no_such_section(results):
    add_seeds(results, "mlp")
    assert "What is wrong with" not in write(results).read_text()

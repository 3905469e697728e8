"""The section that sets the findings beside what else can be read from the same images."""

from __future__ import annotations

import csv
import json

import pytest
from msgspec.structs import replace

from benchmark.records.facts import ProbeFacts
from benchmark.records.store import Results
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.sections import splits
from benchmark.report.sections.attribute_prediction import METADATA, predicted_attributes
from benchmark.report.sections.splits import split_pairs
from benchmark.spec import Requirement
from tests.report.made_rows import add_seeds, protocol

NETWORK = Requirement("0123456789ab", "ba9876543210")
LUNGS = {"preprocessing": "lungs_removed", "requires": {"lungs": NETWORK}}
TOLD = ProbeFacts(
    field="view",
    values=["AP", "PA"],
    left_out={"unknown": {"train": 3, "validation": 0, "test": 1}},
)


def add_probe(results, model, dataset="toy/official", **facts):
    """Add a configuration that was asked for the view."""
    shared = protocol(dataset, findings=("view PA",), probe="view")
    asked = {"shared": shared, "spec": {"protocol": "probe:view"}}
    for made in add_seeds(results, model, **asked, **facts):
        results.write_row(replace(made, dataset=replace(made.dataset, probe=TOLD)))


@pytest.fixture(scope="module")
def probed(tmp_path_factory):
    """Findings and a probe of the view on whole images, the findings also without lungs."""
    results = Results(tmp_path_factory.mktemp("results"))
    for model, strength in (("cnn", 4.0), ("metadata_only", 1.0)):
        add_seeds(results, model, strength=1.0)
        add_probe(results, model, strength=strength)
    add_seeds(results, "cnn", strength=0.5, spec=LUNGS)
    add_seeds(results, "mlp")
    return results


def test_answers_of_one_model_stand_side_by_side(probed):
    (found,) = predicted_attributes(gather(probed))
    findings, view = found.asked
    assert (findings.question, view.question) == ("findings", "view")
    assert [*findings.answers] == ["Whole image", "Without lungs", METADATA]
    assert [*view.answers] == ["Whole image", METADATA]
    for asked in found.asked:
        for c in asked.answers.values():
            assert c.runs[0].row.protocol.id == asked.table.protocol.id
    aucs = [asked.answers["Whole image"].measurements["test_auc"].mean for asked in found.asked]
    assert aucs[1] > aucs[0]


def test_the_section_says_what_n_it_rests_on_and_probes_are_not_ranked_with_findings(probed):
    text = write(probed).read_text()
    section = text[text.index("## Attribute prediction") :]
    assert "| [pneumonia](#protocol-" in section
    assert "| [view: AP, PA](#protocol-" in section
    assert (
        "| Asked for | Model | Whole image | Without lungs | Metadata alone | Test images" in text
    )
    line = next(x for x in section.splitlines() if x.startswith("| [view"))
    assert line.count("<br>[") == 2  # intervals
    assert line.endswith("| 60 | 30 | 33 |")
    assert "mlp" not in section[: section.index("### toy/official")]
    assert "toy/official 1.0.0, attribute prediction: view" in text
    assert "Left out, images of values that are unknown" in text
    assert "unknown 3 + 0 + 1" in text
    findings, probe = (t.configurations for t in gather(probed))
    assert not {c.config_id for c in findings} & {c.config_id for c in probe}


def test_probes_are_told_apart_in_the_exports(probed):
    write(probed)
    with (probed.folder / "leaderboard.csv").open() as file:
        lines = [*csv.DictReader(file)]
    assert {(line["model"], line["probe"]) for line in lines} == {
        ("cnn", ""), ("cnn", "view"), ("metadata_only", ""), ("metadata_only", "view"), ("mlp", ""),
    }  # fmt: skip
    told = json.loads((probed.folder / "leaderboard.json").read_bytes())["shortcuts"]
    assert [entry["asked_for"] for entry in told] == ["findings", "view"]
    assert told[0]["answers"]["Without lungs"]["low"] is not None


def test_a_line_is_named_by_what_tells_probed_models_apart_alone(results):
    add_seeds(results, "cnn")
    add_seeds(results, "cnn", spec={"augmentation": "standard"})
    for attribute in ("view", "sex"):
        shared = protocol("toy/official", findings=(f"{attribute} A",), probe=attribute)
        add_seeds(results, "cnn", shared=shared, spec={"protocol": f"probe:{attribute}"})
    (found,) = predicted_attributes(gather(results))
    assert {(a.question, a.model) for a in found.asked} == {
        ("findings", "cnn"), ("view", "cnn"), ("sex", "cnn"),
    }  # fmt: skip


def test_probes_of_two_splits_are_no_pair(results, monkeypatch):
    monkeypatch.setattr(splits, "PAIRS", {"toy": ("toy/internal", "toy/official")})
    for name in ("toy/internal", "toy/official"):
        add_probe(results, "cnn", name)
    assert split_pairs(gather(results)) == []
    assert len(predicted_attributes(gather(results))) == 2


def test_without_probes_there_is_no_section(results):
    add_seeds(results, "cnn")
    text = write(results).read_text()
    assert "## Attribute prediction" not in text
    assert "shortcuts" not in json.loads((results.folder / "leaderboard.json").read_bytes())

"""Numbers, names and labels as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import counted, duration, interval, number, plain
from benchmark.report.gathering.labels import labels, preparation, ways
from benchmark.report.sections import references
from benchmark.report.sections.notes import trained
from benchmark.spec import Spec
from benchmark.training.recipe import make_recipe
from benchmark.training.recipes import with_named
from tests.records.rows import a_row, a_spec

UNKNOWN = ("preprocessing", "normalisation", "augmentation", "imbalance", "scheme", "weights")
"""Of a model of another tool."""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.98765, "0.988"), (-0.0531, "−0.053"), (-0.0001, "0.000"), (1.0, "1.000"), (None, "–")],
)
def test_number(value, text):
    assert number(value) == text


def test_one_patient_is_not_several():
    assert of_patients(1, unknown=False) == " of 1 patient"
    assert of_patients(1200, unknown=False) == " of 1,200 patients"


def test_one_thing_is_not_several():
    assert [counted(n, "group") for n in (0, 1, 2, 1200)] == [
        "0 groups", "1 group", "2 groups", "1,200 groups",
    ]  # fmt: skip


def test_a_sign_is_shown_on_request():
    assert [number(v, sign=True) for v in (0.02, -0.02, 0.0)] == ["+0.020", "−0.020", "0.000"]


def test_interval_is_empty_where_undefined():
    assert interval(None, None) == ""
    assert interval(0.1, 0.25) == "[0.100,\N{NO-BREAK SPACE}0.250]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8.21, "8.2 s"), (59.96, "1 min 00 s"), (192, "3 min 12 s"), (3599.6, "1 h 00 min"),
     (7500, "2 h 05 min"), (None, "–")],
)  # fmt: skip
def test_duration(seconds, text):
    assert duration(seconds) == text


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_plain_text_is_one_line_and_comes_back_as_it_was(text):
    shown = plain(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", shown)
    back = re.sub(r"\\([\\`*_\[\]|~#$])", r"\1", shown)
    back = back.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    expected = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    assert back == expected


def test_common_names_stay_readable():
    assert plain("kermany_pneumonia/official") == "kermany_pneumonia/official"
    assert plain("__init__") == "\\_\\_init\\_\\_"


DIGEST = "01234567" * 8


def spec(**changes) -> Spec:
    return a_spec(**{"recipe": {"epochs": 10, "rate": 0.001}} | changes)


def test_a_label_says_what_tells_the_specs_of_a_model_apart():
    found = labels(
        {
            "a": spec(),
            "b": spec(resolution=128, augmentation="standard"),
            "c": spec(model="mlp", seed=1),
            "d": spec(model="linear", recipe={"epochs": 10, "rate": 0.001}),
            "e": spec(model="linear", recipe={"epochs": 20, "rate": 0.001}),
            "f": spec(model="vgg16", recipe={"epochs": 10, "rate": 0.001, "clip_norm": 1.0}),
            "g": spec(
                model="vgg16",
                scheme="frozen",
                weights="imagenet",
                weights_sha256="0123456789ab" * 5 + "0123",
            ),
            "j": spec(
                model="vgg16", scheme="frozen", weights="imagenet", weights_sha256="76543210" * 8
            ),
            "h": spec(model="geometry_only"),
            "i": spec(model="geometry_only", shapes_sha256=DIGEST),
        }
    )
    assert found == {
        "a": "cnn (64 px)",
        "b": "cnn (128 px, augmented: standard)",
        "c": "mlp",
        "d": "linear (epochs 10)",
        "e": "linear (epochs 20)",
        "f": "vgg16 (scratch, clip_norm 1.0)",
        "g": "vgg16 (frozen, from imagenet, weight file 01234567)",
        "j": "vgg16 (frozen, from imagenet, weight file 76543210)",
        "h": "geometry_only",
        "i": "geometry_only (shapes of files 01234567)",
    }


def test_a_weight_file_is_named_only_beside_another():
    frozen = {"scheme": "frozen", "weights": "imagenet", "weights_sha256": DIGEST}
    assert labels({"a": spec(), "b": spec(**frozen)}) == {
        "a": "cnn (scratch)",
        "b": "cnn (frozen, from imagenet)",
    }


def test_values_of_a_recipe_are_compared_among_those_of_one_name():
    named = make_recipe(with_named({"name": "reference"})).as_dict()
    found = labels(
        {
            "own": spec(),
            "named": spec(recipe=named),
            "shorter": spec(recipe=named | {"epochs": 5}, resolution=128),
            "probe": spec(recipe={}, scheme="linear_probe", weights="imagenet", imbalance=""),
        }
    )
    assert found == {
        "own": "cnn (64 px, scratch)",
        "named": "cnn (64 px, scratch, recipe reference)",
        "shorter": "cnn (128 px, scratch, recipe reference, epochs 5)",
        "probe": "cnn (64 px, linear_probe, from imagenet)",
    }


def test_preparation_leaves_defaults_unsaid():
    assert preparation(spec()) == "raw, normalised: unit"
    assert preparation(spec(), normalised=False) == "raw"
    weighted = spec(imbalance="weighted")
    assert preparation(weighted, normalised=False) == "raw, imbalance: weighted"
    blind = {"preprocessing": "", "normalisation": "", "augmentation": "", "imbalance": "none"}
    assert preparation(spec(**blind)) == "–"


def test_what_is_not_known_of_a_model_of_another_tool_makes_no_difference():
    theirs = spec(model="theirs", recipe={}, **dict.fromkeys(UNKNOWN, ""))
    assert ways({"ours": spec(), "theirs": theirs}) == {"ours": "", "theirs": ""}
    others = {"unit": spec(), "imagenet": spec(normalisation="imagenet"), "theirs": theirs}
    said = {"unit": "normalised: unit", "imagenet": "normalised: imagenet", "theirs": ""}
    assert ways(others) == said


def test_references_carry_a_protocol_and_a_source():
    entries = references.references()
    assert all(entry.protocol and entry.source and entry.result for entry in entries)
    chexnet = next(entry for entry in entries if "CheXNet" in entry.model)
    mean = sum(chexnet.per_finding_auc.values()) / 14
    assert len(chexnet.per_finding_auc) == 14
    assert f"{mean:.3f}" in chexnet.result


def test_a_named_recipe_is_told_by_its_name_and_what_is_not_its_own():
    def named(**values):
        made = make_recipe(with_named({"name": "reference"} | values))
        return a_spec(recipe=made.as_dict())

    usual = make_recipe().weight_decay
    specs = {
        "plain": named(),
        "small": named(batch_size=16),
        "light": named(weight_decay=usual),
        "short": a_spec(recipe=make_recipe(with_named({"name": "short"})).as_dict()),
    }
    said = {key: label.partition(" ")[2] for key, label in labels(specs).items()}
    assert said["plain"] == "(recipe reference)"
    assert said["small"] == "(recipe reference, batch_size 16)"
    assert said["light"] == f"(recipe reference, weight_decay {usual})"
    assert said["short"] == "(recipe short)"
    together = labels({key: specs[key] for key in ("plain", "small")})
    assert together == {"plain": "cnn", "small": "cnn (batch_size 16)"}


def test_how_a_row_was_trained_names_the_recipe_and_what_it_adds():
    values = {"name": "reference", "label_smoothing": 0.1, "epochs": 40}
    row = a_row(a_spec(recipe=make_recipe(with_named(values)).as_dict()))
    assert trained(row).startswith(
        "Trained by the recipe reference, adamw at 0.001 (cosine, 10% of all steps of warm-up) in "
        "batches of 64, at most 40 epochs, patience 6, weight decay 0.05 of kernels, labels "
        "smoothed by 0.1, weights averaged (by 1/e in 1 epoch), float32 on "
    )
    usual = a_row(a_spec(recipe=make_recipe().as_dict()))
    assert trained(usual).startswith(
        "Trained by adam at 0.001 (cosine, 100 steps of warm-up) in batches of 32, at most 10 "
        "epochs, patience 3, float32 on "
    )

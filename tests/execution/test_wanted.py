"""A filter that names what there is not is refused at once, also beside values that there are."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.errors import UnknownName, UserError
from benchmark.models import discover
from benchmark.planning.wanted import check_wanted
from benchmark.suites import load_suite, parse_filter, suites
from benchmark.suites.filters import FILTER_KEYS
from tests.execution.conftest import make_suite

MODELS = discover()
KNOWN = {
    "dataset": "thorax_phantom/small",
    "protocol": "published",
    "kind": "classifier",
    "model": "linear",
    "size": "16",
    "preprocessing": "raw",
    "normalisation": "unit",
    "imbalance": "none",
    "scheme": "scratch",
    "weights": "random",
    "augmentation": "none",
    "precision": "float32",
    "seed": "1",
}


def check(text, *of):
    check_wanted(parse_filter(text), of or [make_suite(["linear", "constant"], seeds=(1,))], MODELS)


def test_every_key_is_tried():
    assert KNOWN.keys() | {"id"} == FILTER_KEYS.keys()


@pytest.mark.parametrize("key", KNOWN)
def test_a_value_that_nothing_has_is_refused_also_beside_one_that_something_has(key):
    check(f"{key}={KNOWN[key]}")
    for text in (f"{key}=nonsense", f"{key}={KNOWN[key]}|nonsense"):
        with pytest.raises(UnknownName, match="'nonsense'") as told:
            check(text)
        assert KNOWN[key] in str(told.value).partition("Choices:")[2]


def test_what_there_is_elsewhere_is_refused_where_these_suites_have_it_not():
    for text, choices in (
        ("model=linear|cnn", "constant, linear"),
        ("dataset=thorax_phantom/small|thorax_phantom/default", "thorax_phantom/small"),
    ):
        with pytest.raises(UnknownName, match=rf"in the filter .* Choices: {choices}\."):
            check(text)
    with pytest.raises(UnknownName, match=r"Did you mean 'linear'\?.*your own: --models-dir"):
        check("model=linaer")


@pytest.mark.parametrize("name", suites())
def test_of_a_value_that_only_other_suites_have_these_are_named(name):
    """Models and ensembles, data sets, protocols and choices, each asked of a suite without it."""
    of, empty = load_suite(name), make_suite(["constant"], datasets=["thorax_phantom/none"])
    asked = {"model": of.models(MODELS), "dataset": [dataset for dataset, _ in of.datasets]}
    asked["model"] = {*asked["model"], *(ensemble.name for ensemble in of.ensembles)}
    asked["protocol"] = [protocol for _, protocol in of.datasets if "*" not in protocol]
    for key, values in asked.items():
        for value in {*values} - {"constant", "published"}:
            with pytest.raises(UnknownName, match=rf"{key} in the filter '{value}'") as told:
                check(f"{key}={value}", empty)
            said = str(told.value)
            assert "--models-dir" not in said
            listed = said.partition("(--suite NAME): ")[2].partition(". Choices")[0]
            assert name in listed or " more" in listed, said


def test_a_slip_in_the_name_of_another_suite_s_ensemble_is_one():
    with pytest.raises(UnknownName, match=r"Did you mean 'vote_reference'\?"):
        check("model=vote_refrence")


def test_a_choice_of_another_suite_is_told_and_one_of_none_is_not():
    with pytest.raises(UnknownName, match=r"have it \(--suite NAME\): .*pneumonia_lungs"):
        check("preprocessing=lung_masked")
    with pytest.raises(UnknownName) as told:
        check("size=17")
    assert "Suites that have it" not in str(told.value)


def test_what_sees_no_image_is_filtered_by_its_size_and_its_only_seed(bench):
    check("size=0,seed=0")
    suite = make_suite(["linear", "constant"], seeds=(1,))
    plan = bench.plan(suite, wanted=parse_filter("size=0,seed=0"))
    assert [p.spec.model for p in plan.specs] == ["constant"]


def test_a_protocol_is_one_of_the_suite_s():
    probes = make_suite(["linear"], datasets=["thorax_phantom/small@probe:*"])
    check("protocol=probe:sex|probe:age", probes)
    for text in ("protocol=published", "protocol=probe:sex|without:Normal"):
        with pytest.raises(UnknownName, match=r"protocol in the filter .*probe:\*"):
            check(text, probes)


def test_filters_are_joined_and_a_key_is_named_once(bench):
    suite = make_suite(["linear", "mlp"], seeds=(0, 1))
    wanted = parse_filter("model=mlp,seed=1")
    (planned,) = bench.plan(suite, wanted=wanted).specs
    assert [
        p.spec for p in bench.plan(suite, wanted=parse_filter(f"id={planned.spec.spec_id}")).specs
    ] == [planned.spec]
    for ids in ("000000000000", f"{planned.spec.spec_id}|000000000000"):
        with pytest.raises(UserError, match="has the id '000000000000'"):
            bench.plan(suite, wanted=parse_filter(f"id={ids}"))
    with pytest.raises(UserError, match=r"names model twice.*'model=cnn\|mlp'"):
        parse_filter("model=cnn,size=64,model=mlp")


def test_several_filters_must_all_hold(tmp_path):
    words = ["run", "--suite", "reference", "--results", str(tmp_path), "--dry-run"]
    words += ["--filter", "model=cnn", "--filter"]
    for last, said in (
        ("size=46", "unknown size in the filter"),
        ("model=mlp", "names model twice"),
    ):
        told = CliRunner().invoke(main, [*words, last])
        assert (told.exit_code, said in told.output) == (2, True)


@pytest.mark.parametrize("name", suites())
def test_what_a_suite_names_may_be_asked_of_it(name):
    suite = load_suite(name)
    for model in suite.models(MODELS):
        for variant, seeds in suite.points(model):
            wanted = {field: {str(value)} for field, value in variant.items()}
            wanted |= {"model": {model}, "seed": set(map(str, seeds))}
            check_wanted(wanted, [suite], MODELS)
    for ensemble in suite.ensembles:
        check(f"model={ensemble.name}", suite)


def test_nothing_is_prepared_for_a_filter_that_is_refused(tmp_path):
    words = ["run", "--suite", "phantom", "--filter", "size=64|46"]
    words += ["--data-dir", str(tmp_path), "--results", str(tmp_path / "r")]
    told = CliRunner().invoke(main, words)
    assert (told.exit_code, [*tmp_path.iterdir()]) == (2, [])
    assert "unknown size in the filter '46'" in told.output

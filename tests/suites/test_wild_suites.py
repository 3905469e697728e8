"""Suite files with anything at all in the place of a value: a suite, or one message for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmark.errors import UserError
from benchmark.spec import Spec
from benchmark.suites import parse_suite
from benchmark.training.recipe import Recipe, make_recipe
from tests.records.rows import a_spec

AXES = {
    "resolutions": "[64]", "preprocessing": '["raw"]', "normalisation": '["unit"]',
    "imbalance": '["none"]', "scheme": '["scratch"]', "weights": '["random"]',
    "augmentation": '["none"]', "seeds": "[0]",
}  # fmt: skip
RECIPE = {field.name: json.dumps(field.default) for field in fields(Recipe)}
VOTE = {"name": '"vote"', "kind": '"soft_vote"', "members": '["cnn", "mlp"]', "weights": "[1, 2]"}
JOINED = {
    "name": '"joined"', "kind": '"joined_features"', "members": '["cnn", "mlp"]', "k": "2",
    "recipe": dict(RECIPE),
}  # fmt: skip
OTHER = {
    "name": '"other"', "kind": '"specialist"', "members": '["cnn"]', "k": "2", "second": '"cnn"',
}  # fmt: skip
GOOD = {
    "title": '"t"', "description": '"d"', "run_all": "true", "budget_minutes": "5",
    "families": '["models"]',
    "matrix": {"datasets": '["a/b"]', "models": '["cnn", "mlp"]', **AXES},
    "matrix_for": {"cnn": dict(AXES)},
    "recipe": dict(RECIPE),
    "recipe_for": {"cnn": dict(RECIPE), "cnn@64": {"epochs": "1"}, "*@64": {"epochs": "1"}},
    "ensembles": {"0": VOTE, "1": JOINED, "2": OTHER},
    "lungs": {"suite": '"lungs"', "model": '"unet"'},
}  # fmt: skip
"""Literals of TOML for every key that a suite may have; of ensembles one for each way of keys."""
ODD = ["1" + 400 * "0", "-1" + 5000 * "0", "0x" + 5000 * "f", str(2**63 - 1), "nan", "-inf", "inf",
       "-1", "0", "1", "1e13", "1e308", "1e400", "true", '""', "[]", "{}", "[{}]", "1979-05-27",
       "07:32:00", '"*"', '["*"]', '["cnn", "*"]', '"from:0123456789ab"', '["a@b"]', '["@"]',
       '["../x"]', '["\\u0000"]', '"reference"', '["finetune"]', '["imagenet"]', '{"*" = {}}',
       "[" * 300 + "]" * 300]  # fmt: skip


def table(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} = {value}" for key, value in values.items()) + "}"


LEAVES = st.one_of(
    st.sampled_from(ODD),
    st.integers().map(str),
    st.floats().map(repr),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
        st.dictionaries(st.text(max_size=4), inner, max_size=3).map(table),
    ),
    max_leaves=4,
)


def places(values: Mapping, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a file and of its tables."""
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


PLACES = [*places(GOOD)]


def file_with(changes: Mapping[tuple[str, ...], str]) -> str:
    """The text of the good file after a change of some literals."""
    values = deepcopy(GOOD)
    for place, literal in sorted(changes.items(), reverse=True):  # what is within before the whole
        at = values
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = literal
    return "".join(f"{key} = {_literal(value, key)}\n" for key, value in values.items())


def _literal(value: str | Mapping, key: str = "") -> str:
    if isinstance(value, str):
        return value
    inner = {name: _literal(each) for name, each in value.items()}
    return f"[{', '.join(inner.values())}]" if key == "ensembles" else table(inner)


def read(text: str) -> bool:
    """Whether a text is taken as a suite, all of which can be planned then."""
    try:
        suite = parse_suite("wild", "wild.toml", text)
    except UserError:
        return False
    for model in (*suite.named_models, *suite.matrix_for):
        for variant, seeds in suite.points(model):
            assert seeds
            recipe = make_recipe(*suite.recipe_values(model, variant["resolution"])).as_dict()
            for seed in seeds:
                check_kept(a_spec(**variant, recipe=recipe, seed=seed))
    for ensemble in suite.ensembles:
        assert ensemble.rule
        if {*ensemble.members, ensemble.second or "cnn"} <= {"cnn", "mlp"}:  # a plan knows others
            check_kept(a_spec(model=ensemble.name, ensemble=ensemble.rule))
            check_kept(a_spec(recipe=make_recipe(ensemble.recipe).as_dict()))
    return True


def check_kept(spec: Spec) -> None:
    """Whatever a suite may say can be read back from a row."""
    assert msgspec.json.decode(msgspec.json.encode(spec), type=Spec) == spec


def test_the_good_file_is_taken():
    assert read(file_with({}))


@pytest.mark.parametrize(
    "literal", [*ODD, "[[]]", '["soft_vote"]', "{ a = 1 }"], ids=lambda x: x[:20]
)
def test_odd_values_are_taken_or_explained_wherever_they_stand(literal):
    for place in PLACES:
        read(file_with({place: literal}))
        read(file_with({place: f"[{literal}]"}))


@given(st.dictionaries(st.sampled_from(PLACES), VALUES, min_size=1, max_size=2))
@example({("ensembles", "0", "weights"): f"[1{400 * '0'}, 1]"})
@settings(max_examples=300, deadline=None)
def test_wild_values_are_taken_or_explained(changes):
    read(file_with(changes))


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_is_a_crash(text):
    read(text)

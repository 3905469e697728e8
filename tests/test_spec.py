"""What a spec is known by: its ids, and what is in them and what is not."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from benchmark.hashing import canonical_json, sha256
from benchmark.naming import MODELS
from benchmark.planning.ensemble_specs import ensemble_specs
from benchmark.spec import DATASET, MEMBER, PUBLISHED, EnsembleRule, Requirement, Spec, requirement
from benchmark.suites.ensembles import Ensemble
from tests.records.rows import a_row, a_spec

LATER = {
    "protocol", "limit", "memory_fallback", "ensemble", "weights_sha256", "shapes_sha256",
    "no_test", "requires",
}  # fmt: skip
"""Fields with a default."""
FIRST = {
    "kind", "dataset", "dataset_version", "manifest_sha256", "model", "resolution",
    "preprocessing", "normalisation", "imbalance", "scheme", "weights", "augmentation", "recipe",
    "precision", "seed",
}  # fmt: skip
OTHER = {
    "kind": "masks",
    "manifest_sha256": "f" * 64,
    "recipe": {"batch_size": 32, "epochs": 3},
    "limit": 7,
    "memory_fallback": True,
    "ensemble": EnsembleRule(rule="hard_vote"),
    "weights_sha256": "e" * 64,
    "shapes_sha256": "d" * 64,
    "no_test": True,
    "requires": {"lungs": Requirement("0" * 12, "1" * 12)},
}


def other(field: str) -> Any:
    """A value of a field that is not that of :func:`a_spec`."""
    value = getattr(a_spec(), field)
    return OTHER[field] if field in OTHER else value + ("x" if isinstance(value, str) else 1)


hexadecimal = st.text("0123456789abcdef", min_size=12, max_size=12)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.text(max_size=8)
models, sets = (st.from_regex(pattern, fullmatch=True) for pattern in (MODELS.pattern, DATASET))
choices = st.text("abc_1", max_size=8)
values = st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12) | names
rules = st.builds(
    EnsembleRule,
    rule=st.none() | st.sampled_from(["soft_vote", "hard_vote", "best_mean"]),
    weights=st.none() | st.dictionaries(models, st.floats(0.01, 100), max_size=3),
    k=st.none() | st.integers(2, 9),
    second=st.none() | models,
)
specs = st.builds(
    Spec,
    kind=st.sampled_from(["classifier", "vote", "masks", "specialist", "external"]),
    dataset=sets,
    dataset_version=names,
    manifest_sha256=hashes,
    model=models,
    resolution=st.integers(0, 2048),
    preprocessing=choices,
    normalisation=choices,
    imbalance=choices,
    scheme=choices,
    weights=choices | hexadecimal.map("from:{}".format),
    augmentation=choices,
    recipe=st.dictionaries(names, values, max_size=4),
    precision=choices,
    seed=st.integers(0, 2**32),
    protocol=names | st.just("-published-").map(lambda text: text.strip("-")),
    limit=st.none() | st.integers(1, 10_000),
    memory_fallback=st.booleans(),
    ensemble=st.none() | rules,
    weights_sha256=st.none() | hashes,
    shapes_sha256=st.none() | hashes,
    no_test=st.booleans(),
    requires=st.dictionaries(
        st.sampled_from(["lungs", "network", "member:cnn", "member:mlp"]),
        st.builds(Requirement, hexadecimal, hexadecimal),
    ),
)


def turned(value: Any) -> Any:
    """The same values with the keys of every table in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return value


def test_the_ids_of_a_spec_never_change():
    # Rows are found by these ids: whoever changes them orphans those of everybody.
    assert (a_spec().spec_id, a_spec().config_id) == ("acc67496e9c1", "68ff8668d57b")


def test_an_id_is_the_hash_of_what_a_spec_says():
    spec = a_spec(seed=3, limit=5)
    said = json.loads(json.dumps(spec.as_dict()))
    assert spec.spec_id == sha256(canonical_json(said))[:12]
    del said["seed"]
    assert spec.config_id == sha256(canonical_json(said))[:12]


@pytest.mark.parametrize("field", Spec.__struct_fields__)
def test_every_field_is_in_the_id_and_only_the_seed_is_not_in_that_of_the_configuration(field):
    changed = structs.replace(a_spec(), **{field: other(field)})
    assert changed.spec_id != a_spec().spec_id
    assert (changed.config_id == a_spec().config_id) == (field == "seed")


def test_nothing_of_the_machine_or_of_the_code_is_in_a_spec():
    assert {*Spec.__struct_fields__} == FIRST | LATER


@given(specs)
@settings(max_examples=200, deadline=None)
def test_a_spec_that_is_written_and_read_is_the_same(spec):
    ways = [
        msgspec.json.decode(msgspec.json.encode(spec), type=Spec),
        Spec.from_dict(json.loads(canonical_json(spec.as_dict()))),
        Spec.from_dict(json.loads(json.dumps(spec.as_dict(), indent=1))),
        pickle.loads(pickle.dumps(spec)),
        copy.deepcopy(spec),
        structs.replace(spec),
    ]
    for read in ways:
        assert read == spec
        assert (read.spec_id, read.config_id) == (spec.spec_id, spec.config_id)
        assert read.as_dict() == spec.as_dict()


@given(specs)
@settings(max_examples=100, deadline=None)
def test_ids_do_not_depend_on_the_order_of_keys(spec):
    read = Spec.from_dict(turned(spec.as_dict()))
    assert (read.spec_id, read.config_id) == (spec.spec_id, spec.config_id)


@given(specs, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_seed_is_not_in_the_id_of_the_configuration(spec, seed):
    reseeded = structs.replace(spec, seed=seed)
    assert reseeded.config_id == spec.config_id
    assert (reseeded.spec_id == spec.spec_id) == (seed == spec.seed)


@given(specs)
@settings(max_examples=100, deadline=None)
def test_what_a_spec_requires_is_in_its_configuration_by_configuration(spec):
    requires = {
        role: structs.replace(each, spec_id=each.spec_id[::-1])
        for role, each in spec.requires.items()
    }
    reseeded = structs.replace(spec, requires=requires)
    assert reseeded.config_id == spec.config_id
    assert (reseeded.spec_id == spec.spec_id) == (requires == spec.requires)


# --- fields that come later -----------------------------------------------------------------------


def test_a_field_with_a_default_is_left_out_where_it_has_it():
    assert a_spec().as_dict().keys() == FIRST
    for field in LATER:
        said = structs.replace(a_spec(), **{field: other(field)}).as_dict()
        assert said.keys() == FIRST | {field}


def test_a_default_that_is_written_out_is_the_default():
    """Also where its text is another object, as whatever was read from a file is."""
    written = {
        "protocol": "".join(["publi", "shed"]), "limit": None, "memory_fallback": False,
        "ensemble": None, "weights_sha256": None, "shapes_sha256": None, "no_test": False,
        "requires": {},
    }  # fmt: skip
    assert written.keys() == LATER
    assert written["protocol"] == PUBLISHED
    assert written["protocol"] is not PUBLISHED
    for spec in (
        a_spec(**written),
        structs.replace(a_spec(), **written),
        Spec.from_dict(a_spec().as_dict() | written),
        msgspec.json.decode(json.dumps(a_spec().as_dict() | written), type=Spec),
    ):
        assert spec.as_dict() == a_spec().as_dict()
        assert (spec.spec_id, spec.config_id) == (a_spec().spec_id, a_spec().config_id)
        assert msgspec.json.encode(spec) == msgspec.json.encode(a_spec())


class LaterSpec(Spec, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A spec as it may be one day."""

    smoothing: float | None = None
    averaging: str = "none"


@given(specs)
@settings(max_examples=50, deadline=None)
def test_a_field_that_comes_later_leaves_the_ids_of_earlier_specs(spec):
    later = LaterSpec.from_dict(spec.as_dict())
    assert later.as_dict().keys() == spec.as_dict().keys()
    assert (later.spec_id, later.config_id) == (spec.spec_id, spec.config_id)
    assert structs.replace(later, averaging="".join(["no", "ne"])).spec_id == spec.spec_id
    assert structs.replace(later, smoothing=0.1).spec_id != spec.spec_id


@pytest.mark.parametrize(
    "values",
    [
        {"threads": 2},
        {"backend": "jax"},
        {"kind": "Classifier"},
        {"kind": "../classifier"},
        {"manifest_sha256": "short"},
        {"manifest_sha256": "G" * 64},
        {"resolution": -1},
        {"resolution": "64"},
        {"seed": -1},
        {"seed": True},
        {"limit": 0},
        {"recipe": {"epochs": [1]}},
        {"recipe": {"epochs": True}},
        {"requires": {"lungs": "0" * 12}},
        {"requires": {"lungs": {"spec_id": "../../x", "config_id": "0" * 12}}},
        {"ensemble": {"kind": "vote"}},
        {"model": None},
    ],
    ids=str,
)
def test_what_is_no_spec_is_not_read_as_one(values):
    with pytest.raises(msgspec.ValidationError):
        Spec.from_dict(a_spec().as_dict() | values)


@pytest.mark.parametrize("field", sorted(FIRST))
def test_a_spec_with_something_missing_is_not_read(field):
    said = a_spec().as_dict()
    del said[field]
    with pytest.raises(msgspec.ValidationError, match=field):
        Spec.from_dict(said)


# --- what a spec says of itself -------------------------------------------------------------------


def test_a_spec_names_all_that_it_is_made_from():
    lungs, member = Requirement("1" * 12, "2" * 12), Requirement("3" * 12, "4" * 12)
    requires = {"lungs": lungs, MEMBER + "mlp": member, MEMBER + "cnn": lungs}
    spec = a_spec(requires=requires, weights="from:0123456789ab", scheme="continue")
    assert spec.required_ids == {
        "lungs": "1" * 12, "member:mlp": "3" * 12, "member:cnn": "1" * 12,
        "weights": "0123456789ab",
    }  # fmt: skip
    assert list(spec.members.items()) == [("cnn", "1" * 12), ("mlp", "3" * 12)]
    assert spec.origin == "0123456789ab"
    assert a_spec().origin == ""
    assert a_spec().required_ids == a_spec().members == {}


def test_the_images_that_are_in_memory_at_a_time_follow_from_the_recipe():
    assert a_spec(recipe={"batch_size": 32}).micro_batch == 32
    assert a_spec(recipe={"batch_size": 32, "accumulate": 4}).micro_batch == 8
    assert a_spec(recipe={}).micro_batch == 0


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "toy/official cnn 64px seed 0"),
        (
            {"scheme": "frozen", "weights": "imagenet", "precision": "mixed_bfloat16"},
            "toy/official cnn 64px [frozen, imagenet, mixed_bfloat16] seed 0",
        ),
        (
            {"normalisation": "imagenet", "scheme": "frozen", "weights": "imagenet"},
            "toy/official cnn 64px [normalised: imagenet, frozen, imagenet] seed 0",
        ),
        (
            {"protocol": "legacy_s3", "augmentation": "flip", "seed": 2},
            "toy/official@legacy_s3 cnn 64px [flip] seed 2",
        ),
        (
            {"memory_fallback": True, "recipe": {"batch_size": 32, "accumulate": 2}},
            "toy/official cnn 64px [16 images at a time] seed 0",
        ),
        (
            {"resolution": 0, "precision": "", "scheme": "", "weights": "", "preprocessing": ""},
            "toy/official cnn seed 0",
        ),
    ],
)
def test_the_label_names_what_is_not_usual(changes, label):
    assert a_spec(**changes).label == label


def test_a_row_holds_the_ids_of_its_spec():
    assert a_row().contradiction() == ""
    for field in ("spec_id", "config_id"):
        wrong = structs.replace(a_row(), **{field: "0" * 12})
        assert field in wrong.contradiction()


# --- ensembles ------------------------------------------------------------------------------------

SEEDS = (0, 1, 2)


def ensembles(ensemble: Ensemble, **members: list[Spec]) -> list[Spec]:
    return ensemble_specs(
        ensemble,
        members,
        fixed=lambda spec: spec.model == "constant",
        seeds=(),
        training=lambda spec: {},
    )


def of_seeds(model: str, seeds=SEEDS, **changes) -> list[Spec]:
    return [a_spec(model=model, seed=seed, **changes) for seed in seeds]


@given(st.permutations(SEEDS), st.permutations(SEEDS))
@settings(deadline=None)
def test_ensembles_of_all_seeds_are_one_configuration(first, second):
    vote = Ensemble("vote", "soft_vote", ("cnn", "mlp"))
    made = ensembles(vote, cnn=of_seeds("cnn", first), mlp=of_seeds("mlp", second))
    assert len({spec.config_id for spec in made}) == 1
    assert len({spec.spec_id for spec in made}) == 3
    for spec in made:
        assert spec.requires == {
            MEMBER + name: requirement(a_spec(model=name, seed=spec.seed))
            for name in ("cnn", "mlp")
        }


def test_a_member_without_chance_is_the_same_beside_every_seed():
    vote = Ensemble("vote", "soft_vote", ("cnn", "constant"))
    made = ensembles(vote, cnn=of_seeds("cnn"), constant=of_seeds("constant", (0,), resolution=0))
    assert len({spec.members["constant"] for spec in made}) == 1
    assert len({spec.config_id for spec in made}) == 1


def test_ensembles_of_other_members_are_other_configurations():
    vote = Ensemble("vote", "soft_vote", ("cnn", "mlp"))
    long = {"recipe": {"batch_size": 32, "epochs": 20}}
    short = ensembles(vote, cnn=of_seeds("cnn"), mlp=of_seeds("mlp"))
    longer = ensembles(vote, cnn=of_seeds("cnn", **long), mlp=of_seeds("mlp"))
    assert {spec.config_id for spec in short}.isdisjoint(spec.config_id for spec in longer)

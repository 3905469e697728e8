"""Names that are refused: what they may be made of, in words, and one that would be taken."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.naming import ENSEMBLES, MODEL_FILES, MODELS, SUITES
from benchmark.spec import PATTERNS, Spec
from tfds_builders.errors import DatasetError
from tfds_builders.image_folder.options import check_name

NAMINGS = {"file": MODEL_FILES, "ensemble": ENSEMBLES, "suite": SUITES, "model": MODELS}
REGULAR = re.compile(r"[\[\]{}\\^$]|a-z|0-9")


@pytest.mark.parametrize("naming", NAMINGS.values(), ids=NAMINGS)
@given(name=st.one_of(st.text(max_size=130), st.from_regex("[A-Za-z0-9 _.+-]{1,130}")))
def test_a_refused_name_is_explained_and_what_is_suggested_is_taken(naming, name):
    fault = naming.fault(name)
    assert bool(fault) == (not re.fullmatch(naming.pattern, name))
    _, hint, near = fault.rpartition("; for instance ")
    assert not hint or not naming.fault(near)
    assert bool(hint) or not fault or not re.search("[A-Za-z0-9]", name)


@given(st.text(max_size=60))
def test_so_is_that_of_a_set_of_one_s_own(name):
    try:
        check_name(name)
    except DatasetError as error:
        check_name(str(error).rpartition("for instance ")[2].removesuffix("."))


@pytest.mark.parametrize(
    ("naming", "name", "near"),
    [
        (MODEL_FILES, "My-Model 2", "my_model_2"), (MODEL_FILES, "2net", "model_2net"),
        (ENSEMBLES, "Größte", "grosste"), (SUITES, "My suite!", "My_suite"),
        (MODELS, "=cnn (v2.1)", "cnn_v2.1"), (SUITES, "..", ""), (ENSEMBLES, 3, ""),
    ],
)  # fmt: skip
def test_what_is_suggested_is_near(naming, name, near):
    fault = naming.fault(name)
    assert fault.endswith(f"; for instance {near}" if near else f"{naming.longest} characters")


@pytest.mark.parametrize("naming", NAMINGS.values(), ids=NAMINGS)
def test_words_are_said_and_no_regular_expression(naming):
    assert not REGULAR.search(naming.fault("?"))


def test_records_have_words_for_every_pattern():
    assert Spec  # whose fields' patterns are there with it
    assert len(PATTERNS) >= 7
    assert not [words for words in PATTERNS.values() if REGULAR.search(words)]

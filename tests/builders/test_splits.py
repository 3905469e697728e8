"""The salted split: stable, disjoint, in proportion."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfds_builders import splits

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@given(st.text(), st.text())
@settings(deadline=None, max_examples=50)
def test_position_is_the_head_of_the_salted_hash(patient, salt):
    joined = f"{salt}\n{patient}".encode()
    expected = int(hashlib.sha256(joined).hexdigest()[:12], 16) / 16**12
    assert splits.position(patient, salt) == expected
    assert 0 <= expected < 1


def test_shares_are_met_and_another_salt_is_another_split():
    patients = [f"patient {i}" for i in range(20_000)]
    first = {p: splits.assign(p, "a", SHARES) for p in patients}
    counts = Counter(first.values())
    for split, share in SHARES.items():
        assert counts[split] / len(patients) == pytest.approx(share, abs=0.01)
    moved = sum(first[p] != splits.assign(p, "b", SHARES) for p in patients)
    assert moved > 1000


@given(st.lists(st.text(min_size=1), unique=True, min_size=2, max_size=30), st.data())
@settings(deadline=None, max_examples=30)
def test_a_patient_stays_where_it_is_whoever_joins(patients, data):
    some = data.draw(st.lists(st.sampled_from(patients), unique=True))
    before = {p: splits.assign(p, "salt", SHARES) for p in some}
    after = {p: splits.assign(p, "salt", SHARES) for p in patients}
    assert all(after[p] == split for p, split in before.items())


def test_the_first_split_stays_when_the_rest_is_divided_further():
    two = {"train": 0.8, "rest": 0.2}
    for patient in map(str, range(500)):
        in_train = splits.assign(patient, "salt", two) == "train"
        assert (splits.assign(patient, "salt", SHARES) == "train") == in_train


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.4}, {"a": 1.2, "b": -0.2}])
def test_wrong_shares_are_refused(shares):
    with pytest.raises(ValueError, match="add up to one"):
        splits.assign("p", "salt", shares)

"""The split of people's own sets: even, by patient, with copies together; or theirs, as it is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfds_builders.errors import DatasetError
from tfds_builders.image_folder.contents import Entry
from tfds_builders.image_folder.members import dealt_splits, members_of
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.splitting import assign
from tfds_builders.image_folder.surveying import Survey

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def survey(*images: tuple) -> Survey:
    """Of images given as patient, findings and split of their own."""
    entries = [
        Entry(f"{n}.png", patient, findings, (1,) * len(findings), pool)
        for n, (patient, findings, pool) in enumerate(images)
    ]
    return Survey(entries, {entry.image: entry.patient for entry in entries})


def drawn(n: int, findings: int, seed: int) -> Survey:
    """Patients of one to six images, with findings from common to rare."""
    rng = np.random.default_rng(seed)
    prevalence = np.geomspace(0.4, 0.03, findings)
    return survey(*[
        (f"p{patient}", tuple((rng.random(findings) < prevalence).astype(int).tolist()), "")
        for patient in range(n)
        for _ in range(rng.integers(1, 7))
    ])  # fmt: skip


def positive_patients(found: Survey, split: dict[str, str], finding: int) -> Counter[str]:
    having = {found.groups[e.image] for e in found.entries if e.findings[finding]}
    return Counter(split[group] for group in having)


@settings(deadline=None, max_examples=30)
@given(st.integers(60, 400), st.integers(1, 8), st.integers(0, 10**6))
def test_every_finding_is_in_every_split_as_often_as_it_should(n, findings, seed):
    found = drawn(n, findings, seed)
    split = assign(found.entries, found.groups, SHARES, seed)
    assert set(split) == set(found.groups.values())
    for name, share in SHARES.items():
        assert sum(s == name for s in split.values()) == pytest.approx(share * n, abs=0.06 * n + 3)
    for finding in range(findings):
        count = positive_patients(found, split, finding)
        for name, share in SHARES.items():
            # of few patients one may be missing; of many, a tenth of what is due
            due = share * count.total()
            assert count[name] >= np.floor(due - 1.5 - 0.1 * due)


def test_sixty_patients_with_a_finding_are_enough_for_a_test_auc():
    for seed in range(20):
        found = drawn(300, 4, seed)
        split = assign(found.entries, found.groups, SHARES, seed)
        for finding in range(4):
            count = positive_patients(found, split, finding)
            assert count.total() < 60 or count["test"] >= 10


def test_another_seed_is_another_split_and_the_same_is_the_same():
    found = drawn(100, 2, 0)
    first, again, other = (assign(found.entries, found.groups, SHARES, s) for s in (0, 0, 1))
    assert first == again != other


def test_shares_are_as_asked_for():
    found = drawn(200, 2, 0)
    members, source = members_of(found, Options(split_fractions="40,30,30", split_seed=3))
    patients = {s: {found.groups[e.image] for e in part} for s, part in members.items()}
    assert [len(patients[s]) for s in SHARES] == pytest.approx([80, 60, 60], abs=6)
    assert not patients["train"] & patients["test"]
    assert "train 40%, validation 30%, test 30%; seed 3" in source


def test_what_a_set_lacks_is_taken_from_its_training_part():
    images = [(f"p{n}", (n % 2,), "test" if n < 20 else "train") for n in range(100)]
    found = survey(*images)
    members, source = members_of(found, Options())
    assert {e.image for e in members["test"]} == {f"{n}.png" for n in range(20)}
    assert len(members["validation"]) == pytest.approx(8, abs=1)
    assert "the set's own: test, train; of its training part" in source
    assert dealt_splits(found, Options()) == ["train", "validation"]
    assert dealt_splits(found, Options(resplit=True)) == list(SHARES)


def test_a_split_that_leaks_can_be_made_anew():
    images = [(f"p{n % 30}", (n % 2,), ("train", "validation", "test")[n % 3]) for n in range(90)]
    found = survey(*images, *[("p1", (0,), "train"), ("p1", (1,), "test")])
    kept, source = members_of(found, Options())
    assert source == "the set's own: test, train, validation"
    assert dealt_splits(found, Options()) == []
    assert {e.pool for e in kept["test"]} == {"test"}
    anew, source = members_of(found, Options(resplit=True))
    patients = [{e.patient for e in part} for part in anew.values()]
    assert sum(map(len, patients)) == len(set().union(*patients))
    assert source.startswith("by patients, stratified")


def test_too_few_patients_say_so():
    said = r"\(images: train 2, validation 0, test 0\)\. There are too few patients"
    with pytest.raises(DatasetError, match=said):
        members_of(survey(("a", (1,), ""), ("b", (0,), "")), Options())

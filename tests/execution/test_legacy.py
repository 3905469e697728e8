"""Legacy protocols: the file, and the splits they make."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from benchmark.data.discovery import datasets
from benchmark.data.prepared import SPLITS
from benchmark.errors import UnknownName, UserError
from benchmark.protocols import find
from benchmark.protocols._by_image import _numbered, image_split
from benchmark.protocols.legacy import PROTOCOLS, claims_about
from benchmark.suites import load_suite, suites


def test_there_is_one_for_each_source_system():
    assert [p.source for p in PROTOCOLS.values()] == ["S0", "S1", "S2", "S3", "S4"]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda p: p.name)
def test_a_protocol_can_be_applied_and_names_its_faults_and_its_twin(protocol):
    assert protocol.twin in datasets()
    assert protocol.faults
    assert protocol.copies in ("train", "before_split")
    assert (protocol.split == "by_image") == bool(protocol.fractions)
    assert sum(protocol.fractions.values()) <= 1 + 1e-9
    assert protocol.decision == "argmax" or 0 < protocol.decision < 1


def test_a_claim_is_about_a_model_or_an_ensemble_of_the_suite():
    for name, protocol in PROTOCOLS.items():
        suites_of_it = [load_suite(each) for each in suites() if each.startswith(name)]
        known = {"*"} | {m for suite in suites_of_it for m in suite.named_models}
        known |= {ensemble.name for suite in suites_of_it for ensemble in suite.ensembles}
        assert {claim.model for claim in protocol.claims} <= known


def test_claims_are_found_by_model():
    assert [(source, claim.f1) for source, claim in claims_about("googlenet")] == [("S3", 0.985)]
    assert "0.94" in claims_about("unet_legacy")[0][1].text
    assert claims_about("linear") == []


def test_an_unknown_protocol_is_named_with_the_nearest():
    with pytest.raises(UnknownName, match="legacy_s3"):
        find("legcy_s3")


@pytest.mark.parametrize("n", [11, 100, 583, 5856])
@pytest.mark.parametrize("state", [0, 42])
def test_the_shuffle_is_that_of_train_test_split(n, state):
    train, test = train_test_split(np.arange(n), test_size=0.2, random_state=state)
    ours = image_split(n, {"train": 0.8, "test": 0.2}, state)
    np.testing.assert_array_equal(ours["train"], train)
    np.testing.assert_array_equal(ours["test"], test)


def test_fractions_may_leave_images_out_but_never_use_one_twice():
    chosen = image_split(250, {"train": 0.6, "test": 0.2}, 0)
    assert {split: len(lines) for split, lines in chosen.items()} == {"train": 150, "test": 50}
    assert len(np.unique(np.concatenate(list(chosen.values())))) == 200


@pytest.fixture
def small_phantom(phantom):
    return phantom[0]


def images_of(protocol, prepared, imbalance="none"):
    return find(protocol).data(SimpleNamespace(imbalance=imbalance), prepared)


def test_a_split_by_image_takes_every_image_and_finds_patients_on_both_sides(small_phantom):
    data = images_of("legacy_s0", small_phantom)
    ids = {split: set(data[split].part.image_id) for split in SPLITS}
    whole = set(small_phantom.manifest()["image_id"])
    assert ids["train"] | ids["test"] == whole
    assert not ids["train"] & ids["test"]
    assert ids["validation"] == ids["test"], "the source chose its epoch on what it reported"
    status, reasons = find("legacy_s0").leakage(data, "clean", [])
    assert status == "leak"
    assert any("patients in both train and test" in reason for reason in reasons)
    assert f"{len(ids['test'])} images in both validation and test" in reasons


def test_copies_that_come_round_again_have_ids_of_their_own():
    ids = _numbered(np.array(["a", "a~flip_lr", "b", "a", "a~flip_lr", "a"]))
    assert list(ids) == ["a", "a~flip_lr", "b", "a~2", "a~flip_lr~2", "a~3"]


def test_a_published_split_stays_as_it_is(small_phantom):
    data = images_of("legacy_s4", small_phantom)
    for split in SPLITS:
        assert list(data[split].part.image_id) == list(small_phantom.part(split).image_id)
    assert find("legacy_s4").leakage(data, "clean", []) == ("clean", [])


def test_lines_and_images_stay_together(small_phantom):
    """Each view is filled with the number of its line, so that an image tells which one it is."""
    data = images_of("legacy_s1", small_phantom)
    manifest = small_phantom.manifest()
    number = {image_id: i for i, image_id in enumerate(manifest["image_id"])}

    def view(split):
        ids = manifest.loc[manifest["split"] == split, "image_id"]
        values = np.array([number[i] for i in ids])
        return np.stack([values // 256, values % 256] * 2, 1).astype(np.uint8).reshape(-1, 2, 2)

    for split in SPLITS:
        images = data[split].images(view)[:].reshape(-1, 4)
        shown = images[:, 0].astype(int) * 256 + images[:, 1]
        assert list(shown) == [number[i] for i in data[split].part.image_id]


def test_a_set_too_small_to_split_is_refused(small_phantom, monkeypatch):
    monkeypatch.setattr("benchmark.protocols._by_image.image_split", lambda *_: {"train": []})
    with pytest.raises(UserError, match="too few"):
        images_of("legacy_s0", small_phantom)

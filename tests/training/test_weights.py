"""Schemes, what they begin from, where weight files are, and which published ones are known."""

from __future__ import annotations

import hashlib
import inspect
from importlib import import_module

import pytest

from benchmark.errors import UserError
from benchmark.models import discover, weight_files
from benchmark.training import published
from benchmark.training import weight_files as files_of_weights
from benchmark.training.published import PUBLISHED, fetch, is_as_published
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.weight_files import MissingWeights, digest, find_weights
from benchmark.training.weight_sources import AXIS as SOURCES
from benchmark.training.weight_sources import GIVES, find_source, written
from benchmark.training.weights import (
    check_scheme,
    check_together,
    check_weights,
    is_fixed,
    usual_weights,
)

APPLICATIONS = ("resnet", "vgg16", "mobilenet_v2", "densenet", "efficientnet", "efficientnet_v2",
                "convnext")  # fmt: skip


ROW = "from:0123456789ab"


@pytest.mark.parametrize("name", ["random", "imagenet", ROW])
def test_a_source_of_weights_is_known_by_its_name(name):
    check_weights(name)
    assert find_source(name).name == name.partition(":")[0]


@pytest.mark.parametrize("name", SCHEMES.names())
def test_a_scheme_is_known_by_its_name(name):
    check_scheme(name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("imagnet", "Did you mean 'imagenet'"),
        ("imagenet_frozen", "Did you mean 'imagenet'"),
        ("random:", "Choices: from:<spec id>, imagenet, random"),
        ("imagenet:v2", "Choices: from:<spec id>, imagenet, random"),
        ("from", "twelve hexadecimal digits"),
        ("", "Choices: .*from:<spec id>, imagenet, random"),
        ("from:", "twelve hexadecimal digits"),
        ("from:resnet50", "twelve hexadecimal digits"),
        ("from:0123456789AB", "twelve hexadecimal digits"),
        ("from:0123456789abc", "twelve hexadecimal digits"),
        ("from:0123456789ab\n", "twelve hexadecimal digits"),
    ],
)
def test_another_source_is_refused(name, fault):
    with pytest.raises(UserError, match=fault):
        check_weights(name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("forzen", "Did you mean 'frozen'"),
        ("random", "Choices: continue, finetune, frozen, knn, linear_probe, scratch"),
    ],
)
def test_another_scheme_is_refused(name, fault):
    with pytest.raises(UserError, match=fault):
        check_scheme(name)


@pytest.mark.parametrize("source", SOURCES.discover().values(), ids=lambda each: each.name)
def test_every_source_gives_what_some_scheme_can_begin_from(source):
    assert source.card["gives"] in GIVES
    wanted = [
        gives for scheme in SCHEMES.discover().values() for gives in scheme.card["begins_from"]
    ]
    assert source.card["gives"] in wanted
    assert callable(source.load())


def test_every_scheme_begins_from_something_and_has_its_usual_source():
    for scheme in SCHEMES.discover().values():
        assert set(scheme.card["begins_from"]) <= {*GIVES}
        if scheme.card["usual"]:
            check_together(scheme.name, scheme.card["usual"])
    assert [written(s) for s in SOURCES.discover().values()] == [
        "from:<spec id>", "imagenet", "random"
    ]  # fmt: skip
    usual = {scheme: usual_weights(scheme) for scheme in SCHEMES.names()}
    assert usual == {
        "scratch": "random", "frozen": "imagenet", "finetune": "imagenet", "continue": "",
        "linear_probe": "imagenet", "knn": "imagenet",
    }  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES.names())
@pytest.mark.parametrize("source", ["random", "imagenet", ROW, ""])
def test_only_what_makes_sense_goes_together(scheme, source):
    together = {
        ("scratch", "random"), ("frozen", "imagenet"), ("frozen", "random"),
        ("finetune", "imagenet"), ("continue", ROW), ("linear_probe", "imagenet"),
        ("linear_probe", "random"), ("knn", "imagenet"), ("knn", "random"),
    }  # fmt: skip
    if (scheme, source) in together:
        check_together(scheme, source)
        return
    with pytest.raises(UserError, match=f"scheme {scheme} begins from weights .*not '{source}'"):
        check_together(scheme, source)


def test_a_head_that_is_fitted_is_fixed_where_its_backbone_is_not_drawn():
    fixed = {s: is_fixed(s, "imagenet") for s in ("linear_probe", "knn", "frozen", "finetune")}
    assert fixed == {"linear_probe": True, "knn": True, "frozen": False, "finetune": False}
    assert not is_fixed("linear_probe", "random")
    assert not is_fixed("", "")


def test_a_scheme_that_fits_has_a_version_of_its_own_and_the_others_that_of_training():
    for scheme in SCHEMES.discover().values():
        assert (scheme.version > 0) is not scheme.card["by_gradient"]
        assert scheme.card["by_gradient"] or scheme.card["features_only"]


def test_who_continues_from_a_row_under_another_scheme_is_told_which_one_does():
    with pytest.raises(UserError, match="weights of a row are for scheme continue"):
        check_together("finetune", ROW)


def test_a_file_is_looked_for_where_the_user_says_then_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "mine"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folders = files_of_weights.weight_folders([tmp_path / "given"])
    assert folders == [tmp_path / "given", tmp_path / "mine", tmp_path / "keras" / "models"]
    for folder in reversed(folders):
        folder.mkdir(parents=True)
        (folder / "a.h5").write_bytes(b"")
        assert find_weights("m", ["a.h5"], folders) == [folder / "a.h5"]


def test_what_is_missing_is_said_with_what_to_do(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"")
    with pytest.raises(MissingWeights, match=r"no b\.h5 in .*Copy the file.*--weights-dir"):
        find_weights("mine", ["a.h5", "b.h5"], [tmp_path])
    with pytest.raises(MissingWeights, match=r"cxr-bench fetch-weights resnet50"):
        find_weights("resnet50", weight_files(discover()["resnet50"]), [tmp_path])


def test_the_digest_is_of_the_bytes_and_follows_them(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_bytes(b"weights")
    other.write_bytes(b"others")
    assert digest([one]) == hashlib.sha256(b"weights").hexdigest()
    assert len({digest([one]), digest([one, other]), digest([other, one])}) == 3
    one.write_bytes(b"weights of another length")
    assert digest([one]) == hashlib.sha256(b"weights of another length").hexdigest()


def test_every_legacy_file_that_a_model_takes_is_known():
    # Files that end with .weights.h5 are KerasHub's, which has its own way of getting them.
    downloaded = [f for f in discover().values() if not f.card["weight_package"]]
    wanted = {name for file in downloaded for name in weight_files(file)}
    assert {name for name in wanted if not name.endswith(".weights.h5")} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_places_and_hashes_are_those_of_keras(name):
    modules = [import_module(f"keras.src.applications.{module}") for module in APPLICATIONS]
    text = "".join(inspect.getsource(module) for module in modules).replace('"\n    "', "")
    folder, hash_ = PUBLISHED[name]
    assert folder in text.replace('"\n        "', "")
    assert f'"{hash_}"' in text


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """A file that is published, next door; returns the folder to fetch it to."""
    content = b"the weights"
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "net_notop.h5").write_bytes(content)
    known = {
        "net_notop.h5": ((tmp_path / "server").as_uri() + "/", hashlib.md5(content).hexdigest())
    }
    monkeypatch.setattr(published, "PUBLISHED", known)
    return tmp_path / "cache"


def test_a_file_is_fetched_once_and_checked(at_home, tmp_path, capsys):
    (path,) = fetch(["net_notop.h5"], at_home)
    assert path.read_bytes() == b"the weights"
    assert is_as_published(path) is True
    (tmp_path / "server" / "net_notop.h5").unlink()
    assert fetch(["net_notop.h5"], at_home) == [path]


def test_a_file_that_arrives_damaged_is_not_kept(at_home, tmp_path, capsys):
    (tmp_path / "server" / "net_notop.h5").write_bytes(b"half of the w")
    with pytest.raises(UserError, match=r"could not download .*net_notop\.h5"):
        fetch(["net_notop.h5"], at_home)
    assert list(at_home.iterdir()) == []


def test_a_file_of_the_users_own_is_not_overwritten(at_home):
    at_home.mkdir()
    (at_home / "net_notop.h5").write_bytes(b"my own")
    with pytest.raises(UserError, match="not the file that Keras publishes"):
        fetch(["net_notop.h5"], at_home)
    assert (at_home / "net_notop.h5").read_bytes() == b"my own"


def test_a_file_without_a_published_hash_is_neither_right_nor_wrong(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"")
    assert is_as_published(tmp_path / "x.h5") is None


def test_a_file_that_is_published_elsewhere_is_to_be_put_there_by_hand(tmp_path):
    (name,) = weight_files(discover()["vit_keras_hub"])
    with pytest.raises(UserError, match=f"model's file says where.* put it into {tmp_path}"):
        fetch([name], tmp_path)

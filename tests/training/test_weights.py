"""Weight policies, where weight files are found, and what is known of the published ones."""

from __future__ import annotations

import hashlib
import inspect
from importlib import import_module

import pytest

from benchmark.errors import UserError
from benchmark.models import discover, weight_files
from benchmark.training import published, weights
from benchmark.training.published import PUBLISHED, fetch, is_as_published
from benchmark.training.weights import MissingWeights, check_weights, digest, find_weights

APPLICATIONS = ("resnet", "vgg16", "mobilenet_v2", "densenet", "efficientnet", "efficientnet_v2",
                "convnext")  # fmt: skip


@pytest.mark.parametrize("name", [*weights.POLICIES, "from:0123456789ab"])
def test_a_policy_is_known_by_its_name(name):
    check_weights(name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("imagenet_forzen", "Did you mean 'imagenet_frozen'"),
        ("from:", "twelve hexadecimal digits"),
        ("from:resnet50", "twelve hexadecimal digits"),
    ],
)
def test_another_name_is_refused(name, fault):
    with pytest.raises(UserError, match=fault):
        check_weights(name)


def test_a_file_is_looked_for_where_the_user_says_then_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "mine"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folders = weights.weight_folders([tmp_path / "given"])
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
    wanted = {name for file in discover().values() for name in weight_files(file)}
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

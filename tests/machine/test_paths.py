"""Home folders: in every path option, in variables, and where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.commands.options import ExpandedPath
from benchmark.errors import UserError
from benchmark.machine.paths import NOWHERE, expanded, settle_home
from benchmark.training.weight_files import keras_cache, weight_folders


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def nobody(monkeypatch):
    """A user without HOME whom the system does not know."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("USERPROFILE", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


def commands(group, *above):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield command


def test_every_path_of_the_command_line_is_expanded():
    parameters = [each for command in commands(main) for each in command.params]
    paths = [each for each in parameters if isinstance(each.type, click.Path)]
    assert len(paths) > 40
    assert all(isinstance(each.type, ExpandedPath) for each in paths)
    others = [each.name for each in parameters if each not in paths]
    assert [name for name in others if name.endswith(("dir", "dirs", "folder", "out"))] == []


def test_a_path_with_a_tilde_is_one_at_home(home):
    assert expanded("~/x/y") == home / "x" / "y"
    assert expanded("~") == home
    assert expanded("x/~") == Path("x/~")
    assert expanded(Path()) == Path()


def test_a_command_finds_a_folder_by_its_tilde(home):
    result = CliRunner().invoke(main, ["cache", "ls", "--cache-dir=~/here"])
    assert str(home / "here") in result.output


def test_a_tilde_in_a_variable_is_expanded(home, monkeypatch):
    monkeypatch.setenv("CXR_BENCH_CACHE", "~/views")
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", "~/weights")
    monkeypatch.setenv("KERAS_HOME", "~/keras")
    assert str(home / "views") in CliRunner().invoke(main, ["cache", "ls"]).output
    assert weight_folders() == [home / "weights", home / "keras" / "models"]


def test_without_a_home_folder_a_path_in_it_is_refused_with_what_to_do(nobody):
    with pytest.raises(UserError, match=r"~/x: there is no home folder for ~ here\. Set HOME"):
        expanded("~/x")
    assert expanded("/x") == Path("/x")
    result = CliRunner().invoke(main, ["cache", "ls"])
    assert result.exit_code == 2
    assert "Invalid value for '--cache-dir'" in result.output
    assert keras_cache() == Path("/tmp/.keras/models")


def test_a_home_folder_that_is_not_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="there is no home folder"):
        expanded("~/x")


def test_home_is_set_where_nobody_knows_it(nobody, monkeypatch):
    monkeypatch.setenv("HOME", "to be restored")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    settle_home()
    assert os.environ["HOME"] == NOWHERE


def test_home_stays_what_it_is(home):
    settle_home()
    assert os.environ["HOME"] == str(home)


def test_a_folder_that_may_not_be_looked_into_is_named(monkeypatch, tmp_path):
    def refused(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refused)
    result = CliRunner().invoke(main, ["cache", "ls", "--cache-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert f"'--cache-dir': {tmp_path}: permission denied" in result.output

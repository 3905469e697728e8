"""Folders that cannot be written to: read from all the same, and named where writing was asked."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmark.cli import main


@pytest.fixture
def read_only(results, add_seeds, monkeypatch):
    """Two configurations without scores, in a folder that nothing can be written to."""
    rows = [add_seeds(model)[0] for model in ("cnn", "mlp")]

    def refuse(path, staged):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("benchmark.records.files._stage", refuse)
    return rows


def test_show_and_compare_only_read(results, read_only):
    first, second = read_only
    for command in (["show", first.config_id], ["compare", first.config_id, second.config_id]):
        done = CliRunner().invoke(main, [*command, "--results", str(results.folder)])
        assert done.exit_code == 0, done.output
        assert "AUC" in done.output
    assert not (results.folder / "scores").exists()


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("command", ["leaderboard", "report"])
def test_what_is_to_be_written_says_where_it_cannot(results, command):
    done = CliRunner().invoke(main, [command, "--results", str(results.folder)])
    assert done.exit_code == 2
    assert "cannot write" in done.output
    assert "Permission denied. Choose another folder" in done.output
    assert "Traceback" not in done.output

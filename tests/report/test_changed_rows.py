"""Row files that were changed: named, never believed, never a trace, never a silent number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.cli import main
from benchmark.hashing import sha256
from benchmark.records.door import sealed
from benchmark.records.store import Results
from benchmark.report.html.row_drawn import Drawn
from tests.records.rows import changed_bytes, changed_values, values_of
from tests.report.made_rows import add_row

pytestmark = pytest.mark.xdist_group("changed_rows")  # one folder for all

USUAL = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Folder:
    """A results folder of two configurations, and what the commands say of it."""

    def __init__(self, folder: Path):
        self.results, self.site = Results(folder / "results"), folder / "site"
        rows = [add_row(self.results, m, s) for m in ("cnn", "mlp") for s in range(3)]
        self.path = self.results.row_path(rows[0].spec_id)
        self.data, self.rows = self.path.read_bytes(), set(self.path.parent.iterdir())
        self.commands = [
            ["leaderboard"],
            ["report", "--out", str(self.site)],
            ["show", rows[0].config_id],
            ["show", rows[4].spec_id],
            ["compare", rows[0].config_id, rows[3].config_id],
        ]
        self.told()
        self.usual = self.told()
        self.kept = self.files()

    def run(self, command: list[str]):
        return CliRunner().invoke(main, [*command, "--results", str(self.results.folder)])

    def told(self) -> list[str]:
        """What each command says."""
        return [self.run(command).output for command in self.commands]

    def restore(self) -> None:
        """Put the row file back, and remove what was put beside it."""
        self.path.write_bytes(self.data)
        for path in set(self.path.parent.iterdir()) - self.rows:
            path.unlink()

    def files(self) -> dict[str, str]:
        paths = [*self.results.folder.glob("*.*"), *self.site.rglob("*.*")]
        return {str(path): sha256(path.read_bytes()) for path in sorted(paths)}

    def check(self, named: str) -> None:
        """Every command names the file, also in what it writes, or says and leaves the same."""
        for command, output in zip(self.commands, self.usual, strict=True):
            done = self.run(command)
            assert isinstance(done.exception, SystemExit | None), done.exc_info
            assert done.exit_code in (0, 2)
            assert named in done.output or (done.exit_code, done.output) == (0, output)
            assert done.output.count("\n") <= output.count("\n") + 2, "a sentence or two, no trace"
        if self.files() != self.kept:
            assert named in (self.results.folder / "LEADERBOARD.md").read_text()
            assert named in (self.site / "index.html").read_text()


@pytest.fixture(scope="module")
def undrawn():
    from benchmark.report.drawing import grounds
    from benchmark.report.html import row_figures

    drawn = Drawn(made_from="", figures=[], findings=[], subgroups=[])
    with pytest.MonkeyPatch.context() as patch:  # drawing takes time
        patch.setattr(row_figures, "draw_row", lambda *_: drawn)
        patch.setattr(grounds, "save_both", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def folder(undrawn, tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("changed"))


@pytest.fixture(scope="module")
def apart(undrawn, tmp_path_factory):
    """A folder that is left as its last row file makes it."""
    return Folder(tmp_path_factory.mktemp("apart"))


@pytest.fixture
def restored(folder):
    """The folder; its row file is put back."""
    yield folder
    folder.restore()


def test_nothing_is_said_of_files_as_they_were_written(folder):
    folder.check("")
    assert "Leaderboard:" in folder.usual[0]


@settings(USUAL, max_examples=12)
@given(st.data())
def test_a_changed_value_is_noticed(restored, data):
    values = data.draw(changed_values(restored.data))
    seal = {"content_sha256": json.loads(restored.data)["content_sha256"]}
    restored.path.write_bytes(json.dumps(seal | values, indent=1).encode())
    restored.check(restored.path.name)


@settings(USUAL, max_examples=12)
@given(st.data())
def test_a_changed_byte_is_noticed(restored, data):
    restored.path.write_bytes(data.draw(changed_bytes(restored.data)))
    restored.check(restored.path.name)


@settings(USUAL, max_examples=20)
@given(st.data())
def test_with_a_seal_made_anew_there_is_no_trace(apart, data):
    """Whoever makes the seal anew may say other things, but nothing that cannot be read."""
    apart.path.write_bytes(sealed(data.draw(changed_values(apart.data))))
    for command in apart.commands:
        done = apart.run(command)
        assert isinstance(done.exception, SystemExit | None), done.exc_info
        assert done.exit_code in (0, 2)


def test_a_copy_under_another_name_is_no_further_seed(restored):
    copy = restored.path.with_name(f"{'0' * 12}.json")
    copy.write_bytes(restored.data)
    restored.check(copy.name)


def test_a_renamed_row_is_noticed(restored):
    moved = restored.path.rename(restored.path.with_name(f"{'f' * 12}.json"))
    restored.check(moved.name)


def test_a_row_of_another_format_says_what_to_do(restored):
    values = values_of(restored.data) | {"schema": 1}
    restored.path.write_bytes(json.dumps(values).encode())
    said = restored.run(["leaderboard"]).output
    assert "written by another version of cxr-bench" in said
    assert "run its spec again" in said


def test_the_others_are_ranked_and_what_is_left_out_is_counted(restored):
    def shown() -> dict:
        return json.loads((restored.results.folder / "leaderboard.json").read_text())

    whole = restored.run(["leaderboard"]) and shown()["configurations"]
    restored.path.write_bytes(b"{")
    done = restored.run(["leaderboard"])
    assert done.exit_code == 0
    assert "1 file(s) left out" in done.output
    assert shown()["left_out"][0]["why"].startswith(f"rows/{restored.path.name}: ")
    rest = {c["config_id"]: c for c in shown()["configurations"]}
    assert rest.keys() == {c["config_id"] for c in whole}
    assert sorted(len(c["seeds"]) for c in rest.values()) == [2, 3]
    restored.path.unlink()
    without = shown()["configurations"]
    assert restored.run(["leaderboard"]).exit_code == 0
    assert shown()["configurations"] == without


def test_predictions_that_are_gone_or_damaged_leave_out_their_row_alone(restored):
    path = restored.results.predictions_path(restored.path.stem)
    data = path.read_bytes()
    for change in (path.unlink, lambda: path.write_bytes(data[:-9]), lambda: path.write_bytes(b"")):
        change()
        for command in restored.commands:
            done = restored.run(command)
            assert isinstance(done.exception, SystemExit | None), done.exc_info
            assert done.exit_code == 0 or str(path) in done.output
        assert path.name in (restored.results.folder / "LEADERBOARD.md").read_text()
        path.write_bytes(data)

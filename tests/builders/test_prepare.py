"""Preparing: parallel checks in order, bounded memory, and what a killed attempt leaves."""

from __future__ import annotations

import errno
import itertools
import shutil
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

from benchmark.cli import main
from benchmark.data import building
from benchmark.data import prepare as preparing
from benchmark.data.audit import copies
from benchmark.data.discovery import find_dataset
from benchmark.data.prepare import prepare
from benchmark.data.prepared import load_prepared
from benchmark.errors import UserError
from tests.encoded import encoded
from tfds_builders import generating, images, journal, parallel
from tfds_builders.chestxray14 import fake_raw as chestxray14_raw
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.ingest_report import Item
from tfds_builders.kermany_pneumonia import fake_raw

NAME = "kermany_pneumonia/official"
VERSION = Path(NAME) / "1.0.0"
KILLED_AFTER = 45
NEW = b"\1" * 32


@pytest.fixture(scope="module")
def files() -> dict[str, bytes | Unreadable]:
    """Files of every fate, the large ones first, so that threads finish out of order."""
    rng = np.random.default_rng(0)
    made = {}
    for number, side in enumerate([300, 200, 40, 20, 10, 8, 9, 11]):
        grey = rng.integers(0, 256, (side, side), np.uint8)
        colour = np.stack([grey, grey[::-1], grey // 2], axis=-1)
        made[f"{number}.jpeg"] = encoded(grey, "JPEG")
        made[f"{number}.png"] = encoded(colour, "PNG")
        made[f"{number} cut.jpeg"] = made[f"{number}.jpeg"][: side * 2]
        made[f"{number}.tiff"] = encoded(grey, "TIFF")
        made[f"{number} gone"] = Unreadable(f"gone {number}")
    return {**made, "empty": b"", "text": b"no image"}


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    fake_raw.write(folder, patients=40, size=32)
    broken = sorted((folder / "chest_xray" / "train").rglob("*.jpeg"))[:3]
    for path in broken:
        path.write_bytes(path.read_bytes()[:200])
    return folder


def records(folder: Path) -> list[dict[str, bytes]]:
    """Every stored example in the order on disk, without the arbitrary order of its fields."""
    found = []
    for path in sorted(folder.glob("*.tfrecord*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            fields = tf.train.Example.FromString(record).features.feature
            found.append({name: fields[name].SerializeToString() for name in fields})
    return found


@pytest.fixture(scope="module")
def undisturbed(raw, tmp_path_factory) -> tuple[Path, int]:
    """A set prepared in one go, and how many images were decoded for it."""
    data_dir = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        decoded = counted(patch)
        prepare(find_dataset(NAME), data_dir, raw)
    return data_dir / VERSION, len(decoded)


def checked_all(files: dict, dtype: type = np.uint8, workers: int | None = None) -> dict:
    """Name to outcome, in the order in which they come."""
    found = ((Item(name), data) for name, data in files.items())
    outcomes = generating.check_all(found, images.Gate(dtype), workers)
    return {item.name: checked for item, checked in outcomes}


def counted(patch: pytest.MonkeyPatch) -> list[int]:
    decoded, check = [], images._check
    patch.setattr(images, "_check", lambda *given: decoded.append(1) or check(*given))
    return decoded


# Threads


def test_results_come_in_order_whoever_is_first():
    delays = [0.03, 0.0, 0.02, 0.0, 0.0, 0.01, 0.0]

    def work(item):
        time.sleep(delays[item])
        return item, threading.current_thread().name

    results = list(parallel.in_order(work, range(7), workers=3))
    assert [item for item, _ in results] == list(range(7))
    assert len({name for _, name in results}) > 1


def test_only_a_few_items_are_drawn_ahead():
    drawn = []
    items = (drawn.append(n) or n for n in itertools.count())
    results = parallel.in_order(lambda n: n, items, workers=2)
    assert list(itertools.islice(results, 10)) == list(range(10))
    assert len(drawn) <= 10 + 2 * parallel.AHEAD
    results.close()
    assert len(drawn) <= 10 + 2 * parallel.AHEAD


def test_an_error_is_raised_in_its_turn():
    results = parallel.in_order(lambda n: 10 // (3 - n), range(20), workers=4)
    assert list(itertools.islice(results, 3)) == [3, 5, 10]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("workers", [1, 8])
def test_checks_in_threads_are_those_made_one_by_one(files, workers):
    expected = {
        name: images.Checked(None, str(d)) if isinstance(d, Unreadable) else images.check(d)
        for name, d in files.items()
    }
    found = checked_all(files, workers=workers)
    assert list(found.items()) == list(expected.items())


def test_warnings_of_pillow_decide_about_nothing_in_a_thread(monkeypatch):
    def warned(*given):
        Image.warnings.warn_explicit("odd metadata", UserWarning, "PIL/Image.py", 1, "PIL.Image")
        return images.Checked(b"", "")

    monkeypatch.setattr(images, "_check_decoded", warned)
    before = list(warnings.filters)
    found = checked_all({f"{n}": b"x" for n in range(20)}, workers=4)
    assert {checked.reason for checked in found.values()} == {""}
    assert warnings.filters == before


# The journal


def killed_attempt(path: Path, work: Callable[[journal.Journal], object]) -> None:
    """Do some work with a journal that nobody closes after success."""

    def attempt():
        with journal.opened(path) as book:
            work(book)
            raise RuntimeError("as if killed")

    with pytest.raises(RuntimeError):
        attempt()


def test_a_journal_saves_decoding_what_was_sound(files, tmp_path, monkeypatch):
    path = tmp_path / "1.0.0.journal"
    expected = checked_all(files)
    killed_attempt(path, lambda _: checked_all(files))
    decoded = counted(monkeypatch)
    with journal.opened(path):
        assert checked_all(files) == expected
        checked_again = [name for name, checked in expected.items() if checked.reason]
        unread = [name for name in checked_again if isinstance(files[name], Unreadable)]
        assert len(decoded) == len(checked_again) - len(unread) < len(expected) - len(unread)
        before = len(decoded)
        checked_all(files, np.uint16)
        assert len(decoded) == before + len(expected) - len(unread)
    assert not path.exists()
    assert journal.current() is None


def test_lines_torn_by_a_kill_cost_a_check_and_no_more(files, tmp_path):
    path = tmp_path / "1.0.0.journal"
    killed_attempt(path, lambda _: checked_all(files))
    whole = path.read_bytes().rstrip(b"\n")
    known = len([line for line in whole.splitlines() if line])
    for damaged in (whole[:-10], whole[:-1] + b"\n", b"\xff\0[[[\n[1]\n{}\nnull\n" + whole[:-5]):
        path.write_bytes(damaged)
        found = []

        def work(book, found=found):
            found.append(book.known)
            book.sound(NEW)

        killed_attempt(path, work)
        killed_attempt(path, work)
        assert len(found[0]) == known - 1
        assert found[1] == {*found[0], NEW}


# Whole sets


def test_a_killed_attempt_is_resumed(raw, undisturbed, tmp_path, monkeypatch, capfd):
    whole, all_decoded = undisturbed
    killed = f"""
import os, signal
from pathlib import Path
from benchmark.cli import main
from benchmark.data import building
from benchmark.data.discovery import find_dataset
from tfds_builders import images

decoded, check = [], images._check

def dying(*given):
    decoded.append(1)
    if len(decoded) > {KILLED_AFTER}:
        os.kill(os.getpid(), signal.SIGKILL)
    return check(*given)

images._check = dying
building.SHUFFLE_BYTES = 1000
building.build(find_dataset({NAME!r}), Path({str(tmp_path)!r}), Path({str(raw)!r}))
"""
    done = subprocess.run([sys.executable, "-c", killed], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    folder = tmp_path / VERSION
    (left,) = folder.parent.glob("incomplete.*")
    assert any(left.iterdir())
    foreign = left.with_name("incomplete.ABCDEF_1.0.0")
    foreign.mkdir()  # of another program, which may be alive

    decoded = counted(monkeypatch)
    prepare(find_dataset(NAME), tmp_path, raw)
    broken, window = 3, 2 * parallel.cores()
    assert len(decoded) <= all_decoded - KILLED_AFTER + broken + window
    assert "an earlier attempt was killed" in capfd.readouterr().err
    for file in ("manifest.csv", "metadata.json", "prepared.json"):
        assert (folder / file).read_bytes() == (whole / file).read_bytes()
    assert records(folder) == records(whole)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["1.0.0", foreign.name]


def test_a_set_that_is_being_prepared_is_waited_for(raw, tmp_path, monkeypatch, capfd):
    began, may_go_on = threading.Event(), threading.Event()
    derive = preparing.derive

    def slowly(*given):
        began.set()
        may_go_on.wait(60)
        return derive(*given)

    monkeypatch.setattr(preparing, "derive", slowly)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(prepare, find_dataset(NAME), tmp_path, raw)
        assert began.wait(60), "what is derived from the images belongs to preparing"
        second = threads.submit(prepare, find_dataset(NAME), tmp_path, raw)
        said = ""
        while "another process is preparing it just now; waiting" not in said:
            assert not second.done()
            time.sleep(0.05)
            said += capfd.readouterr().err
        monkeypatch.setattr(preparing, "derive", None)  # the second one has nothing to do
        may_go_on.set()
        assert first.result(60).derived == second.result(60).derived
    assert [path.name for path in (tmp_path / NAME).iterdir()] == ["1.0.0"]


def test_those_who_wait_come_one_at_a_time_though_the_file_is_removed_each_time(tmp_path):
    path, order = tmp_path / "1.0.0.journal", []
    started = threading.Barrier(4)

    def work(number):
        started.wait(60)
        with journal.opened(path) as book:
            order.append(number)
            time.sleep(0.05)
            assert book.alone
            order.append(number)

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(work, number) for number in range(4)]:
            done.result(60)
    assert order[::2] == order[1::2]
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_leaves_of_deriving_is_gone_with_the_next_attempt(
    raw, undisturbed, tmp_path, monkeypatch
):
    """A kill at a moment leaves what lies there at that moment."""
    whole, _ = undisturbed
    killed = tmp_path / "killed"

    def dying(*given):
        shutil.copytree(tmp_path / "alive", killed)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(copies, "correlations", dying)
        with pytest.raises(KeyboardInterrupt):
            prepare(find_dataset(NAME), tmp_path / "alive", raw)
    folder = killed / VERSION
    assert list(folder.glob(".audit-*"))
    (folder / ".manifest.csv.x.tmp").write_text("half")
    prepare(find_dataset(NAME), killed, raw)
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}
    assert [path.name for path in folder.parent.iterdir()] == ["1.0.0"]
    assert (folder / "prepared.json").read_bytes() == (whole / "prepared.json").read_bytes()


def test_a_failed_attempt_leaves_nothing_but_the_journal(raw, tmp_path, monkeypatch):
    def failing(*given):
        raise DatasetError("no")
        yield

    monkeypatch.setattr(find_dataset(NAME).builder_class, "_generate_examples", failing)
    with pytest.raises(UserError, match="no"):
        prepare(find_dataset(NAME), tmp_path, raw)
    assert [path.name for path in (tmp_path / NAME).iterdir()] == ["1.0.0.journal"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room is left in .*data"),
        (tf.errors.ResourceExhaustedError(None, None, "x: No space left on device"), "no room"),
        (PermissionError(errno.EACCES, "Permission denied", "RAW/chest_xray"), "cannot read RAW"),
        (PermissionError(errno.EACCES, "Permission denied", "DATA/a"), "cannot write to DATA/a"),
    ],
)
def test_what_the_system_refuses_is_told_without_a_trace(raw, tmp_path, monkeypatch, fault, said):
    data_dir = tmp_path / "data"

    def renamed(text: str) -> str:
        return text.replace("RAW", str(raw)).replace("DATA", str(data_dir))

    def failing(*given):
        raise fault
        yield

    if getattr(fault, "filename", None):
        fault.filename = renamed(fault.filename)
    monkeypatch.setattr(find_dataset(NAME).builder_class, "_generate_examples", failing)
    with pytest.raises(UserError, match=renamed(said)):
        prepare(find_dataset(NAME), data_dir, raw)


def test_sorting_on_disk_changes_nothing(raw, undisturbed, tmp_path, monkeypatch):
    from tensorflow_datasets.core import shuffle

    limit = shuffle.MAX_MEM_BUFFER_SIZE
    buckets = []
    add = shuffle._Bucket.add
    monkeypatch.setattr(building, "SHUFFLE_BYTES", 10_000)
    monkeypatch.setattr(shuffle._Bucket, "add", lambda *given: buckets.append(1) or add(*given))
    folder = building.build(find_dataset(NAME), tmp_path, raw)
    assert buckets
    assert records(folder) == records(undisturbed[0])
    assert shuffle.MAX_MEM_BUFFER_SIZE == limit > building.SHUFFLE_BYTES


def test_progress_is_told_without_a_terminal(raw, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(building, "SECONDS", 0)
    building.build(find_dataset(NAME), tmp_path, raw)
    told = capfd.readouterr().err
    assert f"{NAME}, train: 10 examples" in told
    for split in ("train", "validation", "test"):
        assert f"{NAME}, {split}: " in told
    assert "read and checked" in told


def test_a_folder_too_high_or_too_low_is_told_from_the_one_that_was_meant(tmp_path):
    meant = chestxray14_raw.write(tmp_path / "downloads" / "nih")
    dataset = find_dataset("chestxray14/fourteen_random")
    for given in (meant.parent, meant / "images"):
        with pytest.raises(DatasetError) as error:
            dataset.locate(given)
        assert f"{meant} does hold it" in str(error.value)
    (tmp_path / "empty" / "images").mkdir(parents=True)
    with pytest.raises(DatasetError) as error:
        dataset.locate(tmp_path / "empty" / "images")
    assert "does hold it" not in str(error.value)


def test_the_name_of_the_set_is_said_once(tmp_path):
    with pytest.raises(UserError) as error:
        prepare(find_dataset("chestxray14/fourteen"), tmp_path / "data", tmp_path / "nowhere")
    assert str(error.value).startswith("chestxray14/fourteen: there is no folder")


def test_a_builder_without_a_config_is_answered_with_its_own():
    with pytest.raises(UserError) as error:
        find_dataset("padchest")
    assert "padchest/findings_all" in str(error.value)
    assert "kermany" not in str(error.value)


def test_the_command_says_how_much_of_the_set_is_there(tmp_path):
    raw = chestxray14_raw.write(tmp_path / "raw", absent=7)
    (raw / "images" / "notes.txt").write_text("a stray file")
    name, manual_dir = "chestxray14/fourteen_random", ["--manual-dir", str(raw)]
    folders = ["--data-dir", str(tmp_path / "data"), "--cache-dir", str(tmp_path / "cache")]
    done = CliRunner().invoke(main, ["prepare", name, *manual_dir, *folders])
    assert done.exit_code == 0, done.output
    facts = load_prepared(name, tmp_path / "data").facts
    there = facts.listed - 7
    share = f"{there / facts.listed:.1%}"
    told = f"list {facts.listed} images for this config: {there} present ({share}), 7 absent"
    assert told in done.output
    assert "1 files quarantined (not used):\n    images/notes.txt: not listed" in done.output
    assert f"{len(facts.converted)} files converted" in done.output

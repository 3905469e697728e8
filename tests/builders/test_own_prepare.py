"""`prepare` for a set of one's own: look first, say what changed, keep copies together, warn."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from own_sets import picture, write
from PIL import Image

from benchmark import cli
from benchmark.commands.support import counted
from benchmark.data.own_sets import _other
from benchmark.data.prepared import load_prepared
from benchmark.models import discover
from benchmark.planning.inputs import PlanInputs
from benchmark.planning.resolve import make_plan
from benchmark.protocols.own_split import LEAKING
from benchmark.records.store import Results
from tests.command_line import cxr_bench
from tests.execution.conftest import make_suite
from tfds_builders.archives import Folder

NAME = "image_folder/mine"
BY_NAME = ["--patient-pattern", "^([0-9]+)_"]


def prepare(folder: Path, data: Path, *said: str, name: str = "mine"):
    arguments = ["prepare", "image_folder", "--name", name, "--manual-dir", folder, *said]
    arguments += ["--data-dir", data, "--cache-dir", data / "cache"]
    return cxr_bench(*arguments)


def folders(root: Path, n: int = 30, first: int = 0) -> Path:
    names = [f"{c}/{100 * k + i}_a.png" for k, c in enumerate(("normal", "ill")) for i in range(n)]
    return write(root, names, first=first)


@pytest.fixture
def raw(tmp_path) -> Path:
    return folders(tmp_path / "raw")


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


def splits(data: Path) -> dict[str, str]:
    manifest = load_prepared(NAME, data).manifest()
    return dict(zip(manifest["image_id"], manifest["split"], strict=True))


def test_the_only_set_of_one_s_own_is_meant_by_its_builder(raw, data):
    words = ["run", "--suite", "phantom", "--dataset", "image_folder", "--dry-run"]
    words += ["--data-dir", str(data), "--results", str(data.parent / "results")]
    missing = CliRunner().invoke(cli.main, words)
    assert (missing.exit_code, "cxr-bench prepare image_folder" in missing.output) == (2, True)
    assert prepare(raw, data, *BY_NAME).exit_code == 0
    told = CliRunner().invoke(cli.main, [*words, "--filter", f"dataset={NAME},model=cnn"])
    assert told.exit_code == 0, told.output
    assert f"{NAME} cnn 64px" in told.output


@pytest.mark.parametrize(
    ("fractions", "advice"),
    [("75,5,20", "60,20,20 would do for ill on validation"),
     ("85,10,5", "60,20,20 would do for ill on validation and test")],
)  # fmt: skip
def test_fractions_are_advised_for_what_falls_short_and_take_from_train_alone(
    fractions, advice, tmp_path, data
):
    raw = folders(tmp_path / "raw", n=50)
    done = prepare(raw, data, "--check", *BY_NAME, "--split-fractions", fractions)
    assert done.exit_code == 0, done.output
    assert advice in done.output
    followed = prepare(raw, data, "--check", *BY_NAME, "--split-fractions", advice.split()[0])
    assert "numbers undefined" not in followed.output


def test_of_many_findings_that_fall_short_some_are_named_and_all_counted():
    names = [f"f{n} (1 with)" for n in range(13)]
    assert counted(names[:3], [""] * 14) == "f0 (1 with), f1 (1 with), f2 (1 with)"
    said = "13 of 14 findings (f0 (1 with), f1 (1 with), f2 (1 with), ...)"
    assert counted(names, [""] * 14) == said


def test_what_is_left_out_is_told_by_kind(tmp_path, data):
    raw = folders(tmp_path / "raw")
    lines = [
        f"{path.relative_to(raw)},{k % 2}," for k, path in enumerate(sorted(raw.rglob("*.png")))
    ]
    lines[20:] = [f"{line}p{k}" for k, line in enumerate(lines[20:])]
    (raw / "t.csv").write_text("\n".join(["file,y,id", *lines]))
    table = ["--csv", "t.csv", "--image-column", "file", "--finding-columns", "y"]
    done = prepare(raw, data, "--check", *table, "--patient-column", "id")
    assert "20 files or rows would be left out" in done.output
    assert "20: no patient is given for ill/100_a.png ('')" in done.output
    assert "and the like" in done.output


def test_a_column_with_a_comma_stands_in_quotes(tmp_path, data):
    raw = folders(tmp_path / "raw")
    lines = [
        f"{path.relative_to(raw)},{k % 2}" for k, path in enumerate(sorted(raw.rglob("*.png")))
    ]
    (raw / "t.csv").write_text("\n".join(['file,"flu, any"', *lines]))
    table = ["--csv", "t.csv", "--image-column", "file", *BY_NAME, "--check", "--finding-columns"]
    wrong = prepare(raw, data, *table, "flu, any")
    assert "Its columns are 'file', 'flu, any'" in wrong.output
    assert "would hold 60 images" in prepare(raw, data, *table, '"flu, any"').output


def test_a_check_tells_all_and_writes_nothing(raw, data):
    done = prepare(raw, data, "--check", *BY_NAME)
    assert done.exit_code == 0, done.output
    assert "would hold 60 images: binary" in done.output
    assert "numbers undefined; 10 patients with" in done.output
    assert "AUC on test: ill (6 with, 6 without)" in done.output
    assert "55,10,35 would do for ill on test" in done.output
    wider = prepare(raw, data, "--check", *BY_NAME, "--split-fractions", "55,10,35")
    assert "AUC on test" not in wider.output
    assert "would do for" not in wider.output, "nothing is left to give to validation"
    assert not data.exists()
    wrong = prepare(raw, data, "--check", "--patient-pattern", "^(x+)")
    assert wrong.exit_code == 2
    assert "is found in no file name or path" in wrong.output
    typed = r"^(x\d+)_"
    wrong = prepare(raw, data, "--check", "--patient-pattern", typed)
    assert f"the patient pattern '{typed}' is found in no" in wrong.output
    wrong = prepare(raw, data, "--check", "--patient-pattern", r"^(\d+")
    assert r"the patient pattern '^(\d+' is no regular expression" in wrong.output
    other = CliRunner().invoke(cli.main, ["prepare", "thorax_phantom/small", "--check"])
    assert "--check: only for sets of your own" in other.output


def test_a_class_of_which_no_image_can_be_used_stops(raw, data):
    """Public reports: files of Git LFS that were never pulled, in one folder of several."""
    for path in (raw / "ill").iterdir():
        path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{path.name}")
    for more in (["--check"], []):
        done = prepare(raw, data, *BY_NAME, *more)
        assert done.exit_code == 2
        assert "of ill, 5 of 30 images were looked at, and none can be used" in done.output
        assert "git lfs pull" in done.output
    assert not list(data.glob("image_folder/*/*/prepared.json"))


def test_what_changed_is_said_and_made_a_new_version(raw, data):
    first = prepare(raw, data, *BY_NAME)
    assert first.exit_code == 0
    assert first.output.count("Auditing 60 images ...") == 1
    again = prepare(raw, data, *BY_NAME)
    assert again.exit_code == 0
    assert "1.0.0 was prepared already, from the same files" in again.output
    for n in range(3):
        (raw / "normal" / f"{n}_a.png").rename(raw / "ill" / f"{n}_a.png")
    Image.fromarray(picture(999)).save(raw / "normal" / "9_a.png")
    changed = prepare(raw, data, *BY_NAME)
    assert changed.exit_code == 2
    for part in ("3 images gone (normal/", "3 images new (ill/", "1 images of other content"):
        assert part in changed.output
    assert "--force" in changed.output
    assert len(splits(data)) == 60
    forced = prepare(raw, data, *BY_NAME, "--force")
    assert forced.exit_code == 0, forced.output
    assert "1.0.0 stays in" in forced.output
    prepared = load_prepared(NAME, data)
    assert prepared.version == "1.0.1"
    assert "ill/0_a.png" in set(prepared.manifest()["image_id"])
    assert (prepared.path.parent / "1.0.0").is_dir()
    assert "1.0.1 was prepared already" in prepare(raw, data, *BY_NAME).output


def test_options_that_changed_are_said_each(raw, data):
    assert prepare(raw, data, *BY_NAME).exit_code == 0
    other = prepare(raw, data, "--patients", "unknown", "--split-seed", "1")
    assert other.exit_code == 2
    said = other.output.partition("read in another way:\n")[2].splitlines()
    assert said[:3] == [
        "  --patient-pattern: was '^([0-9]+)_', now not given",
        "  --patients: was not given, now 'unknown'",
        "  --split-seed: was not given, now 1",
    ]
    assert said[3].startswith("Make a new version of it by --force")
    elsewhere = prepare(raw / "nowhere", data, "--patients", "unknown")
    assert elsewhere.exit_code == 2
    assert f"there is no folder {raw / 'nowhere'}" in elsewhere.output
    assert "another way" not in elsewhere.output


@pytest.mark.parametrize("deep", [False, True])
def test_another_folder_with_the_same_names_is_seen(raw, data, tmp_path, deep):
    """It was written before the set was prepared, so that no file is newer than the set."""
    other = folders(tmp_path / "other", first=1000)
    same = shutil.copytree(raw, tmp_path / "same")
    shutil.copy(raw / "ill" / "100_a.png", other / "ill" / "100_a.png")
    if deep:  # these are converted, so that what is stored is never what a file holds
        for path in [*raw.rglob("*.png"), *same.rglob("*.png"), *other.rglob("*.png")]:
            Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16) * 16).save(path)
    assert prepare(raw, data, *BY_NAME).exit_code == 0
    again = prepare(same, data, *BY_NAME)
    assert "was prepared already, from the same files" in again.output, again.output
    changed = prepare(other, data, *BY_NAME)
    assert changed.exit_code == 2
    assert "59 images of other content" in changed.output


def test_of_what_was_not_written_since_a_sample_is_read(monkeypatch, tmp_path):
    names = [f"{n}.png" for n in range(1050)]
    files = Folder(write(tmp_path, names, side=2))
    stored = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names}
    read: list[str] = []
    monkeypatch.setattr(files, "read", lambda name: read.append(name) or Folder.read(files, name))
    assert _other(files, names, stored, math.inf) == []
    assert 90 <= len(set(read)) <= 100
    assert {len(name) for name in read} == {5, 6, 7, 8}
    assert _other(files, names, stored | {read[50]: "", "7.png": ""}, math.inf) == [
        name for name in names if name in ("7.png", read[50])
    ]
    read.clear()
    assert _other(files, names, stored, 0) == []
    assert len(read) == len(names)


def test_what_was_broken_and_can_be_read_now_is_said(raw, data):
    whole = (raw / "ill" / "100_a.png").read_bytes()
    (raw / "ill" / "100_a.png").write_bytes(b"")
    (raw / "ill" / "101_a.png").write_bytes(whole[:300])
    (raw / "ill" / "102_a.png").write_text("no image")
    assert prepare(raw, data, *BY_NAME).exit_code == 0
    assert len(splits(data)) == 57
    assert "was prepared already, from the same files" in prepare(raw, data, *BY_NAME).output
    for name in ("100_a.png", "101_a.png"):
        Image.fromarray(picture(5000 + int(name[:3]))).save(raw / "ill" / name)
    changed = prepare(raw, data, *BY_NAME)
    assert changed.exit_code == 2
    said = "2 images that can be read now (ill/100_a.png, ill/101_a.png)"
    assert said in changed.output
    assert prepare(raw, data, *BY_NAME, "--force").exit_code == 0
    assert len(splits(data)) == 59
    assert "1.0.1 was prepared already" in prepare(raw, data, *BY_NAME).output


def test_a_link_that_leads_nowhere_by_now_is_other_content(raw, data, tmp_path):
    film = raw / "ill" / "100_a.png"
    film.symlink_to(film.rename(tmp_path / "film.png"))
    assert prepare(raw, data, *BY_NAME).exit_code == 0
    (tmp_path / "film.png").unlink()
    changed = prepare(raw, data, *BY_NAME)
    assert "1 images of other content (ill/100_a.png)" in changed.output


def test_a_table_that_changed_is_said(tmp_path, data):
    raw = write(tmp_path / "raw", [f"{n}.png" for n in range(40)])
    said = ["--csv", "t.csv", "--image-column", "file", "--finding-columns", "Mass"]
    said += ["--patients", "unknown"]

    def table(shift: int) -> None:
        lines = [f"{n}.png,{(n + shift) % 2}" for n in range(40)]
        (raw / "t.csv").write_text("\n".join(["file,Mass", *lines]))

    table(0)
    for more in (["--check"], []):
        told = prepare(raw, data, *said, *more)
        assert told.exit_code == 0
        assert "8 images of an unknown number of patients" in told.output
    table(1)
    changed = prepare(raw, data, *said)
    assert "40 images with other labels" in changed.output
    assert "t.csv was written since" in changed.output


def test_no_cell_of_a_manifest_is_a_formula_and_ids_are_as_in_the_folder(tmp_path, data):
    names = [f"{sign}{n}.png" for sign in ("=", "+", "-", "'-") for n in range(10)]
    raw = write(tmp_path / "raw", names)
    lines = [f"{name},{name}p,{n % 2}" for n, name in enumerate(names)]
    (raw / "t.csv").write_text("\n".join(["file,who,=Mass", *lines]))
    said = ["--csv", "t.csv", "--image-column", "file", "--patient-column", "who"]
    told = prepare(raw, data, *said, "--finding-columns", "=Mass")
    assert told.exit_code == 0, told.output
    prepared = load_prepared(NAME, data)
    assert prepared.facts.findings == ["=Mass"]
    assert {*prepared.manifest()["image_id"]} == {*names}
    assert not {*prepared.manifest()["patient_id"]} & {f"'{name}p" for name in names[:30]}
    written = (prepared.path / "manifest.csv").read_text()
    assert not re.search("(?m)(^|,)[=+-][0-9]*[.]png", written)


def test_a_copy_under_another_patient_goes_where_the_original_is(raw, data):
    """Stored anew, so that no byte is the same: the tool's own split is never judged leaking."""
    for n in range(12):
        film = Image.fromarray(picture(5000 + n, side=20)).resize(
            (128, 128), Image.Resampling.BICUBIC
        )
        film.save(raw / "normal" / f"{500 + n}_a.png")
        film.save(raw / "normal" / f"{600 + n}_b.jpg", quality=95)
    done = prepare(raw, data, *BY_NAME)
    assert done.exit_code == 0, done.output
    assert "leakage status: clean" in done.output
    assert "patients count as one with another" in done.output
    found = splits(data)
    for n in range(12):
        assert found[f"normal/{500 + n}_a.png"] == found[f"normal/{600 + n}_b.jpg"]


@pytest.fixture
def leaking(tmp_path) -> Path:
    """Own train, validation and test with two patients on both sides."""
    root = tmp_path / "leaking"
    for k, split in enumerate(("train", "val", "test")):
        folders(root / split, n=16, first=1000 * k)
        for path in sorted(root.glob(f"{split}/*/*.png")):
            path.rename(path.with_name(f"{k + 1}{path.name}"))
    for n in (1, 2):
        shutil.move(
            root / "train" / "ill" / f"110{n}_a.png", root / "train" / "ill" / f"310{n}_b.png"
        )
    return root


def test_a_split_that_leaks_can_be_made_anew_or_kept_for_what_it_is(leaking, data, tmp_path):
    assert (
        "2 patients stand in several splits" in prepare(leaking, data, *BY_NAME, "--check").output
    )
    done = prepare(leaking, data, *BY_NAME)
    assert "leakage status: leak" in done.output
    assert "--resplit" in done.output
    assert "--keep-split" in done.output
    anew = prepare(leaking, data, *BY_NAME, "--resplit", "--force")
    assert "leakage status: clean" in anew.output, anew.output
    kept = prepare(leaking, data, *BY_NAME, "--keep-split", "--force")
    assert "Its own split is kept" in kept.output, kept.output
    prepared = load_prepared(NAME, data)
    assert prepared.version == "1.0.2"
    suite = make_suite(["constant"], datasets=[NAME])
    inputs = PlanInputs(discover(), {NAME: prepared}, Results(tmp_path / "results"))
    plan = make_plan([suite], inputs)
    assert {planned.spec.protocol for planned in plan.specs} == {LEAKING}
    assert not any(planned.refusal for planned in plan.specs)


def test_built_in_sets_have_no_such_version(tmp_path):
    done = CliRunner().invoke(cli.main, ["prepare", "thorax_phantom/small", "--resplit"])
    assert done.exit_code == 2
    assert "only for sets of your own" in done.output

"""Apache Beam: a pipeline stores what the plain way stores, and takes the same account."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow_datasets as tfds
from click.testing import CliRunner

import tfds_builders
from benchmark.cli import main
from tfds_builders import pipeline
from tfds_builders.chestxray14 import fake_raw as chestxray14_raw
from tfds_builders.errors import DatasetError
from tfds_builders.kermany_pneumonia import fake_raw as kermany_raw
from tfds_builders.lung_masks import fake_raw as mask_raw
from tfds_builders.padchest import fake_raw as padchest_raw
from tfds_builders.splits import SPLITS

# Beam warns of what it finds in its own dependencies, and of each transform without type hints.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def beam():
    return pytest.importorskip(
        "apache_beam", reason="Apache Beam is not installed (extra: cxr-bench[beam])"
    )


def chestxray14(folder: Path) -> Path:
    """Archives, one of them cut short."""
    chestxray14_raw.write(folder, layout="archives")
    archives = sorted(folder.rglob("*.tar.gz"))
    archives[-1].write_bytes(archives[-1].read_bytes()[:-2000])
    return folder


def padchest(folder: Path) -> Path:
    padchest_raw.write(folder, style="zips", size=32)
    return folder


def kermany(folder: Path) -> Path:
    kermany_raw.write(folder, patients=40, size=32)
    broken = sorted(folder.rglob("*.jpeg"))[5:8]
    for path in broken:
        path.write_bytes(path.read_bytes()[:200])
    return folder


def masks(folder: Path) -> Path:
    mask_raw.write(folder, "jsrt")
    next(folder.rglob("JPCLN001.IMG")).write_bytes(b"no film")
    return folder


SETS: dict[str, Callable[[Path], Path]] = {
    "chestxray14/fourteen_random": chestxray14,
    "padchest/findings_all": padchest,
    "kermany_pneumonia/official": kermany,
    "lung_masks/jsrt": masks,
}


NOT_CONVERTED = "kermany_pneumonia/official"


def prepared(name: str, data_dir: Path, manual_dir: Path, **beam):
    builder_name, config = name.split("/")
    builder = tfds_builders.BUILDERS[builder_name](config=config, data_dir=data_dir)
    download = tfds.download.DownloadConfig(manual_dir=manual_dir, **beam)
    builder.download_and_prepare(download_config=download)
    return builder


def as_bytes(value) -> bytes:
    return value if isinstance(value, bytes) else value.tobytes()


@pytest.mark.parametrize("name", SETS)
def test_a_pipeline_stores_the_same_and_loses_no_account(beam, name, stored, tmp_path):
    manual_dir = SETS[name](tmp_path / "raw")
    plain = prepared(name, tmp_path / "plain", manual_dir)
    piped = prepared(name, tmp_path / "piped", manual_dir, beam_options=pipeline.options(""))
    for split in SPLITS:
        examples = [
            [{key: as_bytes(value) for key, value in one.items()} for one in stored(builder, split)]
            for builder in (plain, piped)
        ]
        assert examples[0] == examples[1]
        assert examples[0]
    facts = [dict(builder.info.metadata) for builder in (plain, piped)]
    for kind in ("quarantined", "converted"):
        plain_files, piped_files = (sorted(map(json.dumps, one.pop(kind))) for one in facts)
        assert plain_files == piped_files
        assert plain_files or (name, kind) == (NOT_CONVERTED, "converted")
    assert json.dumps(facts[0], sort_keys=True) == json.dumps(facts[1], sort_keys=True)
    files = [{path.name for path in Path(b.data_dir).iterdir()} for b in (plain, piped)]
    assert files[0] == files[1]


def test_the_command_runs_a_pipeline_of_the_runner_that_is_asked_for(beam, tmp_path):
    arguments = ["prepare", "kermany_pneumonia/official", "--manual-dir"]
    folders = ["--data-dir", str(tmp_path / "data"), "--cache-dir", str(tmp_path / "cache")]
    arguments += [str(kermany(tmp_path / "raw")), *folders]
    wrong = CliRunner().invoke(main, [*arguments, "--beam-options", "runner=NoSuchRunner"])
    assert wrong.exit_code == 2
    assert "NoSuchRunner" in wrong.output
    done = CliRunner().invoke(main, [*arguments, "--beam"])
    assert done.exit_code == 0, done.output
    assert "3 files quarantined" in done.output


def test_a_split_without_a_readable_image_is_a_named_error(beam, tmp_path):
    manual_dir = kermany(tmp_path / "raw")
    for path in (manual_dir / "chest_xray" / "test").rglob("*.jpeg"):
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match="pipeline failed"):
        prepared(
            "kermany_pneumonia/official",
            tmp_path / "data",
            manual_dir,
            beam_options=pipeline.options(""),
        )
    shutil.rmtree(tmp_path / "data")


def test_a_set_made_in_place_has_no_use_for_a_pipeline(tmp_path):
    arguments = ["prepare", "thorax_phantom/small", "--beam", "--data-dir", str(tmp_path)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "Beam is of no use" in done.output


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is not None, reason="Apache Beam is installed"
)
def test_without_the_extra_the_way_to_it_is_told(tmp_path):
    arguments = ["prepare", "kermany_pneumonia/official", "--beam", "--data-dir", str(tmp_path)]
    manual_dir = kermany(tmp_path / "raw")
    done = CliRunner().invoke(main, [*arguments, "--manual-dir", str(manual_dir)])
    assert done.exit_code == 2
    assert "cxr-bench[beam]" in done.output
    with pytest.raises(DatasetError, match="Apache Beam is not installed"):
        prepared(
            "kermany_pneumonia/official", tmp_path / "data", manual_dir, beam_runner="DirectRunner"
        )

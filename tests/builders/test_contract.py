"""What every registered builder has to keep, whatever it holds.

A builder joins by one entry in EXPECTED; what it says of itself is tested in its own file.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import itertools
import json
import shutil
import subprocess
import sys
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core import dataset_metadata

import tfds_builders
from benchmark.data.facts import read_set_facts
from tfds_builders import example, splits
from tfds_builders.chestxray14 import fake_raw as chestxray14_raw
from tfds_builders.chestxray14 import protocols as chestxray14_protocols
from tfds_builders.errors import LayoutError
from tfds_builders.image_folder import fake_raw as own_raw
from tfds_builders.kermany_pneumonia import fake_raw as kermany_raw
from tfds_builders.lung_masks import fake_raw as mask_raw
from tfds_builders.padchest import fake_raw as padchest_raw
from tfds_builders.splits import SPLITS


@dataclass(frozen=True)
class Expected:
    """What a builder declares to the suite.

    Attributes:
        configs: the configs that are prepared, with the number of findings of each; 0 for masks.
        write: writes raw files below a folder, the manual directory; None for embedded sets.
        slot: where below the manual directory a k-th further image would lie, in the training
            part and under a name of the published kind.
        add: instead of ``slot``, where an image needs more than its file: writes a k-th further
            image (manual directory, config, k, content), returns its path.
        files: how many files a config has to account for in a manual directory.
        alike: whether all configs are of the same files, so that one stands for them in a quick run
            of what takes long.
    """

    configs: dict[str, int]
    write: Callable[[Path], object] | None = None
    slot: Callable[[int], str] | None = None
    add: Callable[[Path, str, int, bytes], Path] | None = None
    files: Callable[[Path, str], int] | None = None
    alike: bool = True


def _kermany_files(manual_dir: Path, config: str) -> int:
    pools = ("train", "val", "test") if config.startswith("official") else ("train", "val")
    found = (path for pool in pools for path in (manual_dir / "chest_xray" / pool).rglob("*"))
    return sum(path.is_file() and not path.name.startswith("._") for path in found)


def _padchest_files(manual_dir: Path, config: str) -> int:
    table = pd.read_csv(manual_dir / padchest_raw.TABLE, dtype=str)
    lists = table["Labels"].fillna("[]").map(ast.literal_eval)
    said = lists.map(lambda items: {x.strip().lower() for x in items} - {"", "unchanged"})
    keep = said.map(lambda s: bool(s) and s.isdisjoint({"exclude", "suboptimal study"}))
    keep &= table["Projection"] != "EXCLUDE"
    if "frontal" in config:
        keep &= table["Projection"].isin(["PA", "AP", "AP_horizontal"])
    if "physician" in config:
        keep &= table["MethodLabel"] == "Physician"
    if "metastasis" in config:
        keep &= said.map(lambda s: ("lung metastasis" in s) != (s == {"normal"}))
    files = {path.name for path in manual_dir.glob("*/*") if not path.name.startswith(".")}
    strays = sum(not name.endswith(".png") for name in files)
    return int((keep & table["ImageID"].isin(files | set(padchest_raw.MISSING))).sum()) + strays


def _write_masks(folder: Path) -> None:
    for config in mask_raw.NAMES:
        mask_raw.write(folder / config, config)


def _add_mask(folder: Path, config: str, k: int, data: bytes) -> Path:
    lungs = np.zeros((60, 64), bool)
    lungs[10:40, 8:28] = lungs[10:40, 36:56] = True
    return mask_raw.add(folder / config, config, 700 + k, data, lungs)


def _mask_files(folder: Path, config: str) -> int:
    names = {path.parent.name for path in (folder / config).rglob("*.*")}
    (images,) = names & {"CXR_png", "All247images", "images"}
    return sum(path.parent.name == images for path in (folder / config).rglob("*.*"))


def _chestxray14_files(manual_dir: Path, config: str) -> int:
    table = pd.read_csv(
        manual_dir / "Data_Entry_2017.csv", skiprows=1, header=None, names=range(12)
    )
    files = {path.name for path in (manual_dir / "images").iterdir() if path.name[0] != "."}
    strays = len(files - set(table[0]))
    keep = table[0].isin(files)
    if config.startswith("seven"):
        salt, share = chestxray14_protocols.SALT, 1 / 15
        drawn = table[0].map(lambda name: splits.position(name, salt) < share)
        keep &= table[1].isin(chestxray14_protocols.SEVEN) & (drawn | (table[1] != "No Finding"))
    return int(keep.sum()) + strays


EXPECTED = {
    "chestxray14": Expected(
        configs={"fourteen": 14, "seven_v2017": 7},
        write=lambda folder: chestxray14_raw.write(folder, rgba=False),
        slot=lambda k: f"images/{chestxray14_raw.ABSENT_PATIENT:08d}_{k:03d}.png",
        files=_chestxray14_files,
    ),
    "image_folder": Expected(
        configs={"my_set": 1},
        write=own_raw.write_folders,
        slot=lambda k: f"NORMAL/{900 + k}_0.png",
        files=lambda folder, _: (
            sum(path.suffix != ".toml" for path in folder.rglob("*.*"))
            - (folder / ".DS_Store").exists()
        ),
    ),
    "kermany_pneumonia": Expected(
        configs={
            "official": 1,
            "internal": 1,
            "official_three_class": 3,
            "internal_three_class": 3,
        },
        write=lambda folder: kermany_raw.write(folder, patients=40, size=32),
        slot=lambda k: f"chest_xray/train/NORMAL/IM-9{k:03d}-0001.jpeg",
        files=_kermany_files,
    ),
    "padchest": Expected(
        configs={"lung_metastasis_frontal": 1, "findings_all_physician": 15},
        write=lambda folder: padchest_raw.write(folder, style="folders", size=32),
        slot=padchest_raw.absent_image,
        files=_padchest_files,
    ),
    "lung_masks": Expected(
        configs={"montgomery": 0, "jsrt": 0, "darwin": 0, "kermany_pairs": 0},
        write=_write_masks,
        add=_add_mask,
        files=_mask_files,
        alike=False,
    ),
    "thorax_phantom": Expected(configs={"small": 7}),
}
CASES = [(name, config) for name, expected in EXPECTED.items() for config in expected.configs]
MANUAL = [(name, config) for name, config in CASES if EXPECTED[name].write]
TABLES_WITH_SHAPES = {"chestxray14": (0.168, None), "padchest": (None, 12)}
"""Builders whose tables know original sizes, and spacing and bits of their fake raw files."""
METADATA = {
    "findings": list,
    "kind": str,
    "label_version": str,
    "projections": list,
    "original_size": int,
    "split_source": str,
    "suspected": list,
    "redistributable": bool,
    "licence": str,
    "citation": str,
    "simulated": bool,
    "quarantined": list,
    "converted": list,
}

TOLD = ("image_id", "patient_id", "findings", "labelled", "age", "sex", "view", "label_source")

each_builder = pytest.mark.parametrize("name", EXPECTED)
each_config = pytest.mark.parametrize(("name", "config"), CASES)
each_manual = pytest.mark.parametrize(("name", "config"), MANUAL)


def quick(cases: list[tuple[str, str]], alike: bool = False) -> pytest.MarkDecorator:
    """The same; of a builder's configs that are alike all but the first are slow."""
    firsts = dict(reversed(cases))
    slow = [(alike or EXPECTED[name].alike) and config != firsts[name] for name, config in cases]
    marked = [
        pytest.param(*case, marks=[pytest.mark.slow] * later)
        for case, later in zip(cases, slow, strict=True)
    ]
    return pytest.mark.parametrize(("name", "config"), marked)


@pytest.fixture(scope="module")
def manual_dirs(tmp_path_factory) -> dict[str, Path | None]:
    folders = dict.fromkeys(EXPECTED)
    for name in {name for name, _ in MANUAL}:
        folders[name] = tmp_path_factory.mktemp(name)
        EXPECTED[name].write(folders[name])
    return folders


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture(scope="module")
def prepared(prepare, data_dir, manual_dirs):
    """Function (name, config) -> the config, prepared once for the whole file."""
    return functools.cache(lambda name, config: prepare(name, config, data_dir, manual_dirs[name]))


@pytest.fixture
def builder(name, config, prepared):
    return prepared(name, config)


@pytest.fixture(scope="module")
def stored(stored):
    """What is read of it, read once."""
    return functools.cache(stored)


def in_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@each_config
def test_a_built_in_set_is_what_it_was(name, config, builder, stored):
    """Images, patients, splits and labels of every built-in set, by digest; pixels aside.

    Rows are of these: what is mended for people's own sets must not move them.
    """
    if name == "image_folder":
        return
    lines = [
        (split, *(f"{key}={np.asarray(one[key]).tolist()}" for key in sorted(one) if key in TOLD))
        for split in SPLITS
        if split in builder.info.splits
        for one in stored(builder, split)
    ]
    digest = hashlib.sha256(repr(sorted(lines)).encode()).hexdigest()[:16]
    recorded = json.loads((Path(__file__).parent / "built_in_sets.json").read_text())
    assert {f"{name}/{config}": digest}.items() <= recorded.items()


def test_every_builder_has_its_entry():
    assert set(EXPECTED) == set(tfds_builders.BUILDERS)


def test_import_registers_all_without_tensorflow():
    code = (
        "import sys, tfds_builders, tensorflow_datasets as tfds\n"
        "for name, cls in tfds_builders.BUILDERS.items():\n"
        "    assert tfds.builder_cls(name) is cls and cls.name == name\n"
        "    if getattr(cls, 'EMBEDDED', False): continue\n"
        "    try: cls.locate('/nowhere', next(iter(cls.builder_configs), 'own'))\n"
        "    except tfds_builders.errors.LayoutError: pass\n"
        "print('tensorflow' in sys.modules)"
    )
    assert in_fresh_python(code) == "False"


@each_builder
def test_folder_says_what_the_set_is(name):
    cls = tfds_builders.BUILDERS[name]
    folder = Path(tfds_builders.__file__).parent / name
    told = cls.get_metadata()
    assert len(told.description) > 300
    assert "@" in told.citation
    assert told.tags
    assert set(told.tags) <= set(dataset_metadata.valid_tags())
    assert (folder / "checksums.tsv").is_file()
    assert (folder / "fake_raw.py").is_file() or cls.EMBEDDED
    assert str(cls.VERSION) in cls.RELEASE_NOTES
    assert all(config.description for config in cls.BUILDER_CONFIGS)
    assert getattr(cls, "EMBEDDED", False) or cls.MANUAL_DOWNLOAD_INSTRUCTIONS


@each_config
def test_features_are_those_of_the_contract(builder, name, config):
    wide = EXPECTED[name].configs[config]
    dtype = builder.info.features["image"].dtype
    assert dtype in (np.uint8, np.uint16)
    given = builder.info.features.get_tensor_info()
    expected = example.features(wide, dtype) if wide else example.mask_features(dtype)
    assert given == expected.get_tensor_info()
    assert given["image"].shape == (None, None, 1)
    if wide:
        assert given["findings"].shape == given["labelled"].shape == (wide,)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_metadata_that_could_not_be_read_back_is_not_written(tmp_path, number):
    facts = example.metadata(
        findings=["a"], kind="binary", label_version="", split_source="", licence="", citation="",
        redistributable=False, boxes=[{"x": number}],
    )  # fmt: skip
    with pytest.raises(ValueError, match="not JSON compliant"):
        facts.save_metadata(tmp_path)
    assert not list(tmp_path.iterdir())


@each_config
def test_metadata_is_complete_and_readable_without_tfds(builder, name, config):
    (file,) = Path(builder.data_dir).glob("metadata.json")
    facts = json.loads(file.read_text())
    assert facts == json.loads(json.dumps(builder.info.metadata))
    assert {key: type(facts[key]) for key in METADATA} == METADATA
    assert read_set_facts(name, file.parent).findings == facts["findings"]
    wide = EXPECTED[name].configs[config]
    assert len(set(facts["findings"])) == wide
    assert facts["kind"] in (example.KINDS if wide else [example.SEGMENTATION])
    assert (facts["kind"] == "binary") == (wide == 1)
    assert wide or facts["mask_definition"]
    assert facts["citation"]
    assert facts["licence"]
    assert facts["split_source"]
    for pair in facts["suspected"]:
        assert set(pair) == {"splits", "reason"}
        assert len(set(pair["splits"]) & set(SPLITS)) == 2


@each_config
def test_examples_keep_the_contract(builder, stored, name, config):
    seen = set()
    for split in SPLITS:
        found = stored(builder, split)
        assert found, f"{split} is empty"
        assert len(found) == builder.info.splits[split].num_examples
        for one in found:
            check_example(one, builder.info.metadata["kind"])
        ids = [one["image_id"] for one in found]
        assert len(set(ids)) == len(ids)
        assert seen.isdisjoint(ids)
        seen.update(ids)


def check_example(one: dict, kind: str) -> None:
    assert one["image"].startswith((b"\xff\xd8\xff", b"\x89PNG"))
    if kind == example.SEGMENTATION:
        height, width, _ = one["mask"].shape
        assert Image.open(io.BytesIO(one["image"])).size == (width, height)
        assert 255 in np.unique(one["mask"])
        assert set(np.unique(one["mask"])) <= {0, 127, 255}
    else:
        assert set(np.unique([one["findings"], one["labelled"]])) <= {0, 1}
        assert np.all(one["findings"] <= one["labelled"])
    if kind == "multiclass":
        assert one["findings"].sum() == 1
    assert -1 <= one["age"] <= 120
    assert one["sex"] in (b"F", b"M", b"")
    assert one["patient_id"]
    assert one["label_source"]
    assert one["view"] == one["view"].strip()


@each_config
def test_no_patient_is_in_two_splits_unless_declared(builder, stored):
    patients = {s: {one["patient_id"] for one in stored(builder, s)} for s in SPLITS}
    suspected = {frozenset(pair["splits"]) for pair in builder.info.metadata["suspected"]}
    for a, b in itertools.combinations(SPLITS, 2):
        if frozenset((a, b)) not in suspected:
            assert patients[a].isdisjoint(patients[b])


@each_config
def test_plain_load_decodes_what_is_stored(builder, stored, name, config, data_dir):
    data = tfds.load(f"{name}/{config}", split="test", data_dir=data_dir, shuffle_files=False)
    by_id = {one["image_id"]: one["image"] for one in stored(builder, "test")}
    for one in tfds.as_numpy(data):
        height, width, channels = one["image"].shape
        assert channels == 1
        assert min(height, width) > 1
        again = tf.io.decode_image(by_id.pop(one["image_id"]), 1, one["image"].dtype)
        np.testing.assert_array_equal(one["image"], again)
    assert not by_id


@each_config
def test_sets_of_one_finding_load_as_pairs(builder, stored, name, config, data_dir):
    if len(builder.info.metadata["findings"]) != 1:
        assert builder.info.supervised_keys is None
        return
    pairs = tfds.load(f"{name}/{config}", split="test", data_dir=data_dir, as_supervised=True)
    findings = [one["findings"].tolist() for one in stored(builder, "test")]
    assert sorted(y.tolist() for _, y in tfds.as_numpy(pairs)) == sorted(findings)


def test_plain_load_from_a_fresh_python(prepared, data_dir, manual_dirs, tmp_path):
    """What READMEs promise to people who never touch the benchmark: the import alone registers all.

    Of sets that are prepared, and of one that is prepared from the raw files.
    """
    made = {f"{name}/{config}": prepared(name, config) for name, config in CASES}
    code = (
        "import json, sys, tfds_builders, tensorflow_datasets as tfds\n"
        "counted = {}\n"
        f"for name in {list(made)}:\n"
        f"    data = tfds.load(name, split='validation', data_dir={str(data_dir)!r})\n"
        "    counted[name] = sum(1 for _ in data)\n"
        f"config = tfds.download.DownloadConfig(manual_dir={str(manual_dirs['chestxray14'])!r})\n"
        "data = tfds.load('chestxray14/fourteen_random', split='test',\n"
        f"    data_dir={str(tmp_path)!r},\n"
        "    download_and_prepare_kwargs={'download_config': config})\n"
        "counted['raw'] = sum(1 for _ in data)\n"
        "assert not any(name.split('.')[0] == 'benchmark' for name in sys.modules)\n"
        "print(json.dumps(counted))"
    )
    counted = json.loads(in_fresh_python(code).splitlines()[-1])
    assert counted.pop("raw") > 3
    assert counted == {n: one.info.splits["validation"].num_examples for n, one in made.items()}


@quick(CASES)
def test_a_second_generation_gives_the_same(
    builder, stored, prepare, tmp_path, name, config, manual_dirs
):
    again = prepare(name, config, tmp_path, manual_dirs[name])
    assert dict(again.info.metadata) == dict(builder.info.metadata)
    for split in SPLITS:
        for one, other in zip(stored(builder, split), stored(again, split), strict=True):
            assert one.keys() == other.keys()
            for key in one:
                np.testing.assert_array_equal(one[key], other[key])


@quick(CASES, alike=True)
def test_the_suite_of_tfds_passes(builder, name, config, manual_dirs):
    sizes = {split: builder.info.splits[split].num_examples for split in SPLITS}
    facts = {
        "DATASET_CLASS": tfds_builders.BUILDERS[name],
        "BUILDER_CONFIG_NAMES_TO_TEST": [builder.builder_config],
        "SPLITS": sizes,
        "EXAMPLE_DIR": manual_dirs[name] or Path(__file__).parent,
    }
    case = type("Case", (tfds.testing.DatasetBuilderTestCase,), facts)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun > 3
    assert not result.errors + result.failures


@each_manual
def test_locate_says_what_is_missing(name, config, tmp_path, manual_dirs):
    cls = tfds_builders.BUILDERS[name]
    assert cls.locate(manual_dirs[name], config)
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong" / "holiday").mkdir(parents=True)
    (tmp_path / "wrong" / "holiday" / "beach.jpeg").write_bytes(b"sand")
    for n in range(20):
        (tmp_path / "wrong" / "holiday" / f"{n}.jpeg").write_bytes(b"sand")
    for folder, found in (("nowhere", "nowhere"), ("empty", "nothing"), ("wrong", "holiday")):
        with pytest.raises(LayoutError) as error:
            cls.locate(tmp_path / folder, config)
        message = str(error.value)
        assert str(tmp_path / folder) in message
        assert "Expected" in message
        assert found in message


@each_manual
def test_tables_that_know_original_shapes_are_read(name, config, manual_dirs, builder, stored):
    """By image id, for images that the set may have; see ``tests/data/test_shapes.py``."""
    known = getattr(tfds_builders.BUILDERS[name], "original_shapes", None)
    assert bool(known) == (name in TABLES_WITH_SHAPES)
    if known:
        shapes = known(manual_dirs[name], config)
        ids = {one["image_id"].decode() for split in SPLITS for one in stored(builder, split)}
        assert ids <= shapes.keys()
        assert {shapes[image][2:] for image in ids} == {TABLES_WITH_SHAPES[name]}
        assert all(shape.width > 0 and shape.height > 0 for shape in shapes.values())


def odd_images() -> dict[str, tuple[bytes, str]]:
    """Files as they turn up, with what has to become of them."""
    grey = np.add.outer(np.arange(60), np.arange(64)).astype(np.uint8)
    picture = Image.fromarray(grey)

    def encode(image: Image.Image, format: str) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, format)
        return buffer.getvalue()

    jpeg = encode(picture, "JPEG")
    deep = encode(Image.fromarray(grey.astype(np.uint16) * 300), "PNG")
    return {
        "empty": (b"", "quarantined"),
        "text": (b"not a radiograph", "quarantined"),
        "truncated": (jpeg[: len(jpeg) // 2], "quarantined"),
        "truncated PNG": (deep[: len(deep) // 2], "quarantined"),
        "RGBA": (encode(picture.convert("RGBA"), "PNG"), "converted"),
        "palette": (encode(picture.convert("P"), "PNG"), "converted"),
        "CMYK": (encode(picture.convert("CMYK"), "JPEG"), "converted"),
        "BMP": (encode(picture.rotate(90), "BMP"), "converted"),
        "16 bit": (deep, "deep"),
        "grey PNG": (encode(picture, "PNG"), "kept"),
        "RGB JPEG": (encode(picture.convert("RGB"), "JPEG"), "kept"),
    }


@quick(MANUAL)
def test_broken_images_are_accounted_for(
    builder, name, config, prepare, stored, tmp_path, manual_dirs
):
    expected = EXPECTED[name]
    shutil.copytree(manual_dirs[name], tmp_path / "raw")
    outcomes = {}
    for k, (data, outcome) in enumerate(odd_images().values()):
        if expected.add:
            path = expected.add(tmp_path / "raw", config, k, data)
        else:
            path = tmp_path / "raw" / expected.slot(k)
            path.write_bytes(data)
        outcomes[path.name] = outcome
    notes = path.with_name("notes.txt")
    notes.write_text("an unexpected file")
    outcomes[notes.name] = "quarantined"

    clean = builder.info.metadata
    builder = prepare(name, config, tmp_path / "data", tmp_path / "raw")
    deep = builder.info.features["image"].dtype == np.uint16
    outcomes = {
        f: ("kept" if deep else "converted") if o == "deep" else o for f, o in outcomes.items()
    }
    for fate in ("quarantined", "converted"):
        entries = [e for e in builder.info.metadata[fate] if e not in clean[fate]]
        assert all(entry["reason"] for entry in entries)
        assert {Path(e["file"]).name for e in entries} == {
            f for f, o in outcomes.items() if o == fate
        }
        noted = fate == "converted" and name != "lung_masks"
        assert all(({"bits", "channels"} <= entry.keys()) == noted for entry in entries)
    found = builder.info.splits.total_num_examples + len(builder.info.metadata["quarantined"])
    assert found == expected.files(tmp_path / "raw", config)
    for split in SPLITS:
        decoded = list(tfds.as_numpy(builder.as_dataset(split=split)))
        assert len(decoded) == len(stored(builder, split))

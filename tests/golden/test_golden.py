"""No component gives other numbers than it did, unless its version says so."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from tests.golden.compare import difference, rounded
from tests.golden.components import FAMILIES, compute, golden, missing
from tests.golden.of_models import SLOW
from tests.golden.record import main
from tests.golden.versions import file, version

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def components():
    for family in FAMILIES:
        for name in FAMILIES[family].names():
            slow = family == "models" and name in SLOW
            yield pytest.param(family, name, marks=[pytest.mark.slow] * slow, id=f"{family}-{name}")


def needs(family: str, name: str) -> None:
    if how := missing(family, name):
        pytest.skip(f"{name} needs a package that is not installed: {how}")
    if FAMILIES[family].keras:
        import keras

        if keras.backend.backend() != "tensorflow":
            pytest.skip("golden values were recorded under TensorFlow")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_component_has_golden_values_and_no_other_has(family):
    found, kept = set(FAMILIES[family].names()), set(golden(family))
    new, gone = sorted(found - kept), sorted(kept - found)
    anew = "python -m tests.golden.record"
    assert not new, f"{family}: {', '.join(new)}: no golden values yet; record them with `{anew}`"
    assert not gone, f"{family}: {', '.join(gone)}: gone, but has golden values; drop with `{anew}`"


@pytest.mark.parametrize(("family", "name"), [*components()])
def test_numbers_are_those_of_the_version(family, name):
    needs(family, name)
    kept, now = golden(family).get(name), version(family, name)
    record = f"python -m tests.golden.record {family}/{name}"
    assert kept, f"{family}/{name} has no golden values; record them with `{record}`"
    assert kept["version"] == now, (
        f"{family}/{name} has version {now} in {file(family, name)}, its golden values are of "
        f"version {kept['version']}; record anew with `{record}`"
    )
    changed = difference(kept["values"], compute(family, name))
    assert not changed, (
        f"the numbers of {family}/{name} changed ({changed}). If that is meant, raise its version "
        f"in {file(family, name)} and record anew with `{record}`"
    )


def test_versions_are_read_without_a_framework():
    code = (
        "import sys; from tests.golden.versions import version\n"
        "names = dict(models='cnn', decoding='mask', preprocessing='raw', augmentation='flip',"
        " imbalance='none', schemes='knn', normalisation='unit', training='loss',"
        " ensembles='anomaly')\n"
        "asked = [*names.items(), *(('protocols', p) for p in ('legacy', 'probes', 'screening'))]\n"
        "print([version(*each) > 0 for each in asked].count(True))\n"
        "print([n for n in ('keras', 'tensorflow', 'jax', 'sklearn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["12", "[]"]


# The comparison itself

VALUES = {"a": [1.0, -250.0, [3, 0.001]], "b": {"n": [1, 2]}, "pixels": "AAECAw==", "none": None}


def changed(**values):
    return copy.deepcopy(VALUES) | values


@pytest.mark.parametrize(
    "now",
    [
        changed(),
        changed(a=[1.02, -250.0, [3, 0.001]]),  # a ten-thousandth of the largest
        changed(a=[1.0, -250.02, [3, 0.0]]),
    ],
)
def test_what_machines_differ_by_is_no_change(now):
    assert difference(VALUES, now) == ""


@pytest.mark.parametrize(
    ("now", "where"),
    [
        (changed(a=[1.03, -250.0, [3, 0.001]]), "/a[0] is 1.03; recorded: 1.0"),
        (changed(a=[1.0, -250.0, [4, 0.001]]), "/a[2] is 4; recorded: 3"),
        (changed(a=[1.0, float("nan"), [3, 0.001]]), "/a[1] is nan"),
        (changed(a=[1.0, None, [3, 0.001]]), "/a[1] is None"),
        (changed(a=[1.0, -250.0]), "/a holds 2 values; recorded: 4"),
        (changed(b={"n": [1, 3]}), "/b/n[1] is 3"),
        (changed(b={"m": [1, 2]}), "/b has m; recorded: n"),
        (changed(pixels="AAECBA=="), "/pixels: 1 of 4 pixels differ, by up to 1"),
        (changed(none=0), "/none[0] is 0; recorded: None"),
    ],
)
def test_a_change_is_named(now, where):
    assert where in difference(VALUES, now)


def test_numbers_are_kept_as_json_gives_them_back():
    import json

    import numpy as np

    values = rounded({1: (np.float32(0.1), np.int64(3)), "x": [1 / 3, True, None, "text"]})
    assert values == {"1": [0.1, 3], "x": [0.3333333, True, None, "text"]}
    assert json.loads(json.dumps(values)) == values


# Recording


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A folder of golden values with the families that are quick."""
    monkeypatch.setattr("tests.golden.components.FOLDER", tmp_path)
    quick = {name: FAMILIES[name] for name in ("imbalance", "preprocessing")}
    for module in ("components", "record"):
        monkeypatch.setattr(f"tests.golden.{module}.FAMILIES", quick)
    assert main([]) == 0
    return tmp_path


def test_recording_fills_what_is_missing_and_drops_what_is_gone(recorded):
    assert set(golden("imbalance")) == set(FAMILIES["imbalance"].names())
    whole = (recorded / "imbalance.json").read_text()
    assert len(whole.splitlines()) == len(golden("imbalance")) + 2, "one line each"
    fewer = whole.replace('"focal"', '"gone"')
    (recorded / "imbalance.json").write_text(fewer)
    assert main([]) == 0
    assert (recorded / "imbalance.json").read_text() == whole


def test_changed_numbers_are_not_recorded_under_the_same_version(recorded, capsys):
    path = recorded / "imbalance.json"
    whole = path.read_text()
    other = whole.replace('"gamma":2.0', '"gamma":3.0')
    path.write_text(other)
    assert main([]) == 0
    assert main(["imbalance/focal"]) == 1
    assert path.read_text() == other
    assert "imbalance/focal: raise its version in benchmark/training/" in capsys.readouterr().out
    assert main(["imbalance/focal", "--same-version"]) == 0
    assert path.read_text() == whole


def test_a_raised_version_is_recorded(recorded, monkeypatch):
    path = recorded / "imbalance.json"
    path.write_text(path.read_text().replace('"gamma":2.0', '"gamma":3.0'))
    monkeypatch.setattr("tests.golden.record.version", lambda family, name: 2)
    assert main(["imbalance/focal"]) == 0
    entries = golden("imbalance")
    assert entries["focal"]["version"] == 2
    assert entries["focal"]["values"]["binary"]["gamma"] == 2.0
    assert entries["none"]["version"] == 1


def test_an_unknown_component_is_named(recorded, capsys):
    assert main(["imbalance/foal"]) == 1
    assert "there is no component imbalance/foal" in capsys.readouterr().out

"""What `benchmarks/device.sh` keeps when something fails, and the page that is made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.device.__main__ import Findings, Measuring
from benchmarks.device.page import page
from benchmarks.device.steps import Case

CHILD = """
from benchmarks.device.child import attempt
attempt("good", lambda: {"ms": 2.0, "images_per_s": 16000})
attempt("bad", lambda: {}["nothing"])
print("what a library prints")
raise SystemExit(3)
"""


def measuring(folder, minutes: float = 1.0) -> Measuring:
    findings = Findings(folder / "device.json", {"date": "2026-01-01", "card": None, "code": ""})
    return Measuring(SimpleNamespace(out=folder, minutes=minutes), findings, folder)


def kept(folder) -> dict:
    return json.loads((folder / "device.json").read_text())


def test_what_fails_is_recorded_with_its_error_and_the_next_goes_on(tmp_path):
    it = measuring(tmp_path)
    it.child("steps", "jax", "jax", ["-c", CHILD], 60)
    found = kept(tmp_path)["parts"]["steps"]
    assert found["jax good"]["ms"] == 2.0
    assert found["jax bad"]["error"] == "KeyError: 'nothing'"
    assert found["jax process"]["exit_code"] == 3
    assert "KeyError" in (tmp_path / "steps.log").read_text()


def test_a_process_that_takes_too_long_leaves_what_it_has_told(tmp_path):
    it = measuring(tmp_path)
    slow = CHILD.replace('print("what', 'import time; time.sleep(60); print("what')
    it.child("steps", "jax", "jax", ["-c", slow], 3)
    found = kept(tmp_path)["parts"]["steps"]
    assert found["jax good"]["ms"] == 2.0
    assert found["jax process"]["exit_code"] < 0


def test_nothing_is_begun_when_the_time_is_up(tmp_path):
    it = measuring(tmp_path, minutes=0)
    it.child("steps", "jax", "jax", ["-c", CHILD], 60)
    assert kept(tmp_path)["parts"]["steps"]["jax"] == {
        "error": "left out: the time was up",
        "at_s": pytest.approx(0, abs=5),
    }


def test_the_page_has_a_line_for_every_case_and_names_what_failed(tmp_path):
    it = measuring(tmp_path)
    facts = {"cores": 16, "cpu": "a CPU", "memory_gb": 128, "packages": {"jax": "0.11.2"}}
    it.findings.add("facts", "jax versions", facts)
    it.findings.add("steps", "jax cnn@64x32 bare step", {"ms": 2.0, "images_per_s": 16000})
    it.findings.add("steps", "jax cnn@64x32 fit, pipeline", {"error": "ValueError: a | b"})
    row = {"seed": 0, "auc": 0.99, "committed_auc": 0.98, "phases": {"train": 7.0}}
    it.findings.add("auc", "jax first run", {"rows": [row | {"predictions_sha256": "f" * 64}]})
    text = page([kept(tmp_path)])
    assert "no accelerator; 16 cores of a CPU, 128 GB;\njax 0.11.2" in text
    assert "| cnn@64x32 | jax | 2.00 (16,000/s) | failed |" in text
    assert "| jax first | 0 | 0.9900 | 0.9800 | ffffffffffff | 7.0 |" in text
    assert "| steps | jax cnn@64x32 fit, pipeline | ValueError: a b |" in text


def test_what_an_earlier_call_found_stays_until_it_is_measured_again(tmp_path):
    measuring(tmp_path).findings.add("steps", "jax bare step", {"ms": 2.0})
    again = measuring(tmp_path).findings
    again.add("memory", "jax run", {"ended": {}})
    again.add("steps", "jax bare step", {"ms": 1.0})
    assert kept(tmp_path)["parts"].keys() == {"steps", "memory"}
    assert kept(tmp_path)["parts"]["steps"]["jax bare step"]["ms"] == 1.0
    with pytest.raises(SystemExit, match="no facts of the machine"):
        page([kept(tmp_path)])


@pytest.mark.parametrize("fact", ["card", "code"])
def test_what_another_card_or_other_code_found_is_not_added_to(tmp_path, fact):
    path, made = tmp_path / "device.json", {"date": "2026-01-01", "card": "A", "code": "B"}
    path.write_text(json.dumps({"made": made, "parts": {}}))
    Findings(path, made)
    with pytest.raises(SystemExit, match=f"another {fact} .*choose another --out"):
        Findings(path, made | {fact: "C"})


def test_the_script_leaves_the_paths_it_is_given_as_they_are(tmp_path):
    """Called as on a machine to which the code was carried: from another folder."""
    script = Path(__file__).parents[2] / "benchmarks/device.sh"
    command = [script, "--data-dir", "data", "--out", "found", "--kept", "kept", "--minutes", "0"]
    done = subprocess.run(
        [*command, "--only", "steps-jax"],
        env=os.environ | {"PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "the time was up" in (tmp_path / "found/device.json").read_text()


def test_a_case_is_read_from_its_written_form():
    assert Case.read("resnet50@224x64") == Case("resnet50", 224, 64, "float32")
    assert Case.read("cnn@64x32:mixed_bfloat16").precision == "mixed_bfloat16"

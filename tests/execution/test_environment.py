from __future__ import annotations

import json

import pytest

from benchmark.errors import UnknownName
from benchmark.execution.environment import Environment, current, provenance


def test_the_environment_follows_its_variables(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("CXR_BENCH_DEVICE", "tpu")
    assert (current().backend, current().device) == ("jax", "tpu")
    assert current().threads >= 1


@pytest.mark.parametrize(
    ("variable", "value", "nearest"),
    [("KERAS_BACKEND", "tensorflwo", "tensorflow"), ("CXR_BENCH_DEVICE", "gpuu", "gpu")],
)
def test_a_wrong_variable_is_explained(monkeypatch, variable, value, nearest):
    monkeypatch.setenv(variable, value)
    with pytest.raises(UnknownName, match=f"unknown {variable}.*Did you mean '{nearest}'"):
        current()


@pytest.mark.parametrize(
    ("wanted", "gmacs", "fast", "expected"),
    [
        ("auto", 3.9, True, "mixed_bfloat16"),
        ("auto", 3.9, False, "float32"),
        ("auto", 0.5, True, "float32"),
        ("auto", None, True, "float32"),
        ("float32", 3.9, True, "float32"),
        ("mixed_float16", 0.1, False, "mixed_float16"),
    ],
)
def test_precision_follows_model_and_hardware(wanted, gmacs, fast, expected):
    environment = Environment("tensorflow", "cpu", 2, fast_bfloat16=fast)
    assert environment.precision(wanted, gmacs) == expected


def test_provenance_is_plain_json_and_names_versions():
    facts = json.loads(json.dumps(provenance()))
    assert facts["packages"]["keras"].startswith("3.")
    assert facts["hardware"]["cores"] >= 1
    assert facts["code_version"]

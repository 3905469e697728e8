from __future__ import annotations

import keras
import msgspec
import pytest

from benchmark.errors import UnknownName
from benchmark.machine.environment import (
    KERAS,
    Environment,
    commit,
    current,
    environment_facts,
    fix_keras_settings,
)
from benchmark.records.row import EnvironmentFacts


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


def test_facts_name_versions_and_what_it_ran_on():
    facts = environment_facts(Environment("tensorflow", "cpu", 2))
    assert facts.packages["keras"].startswith("3.")
    assert facts.packages["numpy"]
    assert (facts.backend, facts.device, facts.threads) == ("tensorflow", "cpu", 2)
    assert facts.cores >= 1
    assert facts.accelerator is None
    assert facts.keras == KERAS
    assert msgspec.json.decode(msgspec.json.encode(facts), type=EnvironmentFacts) == facts


def test_of_predictions_from_elsewhere_nothing_is_made_up():
    facts = environment_facts(None)
    assert facts.packages["keras"].startswith("3.")
    assert {facts.backend, facts.device, facts.threads, facts.cpu, facts.keras} == {None}


def test_the_commit_is_known_in_a_checkout_and_none_outside_of_one(monkeypatch, tmp_path):
    found = commit.__wrapped__()
    assert found is None or len(found.rstrip("+")) == 40
    monkeypatch.setattr("benchmark.__file__", str(tmp_path / "__init__.py"))
    assert commit.__wrapped__() is None


def test_settings_that_somebody_changed_are_brought_back():
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(1e-2)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_bfloat16")
    fix_keras_settings()
    assert keras.config.floatx() == "float32"
    assert keras.config.epsilon() == 1e-7
    assert keras.config.image_data_format() == "channels_last"
    assert keras.config.dtype_policy().name == "float32"

from __future__ import annotations

import sys

import keras
import msgspec
import pytest

from benchmark.errors import UnknownName, UserError
from benchmark.machine import accelerators
from benchmark.machine.accelerators import found_by
from benchmark.machine.devices import Device, Found, find
from benchmark.machine.environment import (
    KERAS,
    Environment,
    check,
    commit,
    current,
    environment_facts,
    fix_keras_settings,
)
from benchmark.records.run_facts import EnvironmentFacts


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


FOUND = """
class cuda:
    device_count = staticmethod(lambda: 2)
    get_device_name = staticmethod(lambda i: f"Card {i}")
    get_device_capability = staticmethod(lambda i: (7 + i, 0))
print("a library that talks")
"""


@pytest.fixture
def torch(tmp_path, monkeypatch):
    """Writes what stands for PyTorch, for this process and those that it starts."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "torch.py").write_text


@pytest.mark.parametrize("missing", ["torch", "tensorflow"])
def test_a_package_that_is_not_installed_is_told_with_how_to_install_it(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError, match=f"{missing}, .*not installed. .*: pip install {missing}"):
        check(Environment("torch" if missing == "torch" else "jax", "cpu", 1))


def test_an_environment_that_can_be_had_is_none_to_complain_about():
    check(Environment("tensorflow", "cpu", 1))


def test_the_devices_that_a_backend_finds_are_asked_of_it_elsewhere(torch):
    torch(FOUND)
    cards = [Device("Card 0", False), Device("Card 1", True)]
    assert found_by("torch", "gpu") == Found(cards)
    assert "torch" not in sys.modules
    assert check(Environment("torch", "gpu", 1)) == tuple(cards)


def test_a_device_that_the_backend_does_not_find_is_told_before_anything_is_planned(torch):
    torch(FOUND)
    with pytest.raises(UserError, match=r"have a tpu, but torch finds none.*CXR_BENCH_DEVICE=cpu"):
        check(Environment("torch", "tpu", 1))


def test_a_backend_that_cannot_be_imported_is_told_with_its_own_words(torch):
    torch("raise OSError('libcudart.so.12: cannot open shared object file')")
    with pytest.raises(UserError, match=r"torch backend cannot be asked .*OSError: libcudart"):
        check(Environment("torch", "gpu", 1))


def test_a_backend_that_does_not_answer_is_not_waited_for(torch, monkeypatch):
    monkeypatch.setattr(accelerators, "ANSWER_SECONDS", 0.5)
    torch("import time; time.sleep(60)")
    with pytest.raises(UserError, match=r"not answered for 0\.5 s"):
        check(Environment("torch", "gpu", 1))


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_an_accelerator_that_is_not_there_is_found_by_no_framework(backend):
    assert find(backend, "tpu") == Found([])

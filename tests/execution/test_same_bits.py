"""A spec predicts the same bits whatever runs beside or before it, and whatever is set globally.

By a person's own file of Keras, or by another model file, which sets what it likes when it is read.
"""

from __future__ import annotations

import json

import pytest

from tests.execution.conftest import CARD, LINEAR, Bench, make_suite

SETTINGS = (
    "set_floatx('float16')",
    "set_epsilon(0.3)",
    "set_image_data_format('channels_first')",
    "set_dtype_policy('mixed_bfloat16')",
)
LASTING = "keras.layers.Dense.call = lambda self, inputs: inputs[:, :1] * 0.0\n"
"""Of no setting: nothing brings it back but the end of the process."""
MODELS = ["linear", "thamilarasi3"]  # the latter with batch statistics and random layers


def trained(phantom, folder, models=MODELS, model_dirs=(), **options):
    """What workers predicted by model and seed, and the order in which they trained the models."""
    bench, order = Bench(phantom, folder, model_dirs), []
    recipe = {"epochs": 1}
    suite = make_suite(models, seeds=(0, 1), augmentation=["standard"], size=24, recipe=recipe)

    def note(planned, event):
        order.append(planned.spec.model)

    bench.run(bench.plan(suite), note, isolated=True, **options)
    found = {
        (row.spec.model, row.spec.seed): bench.results.predictions_path(row.spec_id).read_bytes()
        for row in bench.results.rows()
        if row.spec.model in MODELS
    }
    return found, list(dict.fromkeys(order))


@pytest.fixture(scope="module")
def usual(phantom, tmp_path_factory):
    """What one worker predicts where nothing is set."""
    folder = tmp_path_factory.mktemp("usual")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        return trained(phantom, folder / "results")[0]


def test_every_model_and_seed_has_its_own_predictions(usual):
    assert len(set(usual.values())) == 2 * len(MODELS)


def test_a_worker_beside_another_predicts_the_same_bits(phantom, usual, tmp_path):
    assert trained(phantom, tmp_path, jobs=2)[0] == usual


def test_a_worker_after_one_with_another_model_file_predicts_the_same_bits(
    phantom, usual, tmp_path
):
    calls = [f"keras.config.{setting}\n" for setting in SETTINGS] + [LASTING]
    at_top, in_build = ("".join(indent + call for call in calls) for indent in ("", "    "))
    text = f"{CARD}{at_top}def build(input_shape, task, weights):\n{in_build}{LINEAR}"
    (tmp_path / "a_meddler.py").write_text(text)
    after, order = trained(phantom, tmp_path / "results", ["a_meddler", *MODELS], [tmp_path])
    assert order == ["a_meddler", *MODELS]
    assert after == usual


@pytest.mark.slow
def test_a_persons_own_settings_of_keras_change_no_bit(phantom, usual, tmp_path, monkeypatch):
    odd = {"floatx": "float16", "epsilon": 0.3, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(odd | {"backend": "jax"}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert trained(phantom, tmp_path / "results")[0] == usual

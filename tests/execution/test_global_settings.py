"""What a model file, or a person's own file, sets globally in Keras does not reach other specs."""

from __future__ import annotations

import json

from tests.execution.conftest import CARD, LINEAR, Bench, make_suite

SETTINGS = (
    "set_floatx('float16')",
    "set_epsilon(0.3)",
    "set_image_data_format('channels_first')",
    "set_dtype_policy('mixed_bfloat16')",
)
LASTING = "keras.layers.Dense.call = lambda self, inputs: inputs[:, :1] * 0.0\n"
"""Of no setting: nothing brings it back but the end of the process."""
MODELS = ["linear", "cnn", "thamilarasi3"]  # the last with batch statistics and random layers


def predictions(bench, models=MODELS):
    return {
        path.name: path.read_bytes()
        for path in (bench.results.folder / "predictions").iterdir()
        if path.name.partition(".")[0] in {bench.rows()[model].spec_id for model in models}
    }


def trained(phantom, folder, models, model_dirs=()):
    """The bench of models that one worker trained in turn, and the order in which they ended."""
    bench, order = Bench(phantom, folder, model_dirs), []
    plan = bench.plan(make_suite(models, size=24, recipe={"epochs": 1}))
    bench.run(plan, lambda planned, event: order.append(planned.spec.model), isolated=True)
    return bench, order


def test_the_next_spec_of_the_run_predicts_the_same_bits(phantom, tmp_path):
    calls = [f"keras.config.{setting}\n" for setting in SETTINGS] + [LASTING]
    meddling = []
    for place, indent in (("top", ""), ("build", "    ")):
        made = "".join(indent + call for call in calls)
        top, first = (made, "") if place == "top" else ("", made)
        text = f"{CARD}{top}def build(input_shape, task, weights):\n{first}{LINEAR}"
        meddling.append(f"a_{place}")
        (tmp_path / f"{meddling[-1]}.py").write_text(text)
    alone, _ = trained(phantom, tmp_path / "alone", MODELS)
    after, order = trained(phantom, tmp_path / "after", [*meddling, *MODELS], [tmp_path])
    assert max(map(order.index, meddling)) < min(map(order.index, MODELS))
    assert all(after.rows()[model].status in ("done", "failed") for model in meddling)
    expected = predictions(alone)
    assert len(expected) == len(MODELS)
    assert predictions(after) == expected


def test_a_persons_own_settings_of_keras_change_no_bit(phantom, tmp_path, monkeypatch):
    def settled(name, settings):
        (folder := tmp_path / name).mkdir()
        (folder / "keras.json").write_text(json.dumps(settings))
        monkeypatch.setenv("KERAS_HOME", str(folder))
        return predictions(trained(phantom, folder / "results", MODELS[:2])[0], MODELS[:2])

    usual = settled("usual", {})
    odd = {"floatx": "float16", "epsilon": 0.3, "image_data_format": "channels_first"}
    assert len(usual) == 2
    assert settled("odd", odd | {"backend": "jax"}) == usual

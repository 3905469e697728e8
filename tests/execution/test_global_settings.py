"""What a model file sets globally in Keras does not reach the spec after it."""

from __future__ import annotations

import pytest

from tests.execution.conftest import CARD, LINEAR, Bench, make_suite

SETTINGS = {
    "floatx": "set_floatx('float16')",
    "epsilon": "set_epsilon(0.3)",
    "format": "set_image_data_format('channels_first')",
    "policy": "set_dtype_policy('mixed_bfloat16')",
}
MODELS = ["linear", "cnn", "thamilarasi3"]  # the last with batch statistics and random layers


def predictions(bench):
    return {
        path.name: path.read_bytes()
        for path in (bench.results.folder / "predictions").iterdir()
        if path.name.partition(".")[0] in {bench.rows()[model].spec_id for model in MODELS}
    }


@pytest.fixture(scope="module")
def expected(phantom, tmp_path_factory):
    """Predictions of a worker that has seen nothing else."""
    bench = Bench(phantom, tmp_path_factory.mktemp("expected"))
    suite = make_suite(MODELS, size=24, recipe={"epochs": 1})
    assert bench.run(bench.plan(suite), isolated=True) == {"done": len(MODELS)}
    return predictions(bench)


@pytest.mark.parametrize("place", ["top", "build"])
def test_the_next_spec_in_the_same_worker_predicts_the_same_bits(
    phantom, tmp_path, expected, place
):
    for name, setting in SETTINGS.items():
        call = f"keras.config.{setting}\n"
        top, first = (call, "") if place == "top" else ("", f"    {call}")
        text = f"{CARD}{top}def build(input_shape, task, weights):\n{first}{LINEAR}"
        (tmp_path / f"a_{name}.py").write_text(text)
    bench = Bench(phantom, tmp_path / "results", [tmp_path])
    meddling = [f"a_{name}" for name in SETTINGS]
    suite = make_suite([*meddling, *MODELS], size=24, recipe={"epochs": 1})
    plan, order = bench.plan(suite), []
    ended = bench.run(plan, lambda planned, event: order.append(planned.spec.model), isolated=True)
    assert ended["done"] + ended["failed"] == len(meddling) + len(MODELS)
    assert max(map(order.index, meddling)) < min(map(order.index, MODELS))
    assert predictions(bench) == expected

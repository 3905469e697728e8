"""Small results folders with generated predictions, and a site of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmark.records.facts import ProtocolFacts
from benchmark.records.row import Row
from benchmark.records.run_facts import History
from benchmark.records.store import Results
from benchmark.scoring import bootstrap
from tests.report import made_rows
from tests.report.made_rows import TRAINED, add_row, legacy, protocol


@pytest.fixture(scope="module", autouse=True)
def few_resamples():
    """A hundred instead of 10,000: what is shown of intervals is tested here, not what they are."""
    replicates = bootstrap.replicates

    def few(*parts, resamples: int, **given):
        return replicates(*parts, resamples=100, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "replicates", few)
        yield


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def add(results: Results) -> Callable[..., Row]:
    """:func:`add_row` for the test's own results folder."""
    return partial(add_row, results)


@pytest.fixture
def add_seeds(results: Results) -> Callable[..., list[Row]]:
    """:func:`made_rows.add_seeds` for the test's own results folder."""
    return partial(made_rows.add_seeds, results)


@pytest.fixture
def make_protocol() -> Callable[..., ProtocolFacts]:
    return protocol


@pytest.fixture
def make_legacy() -> Callable[..., ProtocolFacts]:
    return legacy


HOSTILE = """<script>alert("1")</script> "onmouseover='x' & | *b* [l](https://example.org) `c`"""
ODD = 100 * "a"
"""The longest name of a suite, which is none for a file."""
HISTORY = History(loss=[0.7, 0.4, 0.3], val_auc=[0.6, None, 0.8], best_epoch=2)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> tuple[Path, Results]:
    """A site and its results: two protocols, texts made to break out, failures, subgroups."""
    from benchmark.report.html.site import write_site

    results = Results(tmp_path_factory.mktemp("results"))
    chance = np.random.default_rng(0)
    people = {"sex": chance.choice(["F", "M"], 190), "view": chance.choice(["PA", HOSTILE], 190)}
    for seed in range(3):
        add_row(results, "cnn", seed, strength=3.0, history=HISTORY)
        add_row(results, "resnet50", seed, strength=1.0, spec={"resolution": 224})
    add_row(results, "constant", strength=0.0)
    add_row(results, "mlp", failed=HOSTILE)
    names = ("Normal", HOSTILE, "other")
    own = {"split": HOSTILE, "label_version": HOSTILE}
    shared = protocol("toy/theirs", names, "multiclass", **own)
    facts = {"shared": shared, "kind": "multiclass", "suite": ODD, "people": people}
    recipe = TRAINED["recipe"] | {"name": HOSTILE}
    add_row(results, "theirs", strength=2.0, spec={"recipe": recipe}, **facts)
    out = tmp_path_factory.mktemp("site")
    write_site(results, out)
    return out, results

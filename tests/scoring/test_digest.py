"""The test digest that predictions have is that of their data set, whatever the protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.data.prepared import load_prepared
from benchmark.kinds.running import make_predictions
from benchmark.protocols import find, protocol_of, spec_data
from benchmark.records.predictions import read_predictions
from benchmark.records.store import Results
from benchmark.scoring.digest import is_recomputable
from benchmark.scoring.digest import test_digest as digest_of
from tests.data.claimed_sets import claim, some_facts, some_lines
from tests.records.rows import a_spec

NAME = "kermany_pneumonia/internal_three_class"
COMMITTED = Results(Path(__file__).parents[2] / "results")


def a_set(folder: Path, protocol: str):
    """Three classes by sex; no image of the first patient is labelled."""
    lines = some_lines(60, "Normal", "Bacterial", "Viral")
    number = np.arange(len(lines))
    for column, finding in enumerate(("Normal", "Bacterial", "Viral")):
        lines[f"target:{finding}"] = (number % 3 == column) * 1
    lines["sex"] = np.where(number % 2, "F", "M")
    if protocol == "published":
        lines.loc[lines["image_id"] == "test000", lines.columns.str.startswith("labelled")] = 0
        lines.loc[lines["image_id"] == "test000", lines.columns.str.startswith("target")] = 0
    findings = [c.removeprefix("target:") for c in lines if c.startswith("target:")]
    claim(folder / NAME / "1.0.0", lines, some_facts(*findings, kind="multiclass"))
    return find(protocol).apply(load_prepared(NAME, folder))


def predictions(folder: Path, protocol: str):
    prepared = a_set(folder, protocol)
    spec = a_spec(dataset=NAME, protocol=protocol)
    parts = {split: data.part for split, data in spec_data(spec, prepared).items()}
    logits = {s: np.zeros((len(p), prepared.task.n_outputs), np.float32) for s, p in parts.items()}
    return make_predictions(prepared, parts, logits), protocol_of(spec, prepared)


@pytest.mark.parametrize("protocol", ["published", "without:Viral", "probe:sex"])
def test_it_is_that_of_the_protocol_and_sees_images_patients_and_targets(protocol, tmp_path):
    made, facts = predictions(tmp_path, protocol)
    assert digest_of(made, facts) == facts.test_digest
    turned = {k: v[::-1] for k, v in vars(made).items() if isinstance(v, np.ndarray)}
    assert digest_of(replace(made, **turned), facts) == facts.test_digest
    for name in ("image_id", "patient_id", "targets"):
        values = getattr(made, name).copy()
        values[-1] = 1 - values[-1] if name == "targets" else "another"
        assert digest_of(replace(made, **{name: values}), facts) != facts.test_digest


def test_every_committed_row_has_the_test_set_of_its_protocol():
    rows = [row for row in COMMITTED.rows() if row.done and not row.holds_masks]
    legacy = [row for row in rows if not is_recomputable(row.protocol)]
    assert {row.spec.protocol for row in legacy} == {"legacy_s3"}
    assert len({digest(row) for row in legacy}) == 1
    assert [row.spec_id for row in rows if digest(row) != row.protocol.test_digest] == [
        row.spec_id for row in legacy
    ]


def digest(row) -> str:
    path = COMMITTED.predictions_path(row.spec_id, row.dataset.redistributable)
    return digest_of(read_predictions(path, row.dataset.task.kind), row.protocol)

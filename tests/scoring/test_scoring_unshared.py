"""AUC on the test patients whose id no other split has, against a plain loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.scoring.unshared import unshared_patients
from tests.report.made_rows import predictions, protocol

FINDINGS = ("a", "b")
RUNS = [predictions(protocol(findings=FINDINGS), 1.0, seed, "multilabel") for seed in (0, 1)]


def renamed(run, names):
    """With other ids of test patients."""
    ids = np.array([names.get(name, name) for name in run.patient_id.tolist()])
    return replace(run, patient_id=np.where(run.split == "test", ids, run.patient_id))


def test_patients_of_their_own_leave_nothing_to_ask():
    assert unshared_patients(RUNS, FINDINGS) is None


@pytest.mark.parametrize("findings", [("a",), FINDINGS])
def test_they_are_what_a_plain_loop_finds(findings):
    test_ids = sorted(set(RUNS[0].part("test").patient_id))
    others = sorted(set(RUNS[0].patient_id) - set(test_ids))
    runs = [renamed(run, dict(zip(test_ids[:8], others, strict=False))) for run in RUNS]
    told = unshared_patients(runs, findings)
    known = {(i, p) for i, p in zip(runs[0].split, runs[0].patient_id, strict=True) if i != "test"}
    aucs = []
    for run in runs:
        test = run.part("test")
        own = [i for i, p in enumerate(test.patient_id) if p not in {p for _, p in known}]
        for finding in findings:
            k = FINDINGS.index(finding)
            aucs.append(roc_auc_score(test.targets[own, k], test.logits[own, k]))
    assert (told.images, told.patients, told.shared) == (len(own), 22, 8)
    assert told.auc == pytest.approx(np.mean(aucs))
    assert told.interval[0] < told.auc < told.interval[1]


def test_too_few_patients_have_a_count_and_no_auc():
    test_ids = sorted(set(RUNS[0].part("test").patient_id))
    others = sorted(set(RUNS[0].patient_id) - set(test_ids))
    runs = [renamed(run, dict(zip(test_ids[:25], others, strict=False))) for run in RUNS]
    told = unshared_patients(runs, FINDINGS)
    assert (told.patients, told.shared, told.auc, told.interval) == (5, 25, None, None)

"""Golden outputs of protocols: which images of a fixed manifest land where, with which targets."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tests.golden.inputs import SPLITS

PATIENTS = 45
"""In each split, with two images each."""


def protocols() -> list[str]:
    return ["legacy", "probes", "screening"]


def applied(name: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        return {"legacy": _legacy, "probes": _probes, "screening": _screening}[name](Path(folder))


FINDINGS = {"multiclass": ["Normal", "Bacteria", "Virus"], "binary": ["Mass"]}


def _manifest(kind: str):
    """The manifest of the set, a DataFrame."""
    import pandas as pd

    n = 2 * PATIENTS * len(SPLITS)
    patients = np.arange(n) // 2
    classes = np.random.default_rng(10).choice(3, n, p=(0.5, 0.3, 0.2))
    shown = np.eye(3, dtype=int)[classes] if kind == "multiclass" else classes[:, None] // 2
    columns = {
        "image_id": [f"image{i}" for i in range(n)],
        "patient_id": [f"patient{p}" for p in patients],
        "split": np.repeat(SPLITS, 2 * PATIENTS),
        "sha256": "0" * 64,
        "width": 40,
        "height": 40,
        "age": np.select([patients % 9 == 0, patients % 22 == 1], [-1, 85], patients % 3 * 30 + 5),
        "sex": np.array(["F", "M", "F", ""])[patients % 4],
        "view": np.array(["AP", "PA", "PA", "L"])[np.arange(n) * 3 % 4],
        "label_source": np.array(["reader", "report"])[patients % 5 // 3],
    }
    columns |= {f"target:{name}": shown[:, i] for i, name in enumerate(FINDINGS[kind])}
    known = np.where(np.arange(n) % 31 == 0, 0, 1)
    return pd.DataFrame(columns | {f"labelled:{name}": known for name in FINDINGS[kind]})


def _prepared(folder: Path, kind: str):
    """A prepared set of which only the manifest exists; the only place that knows its facts."""
    from benchmark.data.facts import PreparedFacts, SetFacts
    from benchmark.data.manifest import MANIFEST
    from benchmark.data.prepared import Prepared
    from benchmark.hashing import sha256

    text = _manifest(kind).to_csv(index=False).encode()
    (folder / MANIFEST).write_bytes(text)
    facts = SetFacts(
        findings=FINDINGS[kind],
        kind=kind,
        label_version="1",
        split_source="ours",
        licence="none",
        citation="none",
        redistributable=True,
        projections=["PA"],
        original_size=40,
        suspected=[],
        simulated=True,
        quarantined=[],
        converted=[],
    )
    derived = PreparedFacts(
        manifest_sha256=sha256(text),
        metadata_sha256=None,
        image_source="original",
        counts={},
        test_digest="0" * 64,
        leakage_status="clean",
        reasons=[],
    )
    return Prepared("golden/set", "1.0.0", folder, facts, derived)


def _numbers(data) -> dict:
    """Of each split the numbers of its images, and what they and their copies are taken for."""
    return {split: _of_split(each) for split, each in data.items()}


def _of_split(data) -> dict:
    ids = [str(i).partition("~")[0].removeprefix("image") for i in data.part.image_id]
    rows = np.arange(len(data.part)) if data.rows is None else data.rows
    codes = np.zeros(len(rows), int) if data.codes is None else data.codes
    truth = data.part.masked_targets + 1
    code = truth @ (3 ** np.arange(truth.shape[1]))
    return {
        "images": list(map(int, ids)),
        "rows": _checksum(rows),
        "turned": codes.astype(int).tolist() if codes.any() else [],
        "targets": code.astype(int).tolist(),
    }


def _checksum(rows: np.ndarray) -> list[int]:
    """Number, sum, and sum in order."""
    rows = np.asarray(rows, np.int64)
    return [len(rows), int(rows.sum()), int(rows @ np.arange(len(rows)))]


def _legacy(folder: Path) -> dict:
    """Every protocol that its file names, of them each with the copies that it makes."""
    from benchmark.protocols.legacy import PROTOCOLS

    prepared, values = _prepared(folder, "binary"), {}
    for name, protocol in PROTOCOLS.items():
        policy = "copies_s3" if protocol.copies_first else "none"
        values[name] = _numbers(protocol.data(SimpleNamespace(imbalance=policy), prepared))
    return values


def _probes(folder: Path) -> dict:
    from benchmark.protocols.probe import FIELDS, PREFIX, AttributePrediction

    prepared, values = _prepared(folder, "binary"), {}
    for field in FIELDS:
        protocol = AttributePrediction(f"{PREFIX}{field}")
        asked = protocol.apply(replace(prepared))
        told = {"findings": list(asked.task.findings), "kind": asked.task.kind}
        values[field] = told | _numbers(protocol.data(None, asked))
    return values


def _screening(folder: Path) -> dict:
    from benchmark.protocols.screening import PREFIX, Screening

    prepared = _prepared(folder, "multiclass")
    protocols = {withheld: Screening(f"{PREFIX}{withheld}") for withheld in ("Bacteria", "Virus")}
    return {
        withheld: _numbers(protocol.data(None, protocol.apply(prepared)))
        for withheld, protocol in protocols.items()
    }

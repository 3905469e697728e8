"""The answers of the reporting checklist on data, from the records of a suite.

No line means that the records do not hold the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmark.records.predictions import SPLITS
from benchmark.records.store import Results
from benchmark.report.blocks.content import Content, with_code
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.text import count
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.html.suite_page import SuiteRows
from benchmark.scoring.stored import predictions_of
from benchmark.scoring.subgroups import OLDEST


def objectives(suite: SuiteRows, results: Results) -> Iterator[Content]:
    """What the suite says of itself."""
    yield from map(with_code, filter(None, [suite.title, suite.description]))


def existing_images(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Whether images were taken for the study."""
    simulated = {table.dataset.simulated for table, _ in suite.tables}
    if True in simulated:
        yield "Simulated images: no patients."
    if False in simulated:
        yield "Retrospective: existing images, none taken for these runs."


def source(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Data sets, versions, citations."""
    yield from suite.each(lambda t: (
        f"version {t.protocol.dataset_version}, {t.protocol.image_source}; "
        f"{t.dataset.citation}"
    ))  # fmt: skip


def inclusion(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Projections taken, files left out, limits."""

    def said(table: Table) -> str:
        taken = ", ".join(table.protocol.projections) or "not recorded"
        return f"projections {taken}; {count(table.dataset.quarantined)} unreadable files left out"

    yield from suite.each(said)
    yield from dict.fromkeys(mark for table, _ in suite.tables for mark in table.watermarks)


def preparation(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Sizes and pixel preparation."""
    axes = {"size (px)": "resolution", "preparation": "preprocessing"}
    for name, axis in (axes | {"normalisation": "normalisation"}).items():
        used = suite.distinct(partial(_axis_value, axis))
        if used:
            yield f"{name}: {', '.join(used)}"


def _axis_value(axis: str, configuration: Configuration) -> str:
    return str(getattr(configuration.spec, axis) or "")


def missing(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Images without a label for a finding, and what is done about it."""

    def said(table: Table) -> str:
        gaps = {}
        for c in table.configurations[:1]:
            for split, scored in c.runs[0].scores.splits.items():
                for finding, values in scored.per_finding.items():
                    if scored.n_images > values.n:
                        gaps[f"{finding}, {split}"] = scored.n_images - values.n
        listed = "; ".join(f"{where}: {count(n)}" for where, n in gaps.items())
        return f"images without a label: {listed or 'none'}"

    yield from suite.each(said)
    yield "An image without a label for a finding is left out of its loss and of its scores."


def reference(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Findings and the version of the labels."""
    yield from suite.each(lambda t: (
        f"{', '.join(t.protocol.findings)}; labels {t.protocol.label_version}"
    ))  # fmt: skip


def predictors(suite: SuiteRows, results: Results) -> Iterator[str]:
    """What models see."""
    yield "The pixels of one image."
    if any(c.spec.model == "metadata_only" for c in suite.configurations):
        yield "metadata_only: age, sex and view, no pixels."
    if any(c.spec.model == "geometry_only" for c in suite.configurations):
        yield "geometry_only: the shape of the original files, no pixels."


def sizes(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Images, patients and positives of each split."""

    def said(table: Table) -> str:
        return "; ".join(
            f"{split} {count(n.images)} images"
            f"{of_patients(n.patients, unknown=table.dataset.patients_unknown)}, positive "
            + ", ".join(f"{finding} {count(k)}" for finding, k in n.positives.items())
            for split in SPLITS
            if (n := table.counts.get(split))
        )

    yield from suite.each(said)


def patients(suite: SuiteRows, results: Results) -> Iterator[str]:
    """Age, sex and view of the test images, where the set tells them."""
    for table, configurations in suite.tables:
        for c in configurations[:1] if table.tested else ():
            test = predictions_of(results, c.runs[0].row).part("test")
            known = [_ages(test.age), *(_shares(a, getattr(test, a)) for a in ("sex", "view"))]
            if any(known):
                yield f"{table.name}, test: {'; '.join(filter(None, known))}"


def splits(suite: SuiteRows, results: Results) -> Iterator[str]:
    """How the splits were made, and the leakage status."""
    yield from suite.each(lambda t: (
        f"{t.protocol.split}. Are patients apart? Leakage status {t.leakage_status}"
        + (f": {t.reasons_told}" if t.reasons else "")
    ))  # fmt: skip


def imbalance(suite: SuiteRows, results: Results) -> Iterator[str]:
    """How rare findings are weighted; prevalences follow from the sample size."""
    used = suite.distinct(lambda c: c.spec.imbalance)
    yield f"policies: {', '.join(used) or 'none'}; positives of each split: see sample size"


def _ages(ages: np.ndarray) -> str:
    known = ages[(ages >= 0) & (ages <= OLDEST)]
    if not len(known):
        return ""
    low, middle, high = np.percentile(known, [25, 50, 75])
    return f"age {middle:.0f} ({low:.0f} to {high:.0f}), known of {count(len(known))} images"


def _shares(name: str, values: np.ndarray) -> str:
    known, counts = np.unique(values[values != ""], return_counts=True)
    listed = ", ".join(f"{value} {count(int(n))}" for value, n in zip(known, counts, strict=True))
    return f"{name} {listed}" if listed else ""

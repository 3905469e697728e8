"""Predictions of another tool as rows of the leaderboard, marked as such.

A file is read, checked and scored in memory (:func:`read_entry`). What it must not do to what is
in a results folder is another question (:mod:`benchmark.kinds.external_checks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs

from benchmark.data.discovery import find_dataset
from benchmark.data.prepared import SPLITS, ManifestPart, Prepared, load_prepared
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.kinds.running import base_row
from benchmark.models import ModelFile
from benchmark.protocols import SplitProtocol, find, spec_data
from benchmark.records.external import External, ExternalFileError, read_external
from benchmark.records.predictions import Predictions
from benchmark.records.row import Row
from benchmark.records.run_facts import ExternalFacts
from benchmark.records.scores import Scores
from benchmark.records.spreadsheets import escaped
from benchmark.records.tables import LONGEST, Limits
from benchmark.scoring.metrics import GUESSING
from benchmark.scoring.part import Part
from benchmark.scoring.publishing import Checked, check
from benchmark.scoring.scorecard import different_scores
from benchmark.spec import PUBLISHED, Spec

EXAMPLES = 3
FEW = 10
"""Different scores at most that are told of: those of nine votes."""
SUITE = "external"


@dataclass(frozen=True)
class Origin:
    """What a person says about predictions made elsewhere.

    Attributes:
        name: of the model.
        deterministic: True for a model without chance in it.
        reference: where it is described; may be empty.
        parameters: of the model; None unknown.
    """

    name: str
    deterministic: bool = False
    reference: str = ""
    parameters: int | None = None


@dataclass(frozen=True)
class Entry:
    """Predictions of one training, checked and scored, and nowhere written.

    Attributes:
        path: of their file.
        row: finished, but for the hash of the prediction file.
        predictions: in the order of the data set's images.
        checked: what would be written.
        warnings: what may be wrong with the file, a sentence each without its full stop.
    """

    path: Path
    row: Row
    predictions: Predictions
    checked: Checked
    warnings: tuple[str, ...]


def read_entry(
    path: Path, seed: int, prepared: Prepared, origin: Origin, protocol: str = PUBLISHED
) -> Entry:
    """Read predictions, check that they are of exactly the data set's images, and score them.

    Args:
        path: see :mod:`benchmark.records.external`. Test is needed; train and validation are used
            where they are there, and whole.
        seed: of the training.
        prepared: whose split, targets and patients count, as ``protocol`` sees it.
        origin: of the predictions.
        protocol: the set's own, a screening one, or attribute prediction.

    Raises:
        UserError: the set leaks, the file cannot be read, or its images are not those of the set.
    """
    if prepared.derived.leakage_status == "leak":
        raise UserError(
            f"{prepared.name} leaks: {'; '.join(prepared.derived.reasons)}. Nothing is scored "
            "on it."
        )
    spec = external_spec(prepared, origin.name, seed, protocol)
    parts = images_of(spec, prepared)
    external = read_external(path, prepared.task, _limits(parts))
    splits = [split for split in SPLITS if (external.split == split).any() or split == "test"]
    lines = np.concatenate([_order(path, split, external, parts) for split in splits])
    predictions = _predictions(external, prepared, [parts[split] for split in splits], lines)
    name = path.name.encode(errors="backslashreplace").decode()  # it may be no text
    facts = ExternalFacts(
        file=name,
        sha256=sha256_of_file(path),
        splits=splits,
        few_scores=_few_scores(predictions.part("test")),
    )
    row = _row(spec, prepared, origin, facts)
    checked = check(predictions, row.protocol)
    assert isinstance(checked.scores, Scores)  # of findings; sets of masks have no task
    warnings = (*external.warnings, *_of_the_other_class(checked.scores))
    return Entry(path, row, predictions, checked, warnings)


def _of_the_other_class(scores: Scores) -> Iterator[str]:
    """Whether scores look like those of what is not asked for, in words."""
    if (limits := scores.intervals["test_auc"]) and limits[1] < GUESSING:
        yield f"AUC is surely below {GUESSING:g}: are these the scores of the other class?"


def _few_scores(test: Predictions) -> int | None:
    different = different_scores(Part.scored(test, {}), range(len(test.findings)))
    return different if 2 < different <= FEW else None


def seen_under(dataset: str, data_dir: Path) -> tuple[SplitProtocol, Prepared]:
    """The protocol and the set as it sees it, of ``DATASET`` or ``DATASET@PROTOCOL``.

    Raises:
        UserError: there is no such set or protocol, or it leaks.
    """
    dataset, _, protocol_name = dataset.partition("@")
    protocol = find(protocol_name or PUBLISHED)
    if protocol.allows_leak:
        raise UserError(
            f"predictions made elsewhere are not scored under {protocol.name}, which leaks"
        )
    return protocol, protocol.apply(load_prepared(find_dataset(dataset, data_dir).name, data_dir))


def external_spec(prepared: Prepared, name: str, seed: int, protocol: str = PUBLISHED) -> Spec:
    """What tells external rows apart: data, name and seed; nothing else is known of them."""
    return Spec(
        kind="external",
        dataset=prepared.name,
        dataset_version=prepared.version,
        manifest_sha256=prepared.manifest_sha256,
        model=name,
        resolution=0,
        preprocessing="",
        normalisation="",
        imbalance="",
        scheme="",
        weights="",
        augmentation="",
        recipe={},
        precision="",
        seed=seed,
        protocol=protocol,
    )


def images_of(spec: Spec, prepared: Prepared) -> dict[str, ManifestPart]:
    """The images of each split that predictions may be of."""
    return {split: data.part for split, data in spec_data(spec, prepared).items()}


def _limits(parts: Mapping[str, ManifestPart]) -> Limits:
    lengths = [len(escaped(image_id)) for part in parts.values() for image_id in part.image_id]
    return Limits.of_images(len(lengths), max(LONGEST, *lengths))


def _order(
    path: Path, split: str, external: External, parts: Mapping[str, ManifestPart]
) -> np.ndarray:
    """Lines of the file in the order of the data set's images."""
    lines = np.flatnonzero(external.split == split)
    given, wanted = external.image_id[lines], parts[split].image_id.astype(str)
    missing, extra = np.setdiff1d(wanted, given), np.setdiff1d(given, wanted)
    if len(missing) or len(extra):
        others = [part.image_id.astype(str) for name, part in parts.items() if name != split]
        elsewhere = int(np.isin(extra, np.concatenate(others)).sum())
        hint = (
            f" Of the set's other splits are {elsewhere}: a column split says so."
            if elsewhere
            else ""
        )
        raise ExternalFileError(
            f"{path}: its {split} images are not those of the data set ({len(wanted)}): "
            f"{_named(missing, 'missing')}, {_named(extra, 'not in it')}. All and only these "
            f"images are scored, or numbers would not compare.{hint}"
        )
    return lines[np.argsort(given)[np.argsort(np.argsort(wanted))]]


def _named(image_ids: np.ndarray, how: str) -> str:
    some = ", ".join(repr(str(i)) for i in image_ids[:EXAMPLES])
    more = ", ..." if len(image_ids) > EXAMPLES else ""
    return f"{len(image_ids)} {how}" + (f" ({some}{more})" if some else "")


def _predictions(
    external: External, prepared: Prepared, parts: list[ManifestPart], lines: np.ndarray
) -> Predictions:
    part = ManifestPart.joined(parts)
    return Predictions(
        prepared.task.findings,
        prepared.task.kind,
        split=external.split[lines],
        **part.described,
        targets=part.known_targets,
        logits=external.logits[lines],
        probabilities=external.probabilities[lines],
    )


def _row(spec: Spec, prepared: Prepared, origin: Origin, external: ExternalFacts) -> Row:
    card = {
        "title": origin.name,
        "reference": origin.reference,
        "deterministic": origin.deterministic,
    }
    row = base_row(spec, prepared, ModelFile(origin.name, Path(), card), SUITE, None)
    return structs.replace(
        row,
        status="done",
        model=structs.replace(row.model, parameters=origin.parameters),
        determinism="made elsewhere",
        external=external,
    )

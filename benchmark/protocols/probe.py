"""Attribute prediction: a metadata field is read from the images in place of findings, ``probe:``.

Same images, same splits, so patients stay apart. Images on which the field is unknown, and those of
values that fewer than ten patients have in any split, are left out and counted. Two values make a
binary task, more of them exclusive findings.

A model that reads sex, projection or the source of the labels from the same images could take that
for the finding, wherever the two go together. This shows what can be read, not what is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import structs

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UnknownName, UserError
from benchmark.protocols._derived import derive
from benchmark.protocols.base import Answers, SplitProtocol
from benchmark.records.facts import ProbeFacts
from benchmark.scoring.protocol import MINIMUM_PATIENTS
from benchmark.scoring.subgroups import AGE_BANDS, age_bands
from benchmark.spec import Spec

VERSION = 1
PREFIX = "probe:"
FIELDS = {"sex": "sex", "view": "view", "age": "age", "source": "label_source"}
"""What can be asked for -> the column of the manifest that says what is true."""
EVERY = "*"
"""Stands for every field that a data set can answer."""
PATTERN = f"{PREFIX}<{'|'.join(FIELDS)}>"
NAMES = (PATTERN,)
UNKNOWN = "unknown"
BLANK = {"age": -1, "sex": "", "view": ""}
"""What the field is for the models: one that sees metadata must not be told the answer."""
Levels = Mapping[str, np.ndarray]
"""Split -> (N,) text, the value of each image, empty where it is unknown."""


class AttributePrediction(SplitProtocol):
    """A field of the metadata stands in place of the findings."""

    version = VERSION
    asks_findings = False

    @property
    def attribute(self) -> str:
        """The field that is asked for."""
        return self.name.removeprefix(PREFIX)

    @property
    def place(self) -> int:  # type: ignore[override]  # of the field, not the family
        """In the order of the fields."""
        return [*FIELDS].index(self.attribute)

    def title(self, dataset: str) -> str:
        """Says the field."""
        return f"{dataset}, attribute prediction: {self.attribute}"

    def apply(self, prepared: Prepared) -> Prepared:
        """The set with the values of the field as its findings.

        Raises:
            UserError: the set does not record the field, or has not two values of it that ten
                patients have in every split.
        """
        if prepared.holds_masks:
            raise UserError(
                f"{prepared.name} holds lung masks: there is no finding to set {self.attribute} "
                "beside"
            )
        levels = {split: _levels(prepared, self.attribute, split) for split in SPLITS}
        values = _values(prepared, self.attribute, levels)
        findings = [f"{self.attribute} {value}" for value in values]
        binary = len(values) == 2
        facts = structs.replace(
            prepared.facts,
            findings=findings[1:] if binary else findings,
            kind="binary" if binary else "multiclass",
            label_version=f"{self.attribute} as the data set records it",
            probe=ProbeFacts(
                field=self.attribute, values=values, left_out=_left_out(levels, values)
            ),
        )
        asked = replace(prepared, facts=facts)
        data = _data(asked)
        truth = data["test"].part.targets.tolist()
        return replace(asked, derived=derive(prepared.derived, data, facts.findings, truth))

    def data(self, spec: Spec, prepared: Prepared) -> dict[str, SplitData]:
        """The images of each split; targets (N, 1), 1 for the second of two values, or (N, V)."""
        return _data(prepared)

    def facts(self, spec: Spec, prepared: Prepared) -> dict[str, Any]:
        """The field; the findings say its values."""
        return {"probe": self.attribute}


class EveryAttribute(AttributePrediction):
    """``probe:*``: every field that a set can answer."""

    def apply(self, prepared: Prepared) -> Prepared:
        """Refused: it stands for several protocols."""
        raise UnknownName("attribute to predict", EVERY, FIELDS)

    def answers(self, prepared: Prepared) -> Answers:
        """Attribute prediction of each field, and why the set cannot answer the others."""
        answered: list[tuple[SplitProtocol, Prepared]] = []
        refused: dict[str, str] = {}
        for each in (AttributePrediction(f"{PREFIX}{field}") for field in FIELDS):
            try:
                answered.append((each, each.apply(prepared)))
            except UserError as error:
                refused[f"{prepared.name}@{each.name}"] = str(error)
        return answered, refused


def parse(name: str) -> AttributePrediction | None:
    """The protocol that asks for a field, or for every one.

    Raises:
        UnknownName: there is no such field; lists the choices.
    """
    if not name.startswith(PREFIX):
        return None
    field = name.removeprefix(PREFIX)
    if field not in (*FIELDS, EVERY):
        raise UnknownName("attribute to predict", field, FIELDS)
    return EveryAttribute(name) if field == EVERY else AttributePrediction(name)


def _data(prepared: Prepared) -> dict[str, SplitData]:
    told = prepared.facts.probe
    assert told is not None  # `apply` said it
    bare = replace(prepared, facts=structs.replace(prepared.facts, findings=[]))
    return {split: _split(bare, split, told) for split in SPLITS}


def _split(bare: Prepared, split: str, told: ProbeFacts) -> SplitData:
    part, levels = bare.part(split), _levels(bare, told.field, split)
    targets = (levels[:, None] == np.array(told.values, object)).astype(np.float32)
    kept = np.flatnonzero(targets.any(axis=1))
    if len(told.values) == 2:
        targets = targets[:, 1:]
    seen: dict[str, np.ndarray] = {"targets": targets, "labelled": np.ones_like(targets, bool)}
    if told.field in BLANK:
        column = getattr(part, told.field)
        seen[told.field] = np.full_like(column, BLANK[told.field])
    return SplitData(replace(part, **seen), (split,)).take(kept)


def _levels(prepared: Prepared, field: str, split: str) -> np.ndarray:
    """(N,) text, the value of each image of a split; ages in bands, empty where unknown."""
    frame = prepared.manifest()
    column = frame.loc[frame["split"] == split, FIELDS[field]].to_numpy()
    return (age_bands(column) if field == "age" else column).astype(object)


def _values(prepared: Prepared, field: str, levels: Levels) -> list[str]:
    """The values that ten patients have in every split, in an order that says nothing."""
    patients = _patients(prepared, levels)
    if not patients:
        raise UserError(
            f"{prepared.name} does not record {field}: there is nothing to be read from its images"
        )
    fewest = {value: min(counts.values()) for value, counts in patients.items()}
    enough = [value for value in _ordered(field, patients) if fewest[value] >= MINIMUM_PATIENTS]
    if len(enough) < 2:
        raise UserError(
            f"{field} cannot be predicted on {prepared.name}: two values are needed that at least "
            f"{MINIMUM_PATIENTS} patients have in every split. It has {_listed(patients)}."
        )
    return enough


def _patients(prepared: Prepared, levels: Levels) -> dict[str, dict[str, int]]:
    """Value -> split -> number of patients with an image of that value."""
    frame = prepared.manifest()
    counts: dict[str, dict[str, int]] = {}
    for split, values in levels.items():
        patients = frame.loc[frame["split"] == split, "patient_id"].to_numpy()
        for value in sorted(set(values) - {""}):
            of_split = counts.setdefault(value, dict.fromkeys(SPLITS, 0))
            of_split[split] = len(set(patients[values == value]))
    return counts


def _ordered(field: str, values: Mapping[str, Any]) -> list[str]:
    return [band for band in AGE_BANDS if band in values] if field == "age" else sorted(values)


def _listed(patients: Mapping[str, dict[str, int]]) -> str:
    return "; ".join(
        f"{value}: {', '.join(f'{n} in {split}' for split, n in counts.items())}"
        for value, counts in patients.items()
    )


def _left_out(levels: Levels, values: list[str]) -> dict[str, dict[str, int]]:
    """Value (or ``unknown``) -> split -> images that no model is taught or asked about."""
    found = sorted({value for of_split in levels.values() for value in of_split} - {*values})
    return {
        value or UNKNOWN: {split: int((levels[split] == value).sum()) for split in SPLITS}
        for value in found
    }

"""A set as a screening protocol sees it: training never meets the class that the test is about.

The splits stay those of the set, so patients stay apart. Training and validation lose the images of
the withheld class and tell normal from the other classes; the test keeps normal images and those of
the withheld class, and no other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from msgspec import structs

from benchmark.data.facts import PreparedFacts, Withheld
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.errors import UnknownName, UserError
from benchmark.hashing import canonical_json, sha256
from benchmark.screening.protocol import ANOMALY, withheld_by

NORMAL = ("normal", "no finding")
"""What data sets call the class of images without any finding, in small letters."""


def under(protocol: str, prepared: Prepared) -> Prepared:
    """The set with the task, counts and test set of a screening protocol; else the set itself.

    Raises:
        UnknownName: the set has no such class to withhold; lists the choices.
        UserError: it has no exclusive findings, no normal class, or no third class to train on.
    """
    withheld = withheld_by(protocol)
    if withheld is None:
        return prepared
    normal = _normal(prepared)
    known = [name for name in prepared.facts.findings if name not in (normal, withheld)]
    if withheld not in prepared.facts.findings or withheld == normal:
        raise UnknownName(f"finding to withhold from {prepared.name}", withheld, known)
    if not known:
        raise UserError(f"{prepared.name} has no class left to train on without {withheld!r}")
    told = Withheld(withheld=withheld, normal=normal, findings=prepared.facts.findings)
    split = f"{prepared.facts.split_source}; {normal} against {', '.join(known)} in training "
    split += f"and validation, {normal} against {withheld} (never trained on) in test"
    facts = structs.replace(
        prepared.facts, findings=[ANOMALY], kind="binary", split_source=split, screening=told
    )
    screened = replace(prepared, facts=facts)
    derived = _derived(prepared.derived, screening_data(screened))
    return replace(screened, derived=derived)


def screening_data(prepared: Prepared) -> dict[str, SplitData]:
    """The images of each split; targets (N, 1) are 0 for normal images and 1 for others.

    Args:
        prepared: as :func:`under` gives it.
    """
    told = prepared.facts.screening
    whole = replace(prepared, facts=structs.replace(prepared.facts, findings=told.findings))
    return {split: _split(whole, split, told) for split in SPLITS}


def _split(whole: Prepared, split: str, told: Withheld) -> SplitData:
    part = whole.part(split)
    of_class = dict(zip(told.findings, part.targets.T > 0, strict=True))
    normal, withheld = of_class[told.normal], of_class[told.withheld]
    kept = normal | withheld if split == "test" else ~withheld
    kept &= part.labelled.all(axis=1)
    one = {"targets": np.float32(~normal)[:, None], "labelled": part.labelled[:, :1]}
    return SplitData(replace(part, **one), (split,)).take(np.flatnonzero(kept))


def _normal(prepared: Prepared) -> str:
    if prepared.facts.kind != "multiclass":
        raise UserError(
            f"{prepared.name} is a {prepared.facts.kind} set: a class can only be withheld "
            "where every image has exactly one."
        )
    found = [name for name in prepared.facts.findings if name.lower() in NORMAL]
    if not found:
        raise UserError(
            f"{prepared.name} has no class of normal images (one called {' or '.join(NORMAL)}), "
            "so nothing can be told from normal."
        )
    return found[0]


def _derived(whole: PreparedFacts, data: dict[str, SplitData]) -> PreparedFacts:
    """What :mod:`benchmark.data.prepare` derives from a whole set, for these images."""
    test = data["test"].part
    lines = zip(test.image_id, test.patient_id, test.targets[:, 0].tolist(), strict=True)
    counts = {split: each.part.counts([ANOMALY]) for split, each in data.items()}
    return structs.replace(whole, counts=counts, test_digest=sha256(canonical_json(sorted(lines))))

"""What a network has seen before it is tested: the images of the row that left its weights.

And those of the rows that this one was continued from. A network that learnt from the patients it
is tested on makes its score mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.audit.between import copies_between
from benchmark.data.prepared import Prepared, prepared_as
from benchmark.protocols import find
from benchmark.records.store import Results
from benchmark.spec import NETWORK, WEIGHTS, Spec


@dataclass(frozen=True)
class Overlap:
    """What a network may know of test images from one row that its weights come from.

    Attributes:
        dataset: that this row was trained on.
        images: test images that are surely among those it was trained on.
        marks: why the network may know its test images, a sentence each.
    """

    dataset: str
    images: int
    marks: list[str]


def overlaps(spec: Spec, prepared: Prepared, results: Results, cache_dir: Path) -> list[Overlap]:
    """What a spec's network may know of its test images, for each row its weights come from.

    Args:
        spec: continues from another row, or tests its network; that one may itself continue.
        prepared: the spec's data set; the others are looked for in the same data folder.
        results: where these rows are.
        cache_dir: of the views in which copies are looked for.
    """
    return [
        _overlap(spec_id, earlier, spec, prepared, cache_dir)
        for spec_id, earlier in _ancestors(spec, results)
    ]


def _ancestors(spec: Spec, results: Results) -> Iterator[tuple[str, Spec | None]]:
    """Ids and specs of the rows that weights come from, the latest first; None: no such row."""
    earlier: Spec | None = spec
    while earlier and (spec_id := _network_of(earlier)):
        row = results.read_row(spec_id)
        earlier = row.spec if row else None
        yield spec_id, earlier


def _network_of(spec: Spec) -> str | None:
    """Id of the row whose weights a spec begins with or, elsewhere, is tested with."""
    return spec.required_ids.get(WEIGHTS) or spec.required_ids.get(NETWORK)


def _overlap(
    spec_id: str, earlier: Spec | None, spec: Spec, prepared: Prepared, cache_dir: Path
) -> Overlap:
    told = f"weights come from row {spec_id}"
    if earlier is None:
        return Overlap("", 0, [f"{told}, which is gone: nobody knows what they have seen"])
    tested_row = spec.required_ids.get(NETWORK) == spec_id  # named beside what is said of it
    told = "" if tested_row else f"{told}, trained on {earlier.dataset}: "

    def found(*marks: str, images: int = 0) -> Overlap:
        return Overlap(earlier.dataset, images, [told + mark for mark in marks])

    theirs, ours = find(earlier.protocol), find(spec.protocol)
    one_set = earlier.manifest_sha256 == spec.manifest_sha256
    if one_set and theirs.splits == ours.splits:
        return found()  # its test images were kept apart
    one_builder = _builder(earlier.dataset) == _builder(spec.dataset)
    if one_set or (one_builder and not ours.splits_of_set):
        return found("under another protocol, test images may have been among its training images")
    learnt = prepared_as(earlier.dataset, prepared.path.parents[2], earlier.manifest_sha256)
    if learnt is None:
        return found(
            "its training images are not here, so that nobody looked whether test images are among "
            "them or of the same patients"
        )
    manifest = learnt.manifest()
    trained = manifest[manifest["split"] != "test"] if theirs.splits_of_set else manifest
    test = prepared.manifest().query("split == 'test'")
    seen = copies_between(learnt, trained["split"].unique().tolist(), prepared, cache_dir)
    equal = test["sha256"].isin(trained["sha256"])
    same = max(int(equal.sum()), seen.surely)
    known = int(test.loc[~equal, "patient_id"].isin(trained["patient_id"]).sum())
    reasons = (
        (same, "are among the images it was trained on, as they are or saved anew"),
        (seen.perhaps, "look like copies of images it was trained on, or are of the same patients"),
        (known * _same_ids(learnt, prepared), "have patient ids it was trained on"),
    )
    marks = [f"{n} of {len(test)} test images {why}" for n, why in reasons if n]
    return found(*marks, images=same)


def _same_ids(one: Prepared, other: Prepared) -> bool:
    """Whether equal ids of patients in two sets are of one patient.

    They are within a builder, of sets of one's own within those of one name: others number other
    people, or name them by files, as all do where nobody knows the patients.
    """
    if one.facts.patients_unknown or other.facts.patients_unknown:
        return False
    own = one.facts.options is not None or other.facts.options is not None
    return one.name == other.name or (not own and _builder(one.name) == _builder(other.name))


def _builder(dataset: str) -> str:
    return dataset.partition("/")[0]

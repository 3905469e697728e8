"""A trained row on the test images of another data set: its weights as they are, nothing tuned.

The result is a row of its own kind, in the folder ``cross`` of the results. Its prediction file
holds the row's own predictions of its validation split, on which thresholds stay chosen, and the
new ones of the other set's test split, both under the common names of the findings.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.prepared import Prepared, prepared_as
from benchmark.data.shared_findings import Groups, shared_findings
from benchmark.data.split_data import SplitData
from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.kinds.ancestry import overlaps
from benchmark.kinds.external_validation_row import evaluated_row, joined, test_predictions
from benchmark.kinds.trained import trained_weights
from benchmark.machine.environment import Environment
from benchmark.models import ModelFile
from benchmark.protocols import find
from benchmark.records.row import Made, Row
from benchmark.records.run_facts import TrainedOn
from benchmark.records.store import Results
from benchmark.scoring.publishing import check, publish
from benchmark.scoring.shared_findings import map_to_shared_findings
from benchmark.scoring.stored import predictions_of
from benchmark.spec import NETWORK, PUBLISHED, Spec, requirement

if TYPE_CHECKING:
    import keras


def evaluate(
    rows: Sequence[Row],
    target: Prepared,
    model_file: ModelFile,
    results: Results,
    cache_dir: Path,
    environment: Environment,
    *,
    replace: bool = False,
    told: Mapping[str, str] | None = None,
) -> Iterator[Row]:
    """Test the networks of rows on another data set; save predictions, scores and row of each.

    Args:
        rows: finished, of one configuration whose networks see images.
        target: the other data set, prepared.
        model_file: of the rows.
        results: where the rows and weights are; the new rows go to its ``cross`` folder.
        environment: what computes.
        replace: whether an earlier evaluation on that set gives way.
        told: finding of the rows' set -> what the other set calls it, beside what is known.

    Yields:
        The new row of each, once it is saved.

    Raises:
        UserError: the weights are not here or not of this model file, the sets share no finding,
            a network was trained on some of the very test images, or there is an earlier
            evaluation.
    """
    network = None
    for row in rows:
        start = time.perf_counter()
        weights = _weights(row, model_file, results)
        ours, theirs = common_findings(row, target, told)
        spec = evaluation_spec(row, target)
        seen = _seen(spec, row.spec, target, results, cache_dir)
        # One for all seeds: TensorFlow would compile each anew, and warn of it.
        network = network or _fresh(row, model_file)
        logits = _predict(network, row.spec, weights, target, results, cache_dir)
        own = map_to_shared_findings(predictions_of(results, row).part("validation"), ours)
        both = joined(own, test_predictions(target, logits, row.task, ours, theirs))
        made = evaluated_row(spec, row, target, model_file, both, environment)
        made = structs.replace(
            made,
            watermarks=[*made.watermarks, *seen],
            made_from={NETWORK: _used(row, weights)},
            trained_on=_trained_on(row, (ours, theirs)),
            phases={"evaluate": round(time.perf_counter() - start, 3)},
        )
        yield publish(results.cross, made, check(both, made.protocol), replace=replace)


def _used(row: Row, weights: Path) -> Made:
    return Made(
        spec_id=row.spec_id,
        predictions_sha256=row.predictions_sha256,
        weights_sha256=sha256_of_file(weights),
    )


def _trained_on(row: Row, findings: tuple[Groups, Groups]) -> TrainedOn:
    return TrainedOn(
        dataset=row.spec.dataset,
        scheme=row.spec.scheme,
        weights=row.spec.weights,
        findings=findings,
    )


def common_findings(
    row: Row, target: Prepared, told: Mapping[str, str] | None = None
) -> tuple[Groups, Groups]:
    """What the set of a row and another one call the findings that both label.

    Args:
        told: finding of the row's set -> what the other set calls it, beside what is known.

    Raises:
        UserError: as :func:`benchmark.data.shared_findings.shared_findings`.
    """
    learnt = row.dataset.task.findings
    return shared_findings(row.spec.dataset, learnt, target.name, target.task.findings, told)


def _weights(row: Row, model_file: ModelFile, results: Results) -> Path:
    """The saved weights of a row that can be evaluated."""
    if row.trained_on:
        raise UserError(f"row {row.spec_id} is not a finished classifier")
    if row.spec.no_test:
        raise UserError(
            f"row {row.spec_id} was run without test, to choose on validation: what is tested on "
            "another set is a row that was tested on its own. Run it again without --no-test"
        )
    if row.done and not find(row.spec.protocol).asks_findings:
        raise UserError(
            f"row {row.spec_id} is of {row.spec.protocol}: what it predicts is no finding of "
            "another set"
        )
    return trained_weights(row, model_file, results)


def evaluation_spec(row: Row, target: Prepared) -> Spec:
    """What stands for the evaluation: the target's images and the row's network, no recipe."""
    return structs.replace(
        row.spec,
        kind="external_validation",
        dataset=target.name,
        dataset_version=target.version,
        manifest_sha256=target.manifest_sha256,
        scheme="",
        weights="",
        weights_sha256=None,
        recipe={},
        protocol=PUBLISHED,
        requires={**row.spec.requires, NETWORK: requirement(row.spec)},
    )


def _seen(
    spec: Spec, source: Spec, target: Prepared, results: Results, cache_dir: Path
) -> list[str]:
    """Why the network may know patients it is tested on; very test images are refused."""
    if target.manifest_sha256 == source.manifest_sha256:
        raise UserError(
            f"row {source.spec_id} was trained on {target.name} itself; its "
            "scores there are in the leaderboard"
        )
    if target.name == source.dataset and not prepared_as(
        target.name, target.path.parents[2], source.manifest_sha256
    ):
        raise UserError(
            f"row {source.spec_id} was trained on {target.name} as it was prepared in version "
            f"{source.dataset_version}, which is not here: nobody can look which of its training "
            f"images are test images of {target.version}. Put that version back, or run the row "
            "anew"
        )
    found = overlaps(spec, target, results, cache_dir)
    for each in found:
        if each.images:
            raise UserError(
                f"{each.images} of the {target.counts['test'].images} test images of "
                f"{target.name} are among those that the network was trained on "
                f"({each.dataset}), as they are or saved anew: a score there would mean nothing"
            )
    return [mark for each in found for mark in each.marks]


def _fresh(row: Row, model_file: ModelFile) -> keras.Model:
    """A network of a row, whose weights are to be loaded; imports a framework."""
    from benchmark.training.network import fresh_model

    return fresh_model(row.spec, model_file, row.task)


def _predict(
    network: keras.Model,
    source: Spec,
    weights: Path,
    target: Prepared,
    results: Results,
    cache_dir: Path,
) -> np.ndarray:
    """(N, F) logits of the target's test images."""
    from benchmark.training.lung_views import open_prepared_view
    from benchmark.training.network import load_weights
    from benchmark.training.stage import predict_logits

    def view(split: str) -> np.ndarray:
        return open_prepared_view(target, split, source, cache_dir, results).images

    load_weights(network, weights)
    images = SplitData(target.part("test"), ("test",)).images(view)
    return predict_logits(network, images, Heartbeat())

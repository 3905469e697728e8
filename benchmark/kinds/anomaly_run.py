"""Run one spec of an anomaly screen: a one-class model on the features of a trained classifier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
from msgspec import convert

from benchmark.data.heartbeat import Heartbeat
from benchmark.data.indexed_images import Images, IndexedImages
from benchmark.data.prepared import SPLITS
from benchmark.data.split_data import SplitData
from benchmark.ensembles.anomaly import (
    NORMAL_PASSED,
    NormalModel,
    Rule,
    confidences,
    drawn_channels,
    image_scores,
    temperature,
)
from benchmark.ensembles.members import Member
from benchmark.kinds.ensemble_job import EnsembleJob
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.models import NotApplicable
from benchmark.models._feature_map import feature_layer
from benchmark.records.anomaly_maps import AnomalyMaps, encode_anomaly_maps
from benchmark.records.run_facts import EnsembleFacts, ScreeningFacts
from benchmark.training.network import check_device, determinism, up_to
from benchmark.training.stage import predict_logits

MOST_IMAGES = 2000
"""Normal training images that the one-class model is fitted to: 20 a channel, in bounded memory."""
POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
"""Of a pooled map only the strongest or mean activations are left, which says less of normality."""
FINEST = 16
"""Cells a side: a finer map is averaged, so that memory is bounded at every size."""
PART = 256
"""Images whose features are held at once."""


def run(job: SpecJob) -> Outcome:
    """Fit normal training images by the member's last feature map, and score every image by it.

    An image's logit is its score in standard deviations above the mean normal validation image.
    Maps, scores and confidences of the test images are kept for the figure.

    Raises:
        NotApplicable: the member's weights are not there, or it has no feature map.
    """
    spec, data, environment = job.spec, job.data, job.context.environment
    check_device(environment)
    ensemble = EnsembleJob.of(job)
    ((name, member),) = ensemble.members.items()
    images = ensemble.images(member)
    with job.phases.phase("features"):
        network = _map_network(ensemble.network(name))
        shape = network.output_shape[1:]
        channels = drawn_channels(shape[2], spec.seed)
        normal = _some_normal(data["train"].part.targets[:, 0], spec.seed)
        features = partial(_features, network, channels, job.context.heartbeat)
        drawn = features(IndexedImages([images["train"]], normal))
        model = NormalModel.fitted(np.concatenate([*drawn]))
        distances = {s: _distances(model, features(images[s])) for s in SPLITS}
    logits = _standardised({s: image_scores(d) for s, d in distances.items()}, data)
    confidence, told = _screened(member, logits, data)
    maps = AnomalyMaps(
        data["test"].part.image_id,
        logits["test"],
        confidence,
        np.float32(distances["test"]).reshape(-1, *shape[:2]),
    )
    outcome = Outcome(
        {split: values[:, None] for split, values in logits.items()},
        ensemble.parameters,
        determinism=determinism(environment),
        large={job.context.results.anomaly_path(spec.spec_id): encode_anomaly_maps(maps)},
        ensemble=EnsembleFacts(
            used=[name],
            screening=convert(
                {"images": len(normal), "map": [*shape[:2]], "channels": len(channels)} | told,
                ScreeningFacts,
            ),
        ),
    )
    return ensemble.told(outcome)


def _map_network(model: keras.Model) -> keras.Model:
    """Images (B, S, S, 1) to the last feature map (B, H, W, C) before a pooling layer."""
    features = feature_layer(model.layers[-1], POOLING).output
    times = math.ceil(max(features.shape[1:3]) / FINEST)
    if times > 1:
        features = keras.layers.AveragePooling2D(times)(features)
    return up_to(model, features)


def _some_normal(targets: np.ndarray, seed: int) -> np.ndarray:
    """Rows of normal images, ascending, drawn where there are more than :data:`MOST_IMAGES`."""
    rows = np.flatnonzero(targets == 0)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_IMAGES])


def _distances(model: NormalModel, features: Iterable[np.ndarray]) -> np.ndarray:
    """(N, L) of features (n, L, C), part by part."""
    return np.concatenate([model.distances(part) for part in features])


def _features(
    network: keras.Model, channels: np.ndarray, heartbeat: Heartbeat, images: Images
) -> Iterator[np.ndarray]:
    """Features (n, L, C) float32 of images (N, S, S), part by part."""
    for start in range(0, len(images), PART):
        part = images[start : start + PART]
        found = predict_logits(network, part, heartbeat)[..., channels]
        yield np.float32(found).reshape(len(found), -1, len(channels))


def _standardised(
    scores: dict[str, np.ndarray], data: dict[str, SplitData]
) -> dict[str, np.ndarray]:
    normal = scores["validation"][data["validation"].part.targets[:, 0] == 0]
    if len(normal) < 2 or not normal.std():
        raise NotApplicable("there are no two different normal validation images to measure by")
    return {split: (each - normal.mean()) / normal.std() for split, each in scores.items()}


def _screened(
    member: Member, logits: dict[str, np.ndarray], data: dict[str, SplitData]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Confidence of every test image, and the rule frozen on validation with what it does."""
    truth = {s: data[s].part.targets[:, 0] > 0 for s in ("validation", "test")}
    theirs = {s: member.predictions.part(s).logits[:, 0] for s in truth}
    scale = temperature(theirs["validation"], truth["validation"])
    sure = {s: confidences(theirs[s], scale) for s in truth}
    normal = ~truth["validation"]
    rule = Rule.frozen(logits["validation"][normal], sure["validation"][normal])
    outcomes = {s: rule.outcome(logits[s], sure[s], truth[s]) for s in truth}
    facts = {"temperature": scale, "rule": vars(rule), "normal_passed": NORMAL_PASSED}
    return sure["test"], facts | outcomes

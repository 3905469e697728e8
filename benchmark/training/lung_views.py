"""Views of images of which the lungs are known: masked, cropped or removed.

The network's probabilities are a view of their own, uint8 (N, R, R) at the network's size R, made
once for a split and shared by the three variants at every size. Where a mask is unusable, because
it covers hardly any or nearly all of an image, the image stays whole; rows count such images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.data import preprocessing as variants
from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.view_building import Progress
from benchmark.data.view_facts import Value
from benchmark.data.views import View, open_derived, open_view
from benchmark.errors import UserError
from benchmark.models import ModelFile, discover
from benchmark.records.row import Made
from benchmark.records.run_facts import LungFacts
from benchmark.records.store import Results
from benchmark.spec import LUNGS, Spec
from benchmark.training import LUNG_VIEWS_VERSION
from benchmark.training.starting_weights import check_saved_weights

USABLE = (0.05, 0.9)
"""Share of an image that a mask of its lungs may cover. In the 1,532 masks of kermany_pairs it is
between 0.17 and 0.63."""
BATCH = 16


@dataclass(frozen=True)
class Network:
    """A trained segmentation network, as its row describes it."""

    spec: Spec
    model_file: ModelFile
    weights: Path
    weights_sha256: str | None
    code: dict[str, str]


def open_prepared_view(
    prepared: Prepared,
    split: str,
    spec: Spec,
    cache_dir: Path,
    results: Results,
    progress: Progress | None = None,
    further_sizes: Iterable[int] = (),
) -> View:
    """Open the view of a split under any variant, one of the lungs or another.

    Args:
        spec: whose size and preprocessing it has; where that needs the lungs, it requires the
            network that finds them.
        results: where that network's row and weights are.
        further_sizes: of the images that are read from the data set; see
            :func:`benchmark.data.views.open_view`.

    Raises:
        UserError: the network's weights or model file are not those of its row any more; and what
            :func:`benchmark.data.views.open_view` raises.
    """
    size, preprocessing = spec.resolution, spec.preprocessing
    if LUNGS not in spec.requires:
        return open_view(prepared, split, size, preprocessing, cache_dir, progress, further_sizes)
    network = spec.requires[LUNGS].spec_id
    lungs = open_lungs(prepared, split, network, cache_dir, results, progress)
    images = open_view(prepared, split, size, "raw", cache_dir, progress, further_sizes).images
    variant = variants.find(preprocessing)

    def make(ids: np.ndarray) -> Iterator[np.ndarray]:
        apply = variant.load()
        for image, probabilities in zip(images, lungs.images, strict=True):
            mask = usable_mask(probabilities, size)
            yield (image if mask is None else apply(image, mask))[None]

    made_of: dict[str, Value] = {
        "preprocessing": preprocessing,
        "preprocessing_version": variant.version,
        "lungs": lungs.path.name,
        "lung_views_version": LUNG_VIEWS_VERSION,
    }
    return open_derived(prepared, split, size, made_of, make, cache_dir)


def open_lungs(
    prepared: Prepared,
    split: str,
    spec_id: str,
    cache_dir: Path,
    results: Results,
    progress: Progress | None = None,
) -> View:
    """Open the view of a network's probabilities of lung, uint8 (N, R, R): 255 is certain."""
    network = _network(spec_id, results)
    size = network.spec.resolution

    def make(ids: np.ndarray) -> Iterator[np.ndarray]:
        variant = network.spec.preprocessing
        images = open_view(prepared, split, size, variant, cache_dir, progress).images
        predict = _predictor(network)
        for start in range(0, len(images), BATCH):
            yield predict(images[start : start + BATCH])
            if progress:
                progress(min(start + BATCH, len(images)), len(images))

    # By its weights alone: a network that is trained again with the same bits is the same one.
    made_of: dict[str, Value] = {
        "contents": "lungs",
        "weights_sha256": network.weights_sha256,
        "code": network.code,
    }
    return open_derived(prepared, split, size, made_of, make, cache_dir)


def usable_mask(probabilities: np.ndarray, size: int) -> np.ndarray | None:
    """The lungs of an image, bool (size, size); None where they cannot be what was found.

    Args:
        probabilities: uint8 (R, R), 255 is certain; resampled bilinearly and cut at one half.
    """
    resized = Image.fromarray(probabilities).resize((size, size), Image.Resampling.BILINEAR)
    mask = np.asarray(resized) >= 128
    return mask if USABLE[0] <= mask.mean() <= USABLE[1] else None


def lung_facts(spec: Spec, prepared: Prepared, cache_dir: Path, results: Results) -> LungFacts:
    """What a row says of the lungs that its images were prepared by.

    Images with an unusable mask are left whole, so that the variant did nothing to them.
    """
    network = spec.requires[LUNGS].spec_id
    seen = [split for split in SPLITS if not (spec.no_test and split == "test")]
    views = {split: open_lungs(prepared, split, network, cache_dir, results) for split in seen}
    left_whole = {
        split: sum(usable_mask(image, spec.resolution) is None for image in view.images)
        for split, view in views.items()
    }
    return LungFacts(network=network, left_whole=left_whole)


def made_from_lungs(spec: Spec, results: Results) -> dict[str, Made]:
    """The network that a row's images were prepared by, and the hash of its weights."""
    network = _network(spec.requires[LUNGS].spec_id, results)
    return {LUNGS: Made(spec_id=network.spec.spec_id, weights_sha256=network.weights_sha256)}


def _network(spec_id: str, results: Results) -> Network:
    row, weights = results.read_row(spec_id), results.weights_path(spec_id)
    if row is None or not weights.is_file():
        raise UserError(
            f"the network {spec_id} that is to find the lungs is not in {results.folder} any more; "
            "run again"
        )
    check_saved_weights(row, weights)
    model_file = discover().get(row.spec.model)
    if model_file is None:
        raise UserError(f"there is no model file {row.spec.model}, of network {spec_id}")
    if row.code.get("model") != model_file.version:
        raise UserError(
            f"the code of {model_file.name} has changed since row {spec_id} was trained; run: "
            "cxr-bench run --suite lungs --rerun stale"
        )
    return Network(row.spec, model_file, weights, row.weights_sha256, row.code)


def _predictor(network: Network) -> Callable[[np.ndarray], np.ndarray]:
    """A function of images uint8 (B, R, R) that gives probabilities of lung, uint8 (B, R, R)."""
    import keras

    from benchmark.records.predictions import link
    from benchmark.task import LUNG
    from benchmark.training.network import fresh_model, load_weights

    model = fresh_model(network.spec, network.model_file, LUNG)
    load_weights(model, network.weights)

    def predict(images: np.ndarray) -> np.ndarray:
        logits: Any = model(images[..., None].astype(np.float32) / 255, training=False)
        logits = keras.ops.convert_to_numpy(logits)[..., 0]
        return np.rint(255 * link(logits, LUNG.kind)).astype(np.uint8)

    return predict

"""Run a model that predicts masks: a network, or the baseline that sees no image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmark.data.prepared import SPLITS
from benchmark.data.split_data import SplitData
from benchmark.data.views import open_masks, open_view
from benchmark.kinds.job import Outcome, SpecJob
from benchmark.kinds.mask_split import MaskSplit
from benchmark.models import fit
from benchmark.records.mask_counts import MaskCounts, count_pixels, pack_masks
from benchmark.task import LUNG


def run(job: SpecJob) -> Outcome:
    """Train or fit one spec, keep the masks it predicts and count their pixels.

    Raises:
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    with job.phases.phase("views"):
        splits = {split: _opened(job, job.data[split]) for split in SPLITS}
    if job.model_file.card["inputs"] == "metadata":
        outcome, masks = _fitted(job, splits)
    else:
        from benchmark.kinds.masks_training import train_masks  # the baseline needs no Keras

        outcome, masks = train_masks(job, splits)
    with job.phases.phase("write"):
        counts = _counted(job, splits, masks)
        every = np.concatenate([masks[split] for split in SPLITS])
        path = job.context.results.masks_path(job.spec.spec_id)
        large = outcome.large | {path: pack_masks(counts.image_id, every)}
    return replace(outcome, masks=counts, large=large)


def _opened(job: SpecJob, data: SplitData) -> MaskSplit:
    """Images and masks of a split, read when asked for."""
    spec, cache_dir = job.spec, job.context.cache_dir

    def view(split: str) -> np.ndarray:
        # The baseline sees no image; it is given what it does not look at.
        variant = spec.preprocessing or "raw"
        return open_view(
            job.prepared,
            split,
            spec.resolution,
            variant,
            cache_dir,
            job.decoding(split),
            job.context.sizes,
        ).images

    def masks(split: str) -> np.ndarray:
        return open_masks(job.prepared, split, spec.resolution, cache_dir).images

    return MaskSplit(data.images(view), data.images(masks))


def _fitted(job: SpecJob, splits: dict[str, MaskSplit]) -> tuple[Outcome, dict[str, np.ndarray]]:
    """A baseline that sees no image, and its masks, bool (N, S, S), per split."""
    metadata = {
        split: {"age": each.part.age, "sex": each.part.sex, "view": each.part.view}
        for split, each in job.data.items()
    }
    truth = splits["train"]
    with job.phases.phase("train"):
        lung, known = truth.lung[..., None], truth.known[..., None]
        predict = fit(job.model_file, metadata["train"], lung, known, LUNG)
    with job.phases.phase("predict"):
        masks = {split: predict(metadata[split])[..., 0] > 0 for split in SPLITS}
    return Outcome({}, parameters=0), masks


def _counted(
    job: SpecJob, splits: dict[str, MaskSplit], masks: dict[str, np.ndarray]
) -> MaskCounts:
    """How predicted and true masks agree, image by image."""
    parts = {split: job.data[split].part for split in SPLITS}
    ids = np.concatenate([parts[split].image_id for split in SPLITS])
    counts = [count_pixels(masks[s], splits[s].lung, splits[s].known) for s in SPLITS]
    return MaskCounts(
        split=np.repeat(SPLITS, [len(parts[split]) for split in SPLITS]),
        image_id=ids,
        patient_id=np.concatenate([parts[split].patient_id for split in SPLITS]),
        pairing=job.prepared.manifest().set_index("image_id")["pairing"].loc[ids].to_numpy(str),
        counts=np.concatenate(counts),
    )

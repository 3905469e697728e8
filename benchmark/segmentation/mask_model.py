"""Run a model that predicts masks: a network, or the baseline that sees no image."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from benchmark.data.prepared import SPLITS, Prepared
from benchmark.data.split_data import SplitData
from benchmark.data.views import open_masks, open_view
from benchmark.execution.checkpoints import stage_checkpoint
from benchmark.execution.spec_run import Context, Event, Outcome, Phases
from benchmark.models import ModelFile, fit
from benchmark.records.mask_counts import MaskCounts, count_pixels, pack_masks
from benchmark.segmentation.train import MaskSplit, train_masks
from benchmark.spec import Spec
from benchmark.task import LUNG


def run_mask_model(
    spec: Spec,
    model_file: ModelFile,
    prepared: Prepared,
    data: dict[str, SplitData],
    context: Context,
    phases: Phases,
    on_event: Event,
) -> Outcome:
    """Train or fit one spec, save the masks it predicts and count their pixels.

    Args:
        data: for each split which images, and their ids and metadata.
        phases: gets the time of each phase.
        on_event: told about every finished epoch.

    Raises:
        benchmark.training.fit.Diverged: the loss stopped being a number.
    """
    with phases.phase("views"):
        opened = partial(_opened, spec, prepared, context, on_event)
        splits = {split: opened(data[split]) for split in SPLITS}
    if model_file.card["inputs"] == "metadata":
        outcome, masks = _fitted(model_file, data, splits, phases)
    else:
        weights = context.results.weights_path(spec.spec_id)
        checkpoint = stage_checkpoint(context, spec, model_file, "masks")
        outcome, masks = train_masks(
            spec, model_file, splits, weights, checkpoint, context.environment, phases, on_event
        )
    with phases.phase("write"):
        counts = _counted(prepared, data, splits, masks)
        every = np.concatenate([masks[split] for split in SPLITS])
        pack_masks(context.results.masks_path(spec.spec_id), counts.image_id, every)
    return replace(outcome, masks=counts)


def _opened(
    spec: Spec, prepared: Prepared, context: Context, on_event: Event, data: SplitData
) -> MaskSplit:
    """Images and masks of a split, read when asked for."""

    def view(split: str) -> np.ndarray:
        def progress(done: int, total: int) -> None:
            on_event({"event": "view", "split": split, "done": done, "total": total})

        # The baseline sees no image; it is given what it does not look at.
        variant = spec.preprocessing or "raw"
        opened = open_view(prepared, split, spec.resolution, variant, context.cache_dir, progress)
        return opened.images

    def masks(split: str) -> np.ndarray:
        return open_masks(prepared, split, spec.resolution, context.cache_dir).images

    return MaskSplit(data.images(view), data.images(masks))


def _fitted(
    model_file: ModelFile,
    data: dict[str, SplitData],
    splits: dict[str, MaskSplit],
    phases: Phases,
) -> tuple[Outcome, dict[str, np.ndarray]]:
    """A baseline that sees no image, and its masks, bool (N, S, S), per split."""
    metadata = {
        split: {"age": each.part.age, "sex": each.part.sex, "view": each.part.view}
        for split, each in data.items()
    }
    truth = splits["train"]
    with phases.phase("train"):
        lung, known = truth.lung[..., None], truth.known[..., None]
        predict = fit(model_file, metadata["train"], lung, known, LUNG)
    with phases.phase("predict"):
        masks = {split: predict(metadata[split])[..., 0] > 0 for split in SPLITS}
    return Outcome({}, parameters=0), masks


def _counted(
    prepared: Prepared,
    data: dict[str, SplitData],
    splits: dict[str, MaskSplit],
    masks: dict[str, np.ndarray],
) -> MaskCounts:
    """How predicted and true masks agree, image by image."""
    parts = {split: data[split].part for split in SPLITS}
    ids = np.concatenate([parts[split].image_id for split in SPLITS])
    counts = [count_pixels(masks[s], splits[s].lung, splits[s].known) for s in SPLITS]
    return MaskCounts(
        split=np.repeat(SPLITS, [len(parts[split]) for split in SPLITS]),
        image_id=ids,
        patient_id=np.concatenate([parts[split].patient_id for split in SPLITS]),
        pairing=prepared.manifest().set_index("image_id")["pairing"].loc[ids].to_numpy(dtype=str),
        counts=np.concatenate(counts),
    )

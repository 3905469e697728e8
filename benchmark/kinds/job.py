"""A spec about to be run, and what running it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.indexed_images import Images
from benchmark.data.prepared import Prepared
from benchmark.data.split_data import SplitData
from benchmark.models import ModelFile
from benchmark.records.mask_counts import MaskCounts
from benchmark.records.row import Made
from benchmark.records.run_facts import EnsembleFacts, History, PenaltyFacts, StartingWeights
from benchmark.spec import Spec
from benchmark.training.context import Context, Event, Phases

if TYPE_CHECKING:  # what sees no image needs no Keras
    from benchmark.data.view_building import Progress
    from benchmark.training.stage import Training


@dataclass(frozen=True)
class SpecJob:
    """A spec about to be run.

    Attributes:
        model_file: of its model; of an ensemble what stands for one.
        prepared: the data set, as the spec's protocol sees it.
        data: for each split which images, and their ids, metadata and targets; without test where
            the spec leaves it out.
        phases: gets the time of each phase.
        on_event: told about every finished epoch.
    """

    spec: Spec
    model_file: ModelFile
    prepared: Prepared
    data: dict[str, SplitData]
    context: Context
    phases: Phases
    on_event: Event

    def images(self, spec: Spec | None = None) -> dict[str, Images]:
        """The images of each split, uint8 (N, S, S), from its views.

        Args:
            spec: whose size and preprocessing they have; the job's own by default.
        """
        from benchmark.training.lung_views import open_prepared_view

        spec, context = spec or self.spec, self.context

        def view(split: str) -> np.ndarray:
            progress = self.decoding(split)
            folders = (context.cache_dir, context.results)
            sizes = context.sizes if spec is self.spec else ()
            return open_prepared_view(self.prepared, split, spec, *folders, progress, sizes).images

        with self.phases.phase("views"):
            return {split: each.images(view) for split, each in self.data.items()}

    def decoding(self, split: str) -> Progress:
        """To be called as ``progress(images done, images in all)`` while a view is made."""
        return lambda done, total: self.on_event(
            {"event": "view", "split": split, "done": done, "total": total}
        )

    def training(self, images: dict[str, Images]) -> Training:
        """The training of the spec on these images; its imbalance policy is applied here."""
        from benchmark.training.stage import Training

        return Training.of(
            self.spec,
            self.model_file,
            self.prepared.task,
            self.data,
            images,
            self.context,
            self.phases,
            self.on_event,
        )


@dataclass
class Outcome:
    """What running a model gives: logits per split, how it went, and from which weights.

    A segmentation network gives ``masks`` in place of logits.

    Attributes:
        large: weights, masks or maps, by where they are to be once the row is published: till then
            those of the row before stand there.
        starting_weights: that it began with, where they were not drawn at random.
        penalty: of a regression in place of its last layer.
        made_from: by role what other rows left that it used.
        ensemble: what an ensemble chose.
    """

    logits: dict[str, np.ndarray]
    parameters: int
    history: History | None = None
    determinism: str = "bit-identical on one CPU machine"
    large: dict[Path, bytes] = field(default_factory=dict)
    starting_weights: StartingWeights | None = None
    penalty: PenaltyFacts | None = None
    made_from: dict[str, Made] = field(default_factory=dict)
    watermarks: list[str] = field(default_factory=list)
    ensemble: EnsembleFacts | None = None
    masks: MaskCounts | None = None

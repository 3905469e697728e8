"""One file, or one folder, for everything that can be added, and a suite that uses it all."""

from __future__ import annotations

MODEL = '''
"""Mean brightness, and no more."""
import keras
from benchmark.models._head import logits

CARD = {
    "title": "Brightness", "description": "D.", "reference": "none", "source_system": "",
    "inputs": "image", "channels": 1, "own_normalisation": "unit", "min_size": 1, "max_size": None,
    "parameters": {"size": 8, "channels": 1, "outputs": 1, "count": 2}, "gmacs_224": 0.0,
    "weights": {}, "deterministic": False,
}


def build(input_shape, task, weights):
    images = keras.Input(input_shape)
    return keras.Model(images, logits(keras.layers.GlobalAveragePooling2D()(images), task))
'''
BUILDER = '''
"""The phantom once more, under a name of its own."""
from tfds_builders.thorax_phantom.thorax_phantom_dataset_builder import Builder as Phantom


class Builder(Phantom):
    """A twin."""
'''
KIND = '''
"""What its first member says."""
from benchmark.kinds.ensemble import EnsembleKind, Way


class FirstMember(EnsembleKind):
    """Repeats it."""

    def ways(self):
        return {self.name: Way((), (1, None), "First of {members}", "It repeats.", "us", 9)}


KIND = FirstMember()
'''
KIND_RUN = '''
"""Repeat the first member."""
from benchmark.data.prepared import SPLITS
from benchmark.kinds.ensemble_job import EnsembleJob
from benchmark.kinds.job import Outcome
from benchmark.records.row import EnsembleFacts


def run(job):
    ensemble = EnsembleJob.of(job)
    name, first = next(iter(ensemble.members.items()))
    said = first.predictions
    logits = {split: said.logits[said.split == split] for split in SPLITS}
    facts = EnsembleFacts(used=[name])
    return ensemble.told(Outcome(logits, ensemble.parameters, ensemble=facts))
'''
NEGATIVE = """
CARD = {"title": "Negative", "description": "Inverted.", "version": 7, "idempotent": False}
def apply(image):
    return 255 - image
"""
DIMMED = """
CARD = {"title": "Dimmed", "description": "Half as bright.", "version": 7, "masks": False}
def augment(images, masks, key):
    return images * 0.5, masks
"""
DOUBLED = """
import numpy as np
from benchmark.training.imbalance import Policy
CARD = {"title": "Doubled", "description": "Labels count twice.", "version": 7}
def policy():
    return Policy(weigh=lambda targets, exclusive: np.full((2, targets.shape[1]), 2.0))
"""
SHELF = """
CARD = {"title": "Weights of a shelf", "description": "From a shelf.", "gives": "shelved",
        "argument": "shelf", "pattern": "[a-z]+", "meaning": "the name of a shelf"}
def files(weights, model_file, results, folders):
    results.folder.mkdir(exist_ok=True)
    (results.folder / "asked").write_text(weights)
    return []
"""
AS_SHELVED = """
from benchmark.training.stage import train_whole as train
CARD = {"title": "As shelved", "description": "Every layer.", "begins_from": ["shelved"],
        "usual": ""}
"""
MEDIAN = """
import numpy as np
CARD = {"title": "Median of {members}", "description": "Of the logits.", "reference": "us",
        "version": 7, "options": []}
def combine(voters, rule):
    return np.median([voter.predictions.logits for voter in voters.values()], axis=0), list(voters)
"""
BRIEF = """
title = "Brief"
description = "One epoch."
source = "us"
[values]
epochs = 1
ema_epochs = 2.5
"""
SUITE = """
title = "What was added"
description = ""
[matrix]
datasets = ["twin/small"]
models = ["brightness", "linear"]
resolutions = [16]
preprocessing = ["negative"]
augmentation = ["dimmed"]
imbalance = ["doubled"]
scheme = ["as_shelved"]
weights = ["shelf:upper"]
seeds = [0]
[recipe]
name = "brief"
[[ensembles]]
name = "echo"
kind = "first_member"
members = ["brightness"]
[[ensembles]]
name = "middle"
kind = "median"
members = ["brightness", "linear"]
"""
ADDED = {
    "benchmark/models/brightness.py": MODEL,
    "benchmark/kinds/first_member.py": KIND,
    "benchmark/kinds/first_member_run.py": KIND_RUN,
    "benchmark/data/preprocessing/negative.py": NEGATIVE,
    "benchmark/data/augmentation/dimmed.py": DIMMED,
    "benchmark/training/imbalance/doubled.py": DOUBLED,
    "benchmark/training/weight_sources/shelf.py": SHELF,
    "benchmark/training/schemes/as_shelved.py": AS_SHELVED,
    "benchmark/ensembles/rules/median.py": MEDIAN,
    "benchmark/training/recipes/brief.toml": BRIEF,
    "benchmark/suites/added.toml": SUITE,
    "tfds_builders/twin/__init__.py": "",
    "tfds_builders/twin/twin_dataset_builder.py": BUILDER,
}
"""Path below the repository -> text of a file that adds something by being there."""

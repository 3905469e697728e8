"""From a model file to a model that trains: the checked way in for the rest of the benchmark."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import UnknownName
from benchmark.models._cards import NORMALISATIONS, within_limits
from benchmark.models._discovery import ModelError, ModelFile, NotApplicable, blaming, load
from benchmark.models._weight_files import weight_files
from benchmark.task import Task

if TYPE_CHECKING:
    import keras

Metadata = Mapping[str, np.ndarray]
"""Arrays (N,): ``age`` int years, -1 unknown; ``sex`` 'F', 'M' or ''; ``view`` 'PA', ... or ''. Of
a model of the file's shape :meth:`benchmark.data.shapes.Shapes.columns`."""


def check_size(model_file: ModelFile, size: int) -> None:
    """Refuse images of ``size`` px, or this machine, by what the card says; imports no framework.

    Raises:
        ModelError: the file is unusable.
        NotApplicable: the size is outside the card's limits, or a package it names is missing.
    """
    if model_file.problem:
        raise ModelError(model_file.problem)
    for module, how in model_file.card["packages"].items():
        if importlib.util.find_spec(module) is None:
            raise NotApplicable(
                f"model {model_file.name} needs {module}, which is not installed: {how}"
            )
    if not within_limits(model_file.card, size):
        least, most = model_file.card["min_size"], model_file.card["max_size"]
        limits = f"from {least} px" if most is None else f"from {least} to {most} px"
        raise NotApplicable(f"model {model_file.name} takes images {limits}, not {size} px.")


def create(
    model_file: ModelFile,
    size: int,
    task: Task,
    normalisation: str,
    weights: str | tuple[str, ...] | None = None,
) -> keras.Model:
    """The model of a file, for grey images of one size, normalisation included.

    Args:
        model_file: an image model, as discovered.
        size: image side in px.
        task: the findings; one output each.
        normalisation: ``unit``, ``standardise``, ``imagenet`` or ``own`` (the card's).
        weights: path of a weight file for the backbone, or a tuple of paths in the order of
            :func:`benchmark.models.weight_files`; None to start from random weights, which follow
            ``keras.utils.set_random_seed``.

    Returns:
        float32 (B, size, size, 1) in [0, 1] -> float32 logits (B, F). Its last layer is the
        model that the file built; that one's layer ``logits`` is the head.

    Raises:
        ModelError: the file is unusable or what it builds breaks the contract.
        NotApplicable: as :func:`check_size`; or the model takes no weights, or not these.
        UnknownName: an unknown normalisation.
    """
    if normalisation not in NORMALISATIONS:
        raise UnknownName("normalisation", normalisation, NORMALISATIONS)
    check_size(model_file, size)
    if model_file.card["inputs"] != "image":
        raise NotApplicable(f"model {model_file.name} sees no images; it is fitted, not built.")
    weights = _checked_weights(model_file, weights)
    module = load(model_file)

    import keras

    from benchmark.models._normalisation import Normalisation

    channels = model_file.card["channels"]
    if normalisation == "own":
        normalisation = model_file.card["own_normalisation"]
    with blaming(model_file, "could not build its model"):
        network = module.build((size, size, channels), task, weights)
    _check_network(model_file, network, (size, size, channels), task)
    images = keras.Input((size, size, 1), dtype="float32", name="images")
    normalised = Normalisation(normalisation, channels, name="normalisation")(images)
    return keras.Model(images, network(normalised), name=model_file.name)


def _checked_weights(
    model_file: ModelFile, weights: str | tuple[str, ...] | None
) -> str | tuple[str, ...] | None:
    """The weights as ``build`` takes them: None, a path, or a tuple of several."""
    if weights is None:
        return None
    if not model_file.card["weights"]:
        raise NotApplicable(f"model {model_file.name} takes no weights: its card names no source.")
    paths = (weights,) if isinstance(weights, str) else tuple(weights)
    names = weight_files(model_file)
    if len(paths) != max(len(names), 1):
        raise NotApplicable(
            f"model {model_file.name} takes {len(names)} weight files ({', '.join(names)}), "
            f"not {len(paths)}."
        )
    for path in paths:
        if not Path(path).is_file():
            raise NotApplicable(f"weight file {path} for model {model_file.name} does not exist.")
    return paths[0] if len(paths) == 1 else paths


def _check_network(
    model_file: ModelFile, network: keras.Model, input_shape: tuple[int, int, int], task: Task
) -> None:
    import keras

    def refuse(fault: str) -> None:
        raise ModelError(f"model file {model_file.path}: build {fault}.")

    if not isinstance(network, keras.Model):
        refuse(f"returned a {type(network).__name__}, not a keras.Model")
    masks = model_file.card["predicts"] == "masks"
    output_shape = (*input_shape[:2], task.n_outputs) if masks else (task.n_outputs,)
    for side, wanted in (("input", (None, *input_shape)), ("output", (None, *output_shape))):
        shape = getattr(network, f"{side}_shape", None)
        if shape != wanted:
            refuse(f"returned a model with {side} shape {shape}; expected {wanted}")
    if "logits" not in [layer.name for layer in network.layers]:
        refuse("returned a model without a layer named 'logits'")
    if network.output.dtype != "float32":
        refuse(f"returned a model with {network.output.dtype} output; expected float32")


def fit(
    model_file: ModelFile, metadata: Metadata, targets: np.ndarray, labelled: np.ndarray, task: Task
) -> Callable[[Metadata], np.ndarray]:
    """Fit a model that sees no image.

    Args:
        model_file: a model of metadata or of the file's shape, as discovered.
        metadata: of the N training images, what the card's ``inputs`` names.
        targets: (N, F), 0 or 1 where labelled; of a model that predicts masks (N, H, W, F).
        labelled: bool, of the same shape; what is False counts neither way.
        task: the findings.

    Returns:
        A function of the metadata of M images; it gives finite float32 logits (M, F), or
        (M, H, W, F).

    Raises:
        ModelError: the file is unusable or breaks the contract, now or when it predicts.
        NotApplicable: the data hold nothing the model could learn from.
    """
    module = load(model_file)
    if model_file.card["inputs"] == "image":
        raise NotApplicable(f"model {model_file.name} sees images; it is built, not fitted.")
    with blaming(model_file, "could not be fitted"):
        predict = module.fit(metadata, targets, labelled, task)

    def checked(metadata: Metadata) -> np.ndarray:
        with blaming(model_file, "could not predict"):
            logits = np.asarray(predict(metadata), dtype=np.float32)
        wanted = (len(next(iter(metadata.values()))), *targets.shape[1:])
        if logits.shape != wanted or not np.isfinite(logits).all():
            raise ModelError(
                f"model file {model_file.path}: predict returned logits of shape {logits.shape}; "
                f"expected {wanted}, all finite."
            )
        return logits

    return checked


def measure(model_file: ModelFile) -> dict[str, float]:
    """What the card states about size, counted on the built model.

    Returns:
        ``count``, the parameters (trainable or not) at the size, channels and outputs of the
        card's ``parameters``, without those of the smallest image with one output;
        and ``gmacs_224`` (None where the model cannot be 224 px).
    """
    import keras

    from benchmark.models._macs import multiply_adds

    card, channels = model_file.card, model_file.card["channels"]
    smallest = {"size": card["min_size"], "channels": channels, "outputs": 1}
    statement = card["parameters"] or smallest
    build = load(model_file).build
    stated = (statement["size"], statement["size"], statement["channels"])
    findings = tuple(f"finding {i}" for i in range(statement["outputs"]))
    task = Task(findings, "multilabel" if len(findings) > 1 else "binary")
    with keras.StatelessScope(initialize_variables=False):  # shapes are counted, no values drawn
        count = build(stated, task, None).count_params()
        if not within_limits(card, 224):
            return {"count": count, "gmacs_224": None}
        at_224 = build((224, 224, channels), Task(("finding",), "binary"), None)
    return {"count": count, "gmacs_224": multiply_adds(at_224) / 1e9}

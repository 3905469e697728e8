"""Golden outputs of training: imbalance policies, normalisation, loss, schedule and three stages.

The networks here are their own, so that a changed model changes nothing in them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from tests.golden.inputs import SPLITS, TASKS, noise, targets

SIDE, IMAGES = 16, 64
USUAL = {"epochs": 2, "batch_size": 8, "patience": 9, "learning_rate": 0.01, "head_epochs": 2}


# Imbalance policies


def imbalance() -> list[str]:
    from benchmark.training.imbalance import AXIS

    return AXIS.names()


def balanced(name: str) -> dict:
    """Under each kind of task: settings of the loss, copies, and what two epochs draw."""
    from benchmark.training.imbalance import AXIS, find_policy

    policy, values = find_policy(name), {}
    images = np.zeros((24, 2, 2), np.uint8)
    for kind in AXIS.find(name).card["tasks"]:
        truth = targets(kind)
        settings = policy.loss_settings(truth, TASKS[kind])
        rows, codes = policy.copies(truth)
        order = policy.training_set(images, truth, seed=3).order
        values[kind] = {
            "weights": np.ravel(settings["weights"] or []).tolist(),
            "gamma": settings["gamma"],
            "rows": rows.tolist(),
            "codes": codes.tolist(),
            "order": [order(epoch).tolist() for epoch in (0, 1)] if order else [],
        }
    return values


# Normalisation, inside every model


def normalisation() -> list[str]:
    from benchmark.models._cards import OWN_NORMALISATIONS

    return [*OWN_NORMALISATIONS]


def normalised(name: str) -> dict:
    from benchmark.models._normalisation import Normalisation

    images = noise(2, 2, 3, 1) ** 2
    images[1, 0] = 0
    shown = {n: Normalisation(name, n)(images) for n in (1, 3)}
    return {f"{n} channels": np.asarray(x).ravel().tolist() for n, x in shown.items()}


# Heads that are fitted


def schemes() -> list[str]:
    from benchmark.training.schemes import AXIS, is_by_gradient

    return [name for name in AXIS.names() if not is_by_gradient(name)]


def fitted(name: str) -> dict:
    """Under each kind of task, with targets that are not labelled: what is said of new images."""
    from benchmark.training.logistic import Labelled, fit_logistic
    from benchmark.training.neighbours import neighbour_logits

    values = {}
    for kind, task in TASKS.items():
        x, truth = noise(72, 9), targets(kind, 72)
        x[:, : truth.shape[1]] += truth / np.float32(4)
        train, validation = Labelled(x[:48], truth[:48]), Labelled(x[48:], truth[48:])
        if name == "knn":
            values[kind] = neighbour_logits(train, x[48:], task).ravel().tolist()
            continue
        dense, facts = fit_logistic(train, validation, task)
        values[kind] = {
            "chosen": facts.chosen,
            "validation_auc": facts.validation_auc,
            "logits": (x[48:] @ dense.kernel + dense.bias).ravel().tolist(),
        }
    return values


# Training


def training() -> list[str]:
    return [*PARTS]


def trained(name: str) -> dict:
    return PARTS[name]()


def _loss() -> dict:
    from benchmark.training.loss import MaskedCrossEntropy

    values = {}
    for kind in ("multilabel", "multiclass"):
        truth, exclusive = targets(kind), kind == "multiclass"
        logits = (noise(24, 3) - np.float32(0.5)) * 8
        weights = [[0.0, 0.0, 0.0], [0.5, 2.0, 3.0]] if exclusive else [[0.2, 0.3, 0.4], [2, 1, 3]]
        for gamma in (0.0, 2.0):
            for weighted in (None, weights):
                loss = MaskedCrossEntropy(exclusive, weights=weighted, gamma=gamma)
                values[f"{kind}, gamma {gamma}, {'weighted' if weighted else 'plain'}"] = float(
                    loss(truth, logits)
                )
    masks = np.sign(noise(2, 4, 4, 1) - np.float32(0.3))
    values["masks"] = float(MaskedCrossEntropy(False)(masks, noise(2, 4, 4, 1)))
    return values


def _schedule() -> dict:
    from benchmark.training.optimizer import learning_rate
    from benchmark.training.recipe import make_recipe

    values = {}
    for schedule in ("cosine", "constant"):
        for warmup in (0, 100):
            recipe = make_recipe({"schedule": schedule, "warmup_steps": warmup, "accumulate": 2})
            rate = learning_rate(recipe, 60)
            at = [0, 1, 7, 29, 30, 31, 150, 299, 300]
            rates = [float(rate(step)) if callable(rate) else rate for step in at]
            values[f"{schedule}, {warmup} steps of warm-up"] = rates
    return values


def _batches() -> dict:
    from benchmark.data.mask_batches import mask_batches
    from benchmark.data.pipeline import epoch_order, training_batches

    images = np.repeat(np.arange(10, dtype=np.uint8) * 25, 4).reshape(10, 2, 2)
    how = {"batch_size": 4, "seed": 3, "augmentation": "none", "epochs": 2}
    of_masks = mask_batches(images, np.where(images > 100, 255, 127).astype(np.uint8), **how)
    return {
        "order": [
            epoch_order(10, seed, epoch).tolist() for seed, epoch in ((0, 0), (3, 0), (3, 1))
        ],
        "batches": _as_lists(training_batches(images, np.arange(10)[:, None], **how)),
        "batches of masks": _as_lists(of_masks),
    }


def _as_lists(batches) -> list[float]:
    pairs = [(x[:, 0, 0, 0], y.reshape(len(y), -1)[:, 0]) for x, y in batches.as_numpy_iterator()]
    return np.concatenate([np.concatenate(pair) for pair in pairs]).tolist()


def _optimised(kind: str = "multilabel", **changes) -> dict:
    from functools import partial

    from benchmark.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
    from benchmark.training.fit import fit, validation_auc
    from benchmark.training.loss import MaskedCrossEntropy
    from benchmark.training.optimizer import compile_model
    from benchmark.training.recipe import make_recipe

    recipe, (images, truth) = make_recipe(USUAL, changes), _set(kind)
    model = _dense_network(TASKS[kind])
    loss = MaskedCrossEntropy(TASKS[kind].exclusive, label_smoothing=recipe.label_smoothing)
    steps = steps_per_epoch(IMAGES, recipe.micro_batch)
    how = {"batch_size": recipe.micro_batch, "seed": 3, "augmentation": "none"}
    batches = partial(training_batches, images["train"], truth["train"], **how)
    asked = evaluation_batches(images["validation"], 64)
    known = np.where(truth["validation"] < 0, np.nan, truth["validation"])
    by_auc = validation_auc(
        lambda model: np.asarray(model.predict(asked, verbose=0)), known, TASKS[kind], loss
    )
    compile_model(model, loss, recipe, steps, "cpu")
    history, said = fit(
        model, lambda e: batches(first_epoch=e, epochs=recipe.epochs), steps, by_auc, recipe
    )
    return _went(history, said, model)


def _head() -> dict:
    from benchmark.training.frozen import train_head

    return _staged(train_head)


def _fine_tuned() -> dict:
    from benchmark.training.frozen import fine_tune

    return _staged(fine_tune)


def _dense_network(task):
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    images = keras.Input((SIDE, SIDE, 1), name="images")
    hidden = keras.layers.Dense(8, activation="relu")(keras.layers.Flatten()(images))
    return keras.Model(images, keras.layers.Dense(task.n_outputs, name="logits")(hidden))


def _convolutions():
    """A backbone with batch normalisation and dropout before its head, as model files build it."""
    import keras

    from benchmark.models._normalisation import Normalisation

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    layers = keras.layers
    inner = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(6, 3, strides=2, use_bias=False)(inner)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    features = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(3, name="logits")(layers.Dropout(0.2)(features))
    images = keras.Input((SIDE, SIDE, 1), name="images")
    shown = Normalisation("standardise", 1, name="normalisation")(images)
    return keras.Model(images, keras.Model(inner, logits)(shown))


def _staged(train) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        done = train(_convolutions(), _job("multilabel", Path(folder)))
    return _went(done.history, done.validation, done.model)


def _went(history, validation, model) -> dict:
    """How a training went, what is said of the first images, and the size of every weight."""
    weights = [np.asarray(weight, np.float64) for weight in model.weights]
    return {
        "loss": history.loss,
        "val_auc": history.val_score,
        "val_loss": history.val_loss,
        "best_epoch": history.best_epoch,
        "validation": validation.ravel()[:12].tolist(),
        "weights": [of(w) for w in weights if w.size for of in (np.mean, _size)],
    }


def _size(weight: np.ndarray) -> float:
    return float(np.sqrt(np.square(weight).mean()))


def _set(kind: str) -> tuple[dict, dict]:
    """Images uint8 and targets by split."""
    n = IMAGES // 2
    images = np.random.default_rng(6).integers(0, 256, (IMAGES + 2 * n, SIDE, SIDE), np.uint8)
    truth, cuts = targets(kind, len(images)), (IMAGES, IMAGES + n)
    images[truth[:, 0] == 1, :5] //= 2  # so that there is something to learn
    return tuple(dict(zip(SPLITS, np.split(x, cuts), strict=True)) for x in (images, truth))


def _job(kind: str, folder: Path):
    """What stages are given; the only place that knows how a run is described."""
    from benchmark.data.prepared import ManifestPart
    from benchmark.machine.environment import Environment
    from benchmark.models import discover
    from benchmark.records.store import Results
    from benchmark.spec import Spec
    from benchmark.training.context import Context, Phases
    from benchmark.training.imbalance import TrainingSet
    from benchmark.training.loss import MaskedCrossEntropy
    from benchmark.training.recipe import make_recipe
    from benchmark.training.stage import Training

    recipe, (images, truth) = make_recipe(USUAL), _set(kind)
    spec = Spec(
        kind="classifier",
        dataset="golden/set",
        dataset_version="1.0.0",
        manifest_sha256="0" * 64,
        model="linear",
        resolution=SIDE,
        preprocessing="raw",
        normalisation="standardise",
        imbalance="none",
        scheme="finetune",
        weights="random",
        augmentation="none",
        recipe=recipe.as_dict(),
        precision="float32",
        seed=3,
    )
    environment = Environment("tensorflow", "cpu", 1)
    unknown = np.zeros(len(truth["validation"]))
    part = ManifestPart(*[unknown] * 5, truth["validation"], truth["validation"] >= 0)
    return Training(
        spec=spec,
        model_file=discover()["linear"],
        recipe=recipe,
        task=TASKS[kind],
        images=images,
        train=TrainingSet(images["train"], truth["train"]),
        loss=MaskedCrossEntropy(TASKS[kind].exclusive),
        validation=part,
        context=Context(folder, folder, Results(folder), "golden", environment),
        phases=Phases(),
        on_event=lambda event: None,
    )


PARTS = {
    "loss": _loss,
    "schedule": _schedule,
    "batches": _batches,
    "adam": _optimised,
    "adamw": lambda: _optimised(
        "multiclass", optimizer="adamw", accumulate=2, clip_norm=0.5, weight_decay=0.1
    ),
    "trained_out": lambda: _optimised(
        "binary",
        optimizer="adamw",
        decayed="kernels",
        weight_decay=0.1,
        warmup_share=0.2,
        label_smoothing=0.1,
        ema_epochs=0.5,
    ),
    "sgd": lambda: _optimised("binary", optimizer="sgd", schedule="constant", warmup_steps=5),
    "head": _head,
    "fine_tuned": _fine_tuned,
}

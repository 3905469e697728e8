"""Imbalance policies: what is done in training about findings that are rare. Imports no Keras.

Targets are (N, F), 1 where a finding is present, 0 where it is absent, -1 where it is not labelled.
A policy acts on training alone: by the loss, by which images an epoch draws, or by copies of
images, turned exactly. What is reported is predicted on the images as they are.

One file a policy (see :mod:`benchmark.plugins`). A file has

- ``CARD``: ``title``, ``description``, ``version`` (raised where the same policy begins to weigh,
  copy or draw otherwise); ``tasks``, the kinds of task that it is for, where these are not all;
- ``policy() -> Policy``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.data.indexed_images import TRANSFORMS, Images, IndexedImages
from benchmark.errors import UserError
from benchmark.plugins import Axis, Plugin
from benchmark.task import KINDS, Task

Copies = tuple[np.ndarray, np.ndarray]
"""Rows and transform codes (see :mod:`benchmark.data.indexed_images`), (M,) each."""

SAME, ROT90, ROT180, ROT270, FLIP_LR, FLIP_UD = range(len(TRANSFORMS))

AXIS: Axis[Plugin] = Axis(
    "imbalance",
    __name__,
    entry="policy",
    keys={"title": str, "description": str, "version": int},
    optional={"tasks": list(KINDS)},
)


@dataclass(frozen=True)
class TrainingSet:
    """What an epoch draws from: an epoch is as long as there are images.

    Attributes:
        images: uint8 (M, S, S), copies included; they are turned when they are read.
        targets: (M, F).
        order: epoch -> int (M,), the rows it draws; None where it draws every row once.
    """

    images: Images
    targets: np.ndarray
    order: Callable[[int], np.ndarray] | None = None


@dataclass(frozen=True)
class Policy:
    """One policy; what is None or 0 stays as without it.

    Attributes:
        weigh: targets and whether findings are exclusive -> weights of
            :class:`benchmark.training.loss.MaskedCrossEntropy`.
        gamma: of the focal loss.
        copy: targets -> the training set with its copies.
        draw: targets and seed -> epoch -> the rows that it draws, as many as there are.
    """

    weigh: Callable[[np.ndarray, bool], np.ndarray] | None = None
    gamma: float = 0.0
    copy: Callable[[np.ndarray], Copies] | None = None
    draw: Callable[[np.ndarray, int], Callable[[int], np.ndarray]] | None = None

    def loss_settings(self, targets: np.ndarray, task: Task) -> dict[str, Any]:
        """Arguments of the loss, from the training targets."""
        weights = self.weigh and self.weigh(targets, task.exclusive).tolist()
        return {"weights": weights, "gamma": self.gamma}

    def copies(self, targets: np.ndarray) -> Copies:
        """The training set, copies included: every image as it is, and then the copies."""
        if self.copy is None:
            return np.arange(len(targets)), np.full(len(targets), SAME)
        return self.copy(targets)

    def training_set(self, images: Images, targets: np.ndarray, seed: int) -> TrainingSet:
        """What to train on, given the images (N, S, S) and targets of the training split."""
        if self.copy is not None:
            rows, codes = self.copy(targets)
            images, targets = IndexedImages([images], rows, codes), targets[rows]
        return TrainingSet(images, targets, self.draw and self.draw(targets, seed))


def find_policy(name: str) -> Policy:
    """The policy called ``name``; UnknownName lists the choices."""
    return AXIS.find(name).load()()


def check_policy(name: str, task: Task) -> None:
    """Refuse a policy that is not defined for a kind of task.

    Raises:
        UnknownName: there is no such policy.
        UserError: it is for other kinds of task; lists the policies that can be used.
    """
    tasks = AXIS.find(name).card["tasks"]
    if task.kind not in tasks:
        policies = AXIS.discover()
        others = [other for other in policies if task.kind in policies[other].card["tasks"]]
        raise UserError(
            f"imbalance {name!r} is for {' or '.join(tasks)} tasks, not for a {task.kind} "
            f"one with {task.n_outputs} findings. Use one of: {', '.join(others)}."
        )

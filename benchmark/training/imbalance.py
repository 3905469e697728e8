"""Imbalance policies: what is done in training about findings that are rare. Imports no Keras.

Targets are (N, F), 1 where a finding is present, 0 where it is absent, -1 where it is not labelled.
A policy acts on training alone: by the loss, by which images an epoch draws, or by copies of
images, turned exactly. What is reported is predicted on the images as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.data.gathered import TRANSFORMS, Gathered, Images
from benchmark.errors import UnknownName, UserError
from benchmark.task import KINDS, Task

Copies = tuple[np.ndarray, np.ndarray]
"""Rows and transform codes (see :mod:`benchmark.data.gathered`), (M,) each."""

SAME, ROT90, ROT180, ROT270, FLIP_LR, FLIP_UD = range(len(TRANSFORMS))


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
        kinds: the kinds of task it is defined for.
        weigh: targets and whether findings are exclusive -> weights of
            :class:`benchmark.training.loss.MaskedCrossEntropy`.
        gamma: of the focal loss.
        copy: targets -> the training set with its copies.
        balanced: whether every group of images is drawn equally often.
        version: raised where the same policy begins to weigh, copy or draw otherwise.
    """

    kinds: tuple[str, ...] = KINDS
    weigh: Callable[[np.ndarray, bool], np.ndarray] | None = None
    gamma: float = 0.0
    copy: Callable[[np.ndarray], Copies] | None = None
    balanced: bool = False
    version: int = 1

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
            images, targets = Gathered([images], rows, codes), targets[rows]
        if not self.balanced:
            return TrainingSet(images, targets)
        groups = groups_of(targets)
        return TrainingSet(
            images, targets, lambda epoch: balanced_order(groups, len(targets), seed, epoch)
        )


def find_policy(name: str) -> Policy:
    """The policy called ``name``; UnknownName lists the choices."""
    if name not in POLICIES:
        raise UnknownName("imbalance", name, POLICIES)
    return POLICIES[name]


def check_policy(name: str, task: Task) -> None:
    """Refuse a policy that is not defined for a kind of task.

    Raises:
        UnknownName: there is no such policy.
        UserError: it is for other kinds of task; lists the policies that can be used.
    """
    policy = find_policy(name)
    if task.kind not in policy.kinds:
        others = ", ".join(key for key, other in POLICIES.items() if task.kind in other.kinds)
        raise UserError(
            f"imbalance {name!r} is for {' or '.join(policy.kinds)} tasks, not for a {task.kind} "
            f"one with {task.n_outputs} findings. Use one of: {others}."
        )


def label_weights(targets: np.ndarray, exclusive: bool) -> np.ndarray:
    """Weights against imbalance, float64 (2, F): of absent and of present findings.

    Independent findings: the frequency of the opposite label among the labelled, so that positives
    and negatives of a finding weigh the same in sum (system S4; CheXNet, Rajpurkar et al. 2017,
    arXiv:1711.05225). Exclusive ones: N / (F n) for a class of n of the N labelled images, which
    is 1 on average over these; what is absent has no weight of its own there.
    """
    if exclusive:
        targets = targets[(targets >= 0).all(axis=1)]
    present = (targets == 1).sum(axis=0)
    if exclusive:
        weights = len(targets) / (targets.shape[1] * np.maximum(present, 1))
        return np.stack([np.zeros_like(weights), weights])
    frequency = present / np.maximum((targets >= 0).sum(axis=0), 1)
    return np.stack([frequency, 1 - frequency])


def groups_of(targets: np.ndarray) -> list[np.ndarray]:
    """Rows of the images that show each finding, and of those labelled that show none.

    These are the two classes of a binary task and the classes of exclusive findings; an image with
    several independent findings is in several groups. Empty groups are left out.
    """
    shown = targets == 1
    without = ~shown.any(axis=1) & (targets >= 0).any(axis=1)
    groups = [np.flatnonzero(column) for column in (*shown.T, without)]
    return [group for group in groups if len(group)]


def balanced_order(groups: list[np.ndarray], n: int, seed: int, epoch: int) -> np.ndarray:
    """``n`` rows for one epoch, as many from each group as from any other (give or take one).

    Within a group every row is drawn equally often (give or take one); which ones are drawn once
    more changes from epoch to epoch (class-aware sampling, Shen et al. 2016, arXiv:1512.05830).
    """
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, epoch))))
    shares = np.full(len(groups), n // len(groups))
    shares[random.permutation(len(groups))[: n % len(groups)]] += 1
    drawn = [
        np.concatenate([random.permutation(group) for _ in range(-(-share // len(group)))])[:share]
        for group, share in zip(groups, shares, strict=True)
        if share
    ]
    return random.permutation(np.concatenate(drawn))


def six_fold(targets: np.ndarray) -> Copies:
    """Every image, and every positive under five transforms: there six times (system S0)."""
    turns = [ROT90, ROT180, ROT270, FLIP_LR, FLIP_UD]
    positives = np.flatnonzero(targets[:, 0] == 1)
    return _joined(len(targets), [np.repeat(positives, 5)], [np.tile(turns, len(positives))])


def evened_out(targets: np.ndarray, turns: tuple[int, ...]) -> Copies:
    """Every image, and copies of the rarer classes until all have as many as the largest.

    A class is gone through in the order of the set, once under each transform of ``turns``, and
    then over again, until it is large enough.
    """
    groups = groups_of(targets)
    most = max(map(len, groups))
    extras = [np.arange(most - len(group)) for group in groups]
    rows = [group[extra % len(group)] for group, extra in zip(groups, extras, strict=True)]
    rounds = [extra // len(group) for group, extra in zip(groups, extras, strict=True)]
    return _joined(len(targets), rows, [np.take(turns, r, mode="wrap") for r in rounds])


def _joined(n: int, rows: list[np.ndarray], codes: list[np.ndarray]) -> Copies:
    """All n images as they are, and then these."""
    return np.concatenate([np.arange(n), *rows]), np.concatenate([np.full(n, SAME), *codes])


def _s1(targets: np.ndarray) -> Copies:
    # S1 only says that augmented copies even the classes out. Our reading: exact ones, the mirror
    # image first, and each of the five before an image comes again as it is.
    return evened_out(targets, (FLIP_LR, FLIP_UD, ROT90, ROT180, ROT270, SAME))


def _s3(targets: np.ndarray) -> Copies:
    # Horizontal flip, vertical flip, both (which is half a turn); then, where the rarer class is
    # below a fifth of all, over again from the image as it is.
    return evened_out(targets, (FLIP_LR, FLIP_UD, ROT180, SAME))


POLICIES = {
    "none": Policy(),
    "weighted": Policy(weigh=label_weights),
    "focal": Policy(gamma=2.0),
    "balanced": Policy(balanced=True),
    "copies_s0": Policy(("binary",), copy=six_fold),
    "copies_s1": Policy(("binary", "multiclass"), copy=_s1),
    "copies_s3": Policy(("binary",), copy=_s3),
}

"""Where a training stands after an epoch: all it takes to go on with the same bits."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from benchmark.hashing import canonical_json, sha256
from benchmark.records.disk import told
from benchmark.records.files import replacing

if TYPE_CHECKING:  # planning names checkpoints and must not wait for Keras
    import keras

LAYOUT = 3
"""Of what a checkpoint holds: one of another layout is not gone on from."""
SHARE_OF_TIME = 0.02
"""Most of the training time that may go into writing checkpoints."""
BYTES_PER_SECOND = 200e6
"""How fast a first checkpoint is taken to be written; later ones go by how long the last took."""
_LOG = logging.getLogger(__name__)


class Timed(msgspec.Struct):
    """What a stage of a training has taken so far.

    Attributes:
        parts: wall-clock seconds of each part of it.
        later_steps: steps but the first of each attempt.
    """

    parts: dict[str, float] = {}
    later_steps: int = 0


@dataclass(frozen=True)
class State:
    """What a checkpoint holds beside the model's and the optimizer's variables.

    Attributes:
        history: of the training so far, as plain values.
        best_weights: of the best epoch so far, as ``model.get_weights`` gives them.
        timed: what all epochs so far have taken.
    """

    history: dict
    best_weights: Sequence[np.ndarray]
    timed: Timed


class _Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint file says of its arrays."""

    made_by: str
    history: dict[str, Any]
    timed: Timed = msgspec.field(default_factory=Timed)  # earlier layouts have none


class Checkpoint:
    """The checkpoint of one stage of one spec: a file that each epoch replaces.

    The model's variables include the state of its random layers, the optimizer's the step count
    that its learning rate follows; what a batch holds depends on the epoch alone. So a training
    that goes on from here computes what it would have computed.

    Args:
        path: the file, ``.npz``.
        made_by: what the training depends on beside the spec, as plain values; a checkpoint made
            by anything else is not used.
    """

    def __init__(self, path: Path, made_by: object):
        self._path = path
        self._made_by = sha256(canonical_json([LAYOUT, made_by]))
        self._saved = time.monotonic()
        self._cost: float | None = None

    def save(self, model: keras.Model, state: State) -> None:
        """Save a compiled model and its state after an epoch.

        Epochs of a fast training are passed over, so that writing takes little of its time and a
        kill costs little training. Where it cannot be written, the training goes on without.
        """
        begun = time.monotonic()
        cost = self._cost or _nbytes(model, state) / BYTES_PER_SECOND
        if cost > SHARE_OF_TIME * (begun - self._saved):
            return
        described = {
            "made_by": self._made_by,
            "history": state.history,
            "timed": msgspec.to_builtins(state.timed),
        }
        arrays: dict[str, Any] = {
            "described": np.frombuffer(canonical_json(described), np.uint8),
            **{f"variable_{i:05d}": np.asarray(v) for i, v in enumerate(_variables(model))},
            **{f"best_{i:05d}": value for i, value in enumerate(state.best_weights)},
        }
        try:
            self._path.parent.mkdir(exist_ok=True)  # without parents: they may have been moved
            with replacing(self._path) as file:
                np.savez(file, **arrays)
        except OSError as error:
            _LOG.warning("no checkpoint is written, the training goes on: %s", told(error))
        self._saved = time.monotonic()
        self._cost = self._saved - begun

    def load(self, model: keras.Model) -> State | None:
        """Bring a newly compiled model to where the checkpoint stands; None where there is none.

        A damaged checkpoint, or one of other code, counts as none: the training begins anew.
        """
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                described = msgspec.json.decode(arrays["described"].tobytes(), type=_Described)
                if described.made_by != self._made_by:
                    return None
                if arrays.zip.testzip():
                    raise ValueError("its checksums do not fit")
                variables = [arrays[name] for name in sorted(arrays) if name.startswith("variable")]
                best = [arrays[name] for name in sorted(arrays) if name.startswith("best")]
            pairs = list(zip(_variables(model), variables, strict=True))
            pairs_of_best = zip(model.weights, best, strict=True)
            if any(tuple(v.shape) != value.shape for v, value in (*pairs, *pairs_of_best)):
                raise ValueError("its variables have other shapes")
        except FileNotFoundError:
            return None
        # Damaged bytes make zipfile, zlib and NumPy raise nearly anything. NumPy compares a member
        # with its checksum only where it reads all of it, which a damaged header may spare it.
        except Exception as error:
            _LOG.warning("checkpoint %s is damaged (%s): beginning anew", self._path, error)
            return None
        for variable, value in pairs:
            variable.assign(value)
        return State(described.history, best, described.timed)


def _nbytes(model: keras.Model, state: State) -> int:
    """About how large a checkpoint is: four bytes a number, and the best weights."""
    numbers = sum(math.prod(variable.shape) for variable in _variables(model))
    return 4 * numbers + sum(value.nbytes for value in state.best_weights)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Everything that training changes, in an order that depends on the model alone."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]

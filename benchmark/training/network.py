"""Networks as they begin and end: made from a spec alone, saved whole; and what they run on."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import keras

from benchmark.errors import UserError
from benchmark.machine.devices import find
from benchmark.machine.environment import Environment, check_found, fix_keras_settings
from benchmark.models import ModelFile, create, load
from benchmark.records.disk import check_room
from benchmark.spec import Spec
from benchmark.task import Task
from benchmark.training.distribution import clear_session, distribute

BYTES_A_WEIGHT = 4.1
"""Of float32, with what the file holds beside them."""
_TOLD = 500
"""Characters at most of what Keras says of a file."""


def fresh_model(
    spec: Spec, model_file: ModelFile, task: Task, files: Sequence[Path] = ()
) -> keras.Model:
    """A new model whose state depends on the spec alone, not on what ran before it.

    Args:
        files: published weights of its backbones; none to draw them at random.
    """
    load(model_file)  # whatever its file sets when it is run is undone before it is used
    clear_session()
    keras.utils.set_random_seed(spec.seed)
    _fix_settings(spec)
    paths = tuple(map(str, files)) or None
    model = create(model_file, spec.resolution, task, spec.normalisation, paths)
    _fix_settings(spec)
    return model


def _fix_settings(spec: Spec) -> None:
    fix_keras_settings()
    keras.config.set_dtype_policy(spec.precision)


class _InMemory(io.BytesIO):
    """What Keras takes for a file of weights: HDF5 itself crashes where it meets a full disk."""

    def __str__(self) -> str:
        return ".weights.h5"


def up_to(model: keras.Model, features: keras.KerasTensor) -> keras.Model:
    """A model that ``benchmark.models.create`` made, images (B, S, S, 1) to a tensor within it.

    Args:
        features: what a layer of its network gets or gives.
    """
    inner = keras.Model(model.layers[-1].inputs[0], features)
    return keras.Model(model.inputs[0], inner(model.get_layer("normalisation").output))


def encode_weights(model: keras.Model) -> bytes:
    """The bytes of a file of the weights of a model, without its optimizer."""
    bare = keras.Model(model.inputs, model.outputs)  # without the optimizer, twice the size again
    bare.save_weights(memory := _InMemory())
    return memory.getvalue()


def load_weights(model: keras.Model, path: Path) -> None:
    """Load weights that were saved of such a model.

    Raises:
        UserError: they are damaged, or do not fit it, as after a change of its file.
    """
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, RuntimeError) as error:
        said = str(error)[:_TOLD]
        raise UserError(f"weights {path} do not fit model {model.name}: {said}") from error


def check_room_for(model: keras.Model, path: Path) -> None:
    """Make sure, before a model is trained, that its weights will have room at ``path``.

    Raises:
        UserError: they will not.
    """
    size = BYTES_A_WEIGHT * model.count_params()
    check_room(path.parent, size, f"the weights of {path.name.partition('.')[0]}", "--results")


def check_device(environment: Environment) -> None:
    """Raise a UserError where the backend does not find the device that this worker is for."""
    if environment.device != "cpu":
        check_found(environment, find(environment.backend, environment.device))


def determinism(environment: Environment) -> str:
    """How far a spec repeats itself, in words for its row."""
    backend, device = environment.backend, environment.device
    if device == "cpu" and backend == "tensorflow":
        return "bit-identical on one CPU machine"
    if device == "gpu" and _deterministic(backend):
        return f"seeded, with deterministic operations; on a GPU {backend} was not compared"
    return f"seeded; {backend} on {device} does not promise identical bits"


def _deterministic(backend: str) -> bool:
    """Whether a framework has taken it that its operations on GPUs are to be deterministic."""
    if backend == "jax":  # its compiler reads this once, as it starts
        return "xla_gpu_deterministic_ops=true" in os.environ.get("XLA_FLAGS", "")
    if backend == "tensorflow":
        from tensorflow.python.framework import config

        return config.is_op_determinism_enabled()
    import torch

    # Asked so as to warn where there is no such operation, which is not known in advance.
    return torch.are_deterministic_algorithms_enabled() and not (
        torch.is_deterministic_algorithms_warn_only_enabled()
    )


def configure_framework(environment: Environment) -> None:
    """Make the framework deterministic, and keep it to the cores it is given.

    float32 means IEEE single precision, on GPUs and TPUs too: every framework has a faster,
    coarser kind that it would use there for matrix products, convolutions or both.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(environment.threads)
    tf.config.threading.set_inter_op_parallelism_threads(environment.threads)
    if environment.backend == "tensorflow":
        tf.config.experimental.enable_tensor_float_32_execution(False)
        tf.config.experimental.enable_op_determinism()
        return
    tf.config.set_visible_devices([], "GPU")  # tf.data only: leave the memory to the backend
    if environment.backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
        distribute(environment)
    else:
        import torch

        torch.set_num_threads(environment.threads)
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        torch.use_deterministic_algorithms(True, warn_only=True)

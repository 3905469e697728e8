"""Which published weight files fill a model's backbone; imports no framework."""

from __future__ import annotations

from benchmark.models._discovery import ModelFile

_BEFORE_THE_KEY = {"resnet50": ["resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"]}
"""Cards from before ``weight_files``, whose bytes the reference rows' hashes hold fast."""


def weight_files(model_file: ModelFile) -> list[str]:
    """Names of the files, as Keras publishes them, with which a model is built.

    Returns:
        One name a backbone, in the order in which ``build`` wants them; empty for a model that
        takes no published weights.
    """
    return model_file.card.get("weight_files") or _BEFORE_THE_KEY.get(model_file.name, [])

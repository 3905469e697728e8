"""Parts of a network that are networks themselves: an image goes in, as into the whole."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmark.ensembles.joined import penultimate
from benchmark.kinds.anomaly_run import _map_network
from benchmark.models import create, discover
from benchmark.training.frozen import cut
from tests.models.small import SIZE, TASK, some_images

PARTS = {
    "backbone": lambda model: cut(model)[0],
    "features": penultimate,
    "map": _map_network,
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_takes_one_tensor_and_no_list_of_them(part):
    """Keras warns of anything else, at each batch on PyTorch."""
    keras.utils.set_random_seed(0)
    model = create(discover()["mobilenetv2"], SIZE, TASK, "imagenet")
    images = some_images()[..., None].astype(np.float32) / 255
    assert len(PARTS[part](model)(images)) == len(images)

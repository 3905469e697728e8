"""What the tests of models share."""

from __future__ import annotations

import pytest

from benchmark.models import discover, new_model


@pytest.fixture(scope="session")
def model_files(tmp_path_factory):
    """Every model file by name, and ``scaffolded`` as new_model wrote it to a folder of its own."""
    folder = tmp_path_factory.mktemp("own_models")
    new_model("scaffolded", folder)
    return discover([folder])

"""Fixtures of the data tests."""

from __future__ import annotations

import pytest
from tiny_sets import grey_images, store


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """70 training and 9 test PNG images of odd sizes."""
    parts = {"train": grey_images(70, 1), "test": grey_images(9, 2)}
    return store(tmp_path_factory.mktemp("tiny"), parts)

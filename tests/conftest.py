"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real X-rays (kermany_224, nih_1000, lung_masks); skips where it is absent."""
    folder = os.environ.get("CXR_BENCH_REAL_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set CXR_BENCH_REAL_DATA to a folder of real X-rays to run this test")
    return Path(folder)

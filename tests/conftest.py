"""Shared fixtures."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's, which may have other work.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


def pytest_configure():
    """Give each process of a parallel run a core of its own, and all that it starts.

    TensorFlow takes every core it may use; two processes that do so wait for each other.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
    _heed_signals()


def _heed_signals():
    """In the background of a script, or under nohup, these are ignored, and by children, too."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)  # Windows knows no SIGHUP
        if number and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Side by side, one process gets a whole file, so that what its tests share is made once."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


def pytest_collection_finish():
    """What was imported stays: it is not looked through whenever Keras has memory collected."""
    gc.freeze()


@pytest.fixture(scope="session")
def phantom(tmp_path_factory):
    """``thorax_phantom/small``, prepared; returns (facts, data folder, cache folder)."""
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare

    data_dir = tmp_path_factory.mktemp("data")
    prepared = prepare(find_dataset("thorax_phantom/small"), data_dir, None)
    return prepared, data_dir, tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real X-rays (kermany_224, nih_1000, lung_masks); skips where it is absent."""
    folder = os.environ.get("CXR_BENCH_REAL_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set CXR_BENCH_REAL_DATA to a folder of real X-rays to run this test")
    return Path(folder)

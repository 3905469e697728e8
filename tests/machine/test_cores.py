"""Cores that a process may use: those it is bound to, and what its control groups grant."""

from __future__ import annotations

import os

import pytest

from benchmark.machine.cores import usable_cores

PERIOD = 100_000


@pytest.fixture
def eight_cores(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return machine


def test_without_a_quota_all_cores_are_used_that_a_process_is_bound_to(eight_cores):
    assert usable_cores() == 8
    eight_cores.is_in("/run")
    eight_cores.has_group("/run", cpu_max=f"max {PERIOD}\n")
    assert usable_cores() == 8


@pytest.mark.parametrize(
    ("quota", "cores"), [(200_000, 2), (150_000, 2), (10_000, 1), (9_000_000, 8)]
)
def test_a_quota_of_time_is_that_of_so_many_cores(eight_cores, quota, cores):
    eight_cores.is_in("/pod/run")
    eight_cores.has_group("/pod", cpu_max=f"{quota} {PERIOD}\n")
    assert usable_cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [(300_000, 3), (-1, 8)])
def test_a_quota_of_version_1(eight_cores, quota, cores):
    eight_cores.is_in("/run", version=1)
    eight_cores.has("sys/fs/cgroup/cpu,cpuacct/run/cpu.cfs_quota_us", quota)
    eight_cores.has("sys/fs/cgroup/cpu,cpuacct/run/cpu.cfs_period_us", PERIOD)
    assert usable_cores() == cores


def test_a_system_that_binds_no_process_is_asked_for_its_cores(machine, monkeypatch):
    """As macOS and Windows."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1

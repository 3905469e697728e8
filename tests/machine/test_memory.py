"""Memory that is free and memory that is taken, on machines that are made up."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys

import pytest

from benchmark.machine.memory import (
    available_memory_mb,
    oom_kills,
    own_memory_mb,
    peak_memory_mb,
    resident_memory_mb,
)
from tests.machine.conftest import MB

UNLIMITED = 9223372036854771712
JOB = "/slurm/uid_1000/job_5"


@pytest.fixture
def free_20_gb(machine):
    machine.has("proc/meminfo", f"MemTotal: {32 * 2**20} kB\nMemAvailable: {20 * 2**20} kB\n")
    return machine


def test_a_machine_that_says_nothing_has_no_known_memory(machine):
    assert (available_memory_mb(), oom_kills(), own_memory_mb(7)) == (None, None, 0)


def test_without_a_limit_what_is_available_is_that_of_the_machine(free_20_gb):
    assert available_memory_mb() == 20 * 1024
    free_20_gb.is_in("/session")
    free_20_gb.has_group("/session", memory_max="max\n", memory_current=5 * MB)
    assert available_memory_mb() == 20 * 1024
    free_20_gb.is_in("/user", version=1)
    free_20_gb.has_memory_group("/user", limit_in_bytes=UNLIMITED, usage_in_bytes=5 * MB)
    assert available_memory_mb() == 20 * 1024


def test_page_cache_of_a_group_is_free(free_20_gb):
    free_20_gb.is_in("/run")
    stat = f"anon {300 * MB}\nfile {700 * MB}\ninactive_file {500 * MB}\nactive_file {200 * MB}\n"
    files = {"memory_max": 2000 * MB, "memory_current": 1000 * MB, "memory_stat": stat}
    free_20_gb.has_group("/run", **files)
    assert available_memory_mb() == 1700


def test_page_cache_of_a_group_of_version_1_is_that_of_the_groups_inside_it_too(free_20_gb):
    free_20_gb.is_in("/run", version=1)
    stat = f"inactive_file 0\nactive_file 0\ntotal_inactive_file {600 * MB}\ntotal_active_file 0\n"
    files = {"limit_in_bytes": 2000 * MB, "usage_in_bytes": 1000 * MB, "stat": stat}
    free_20_gb.has_memory_group("/run", **files)
    assert available_memory_mb() == 1600


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_batch_job_holds_for_its_steps(free_20_gb, version):
    free_20_gb.is_in(f"{JOB}/step_0/task_0", version=version)
    if version == 1:
        free_20_gb.has_memory_group(JOB, limit_in_bytes=4000 * MB, usage_in_bytes=1500 * MB)
        step = {"limit_in_bytes": UNLIMITED, "usage_in_bytes": 500 * MB}
        free_20_gb.has_memory_group(f"{JOB}/step_0", **step)
    else:
        free_20_gb.has_group(JOB, memory_max=4000 * MB, memory_current=1500 * MB)
        free_20_gb.has_group(f"{JOB}/step_0", memory_max="max\n", memory_current=500 * MB)
    assert available_memory_mb() == 2500


def test_a_limit_above_which_processes_are_slowed_down_is_one(free_20_gb):
    free_20_gb.is_in("/run")
    limits = {"memory_max": 4000 * MB, "memory_high": 3000 * MB, "memory_current": 1000 * MB}
    free_20_gb.has_group("/run", **limits)
    assert available_memory_mb() == 2000


def test_a_full_group_has_nothing_to_take(free_20_gb):
    free_20_gb.is_in("/run")
    free_20_gb.has_group("/run", memory_max=1000 * MB, memory_current=1001 * MB)
    assert available_memory_mb() == 0


@pytest.mark.parametrize("version", [1, 2])
def test_in_a_container_the_group_is_what_is_mounted(free_20_gb, version):
    if version == 1:  # the path is the host's, and only its end is to be seen here
        free_20_gb.is_in("/docker/ab12", version=1, root="/docker/ab12")
        free_20_gb.has_memory_group("", limit_in_bytes=1000 * MB, usage_in_bytes=100 * MB)
    else:  # a namespace of its own; the process was put into a group outside of it
        free_20_gb.is_in("/../outside")
        free_20_gb.has_group("", memory_max=1000 * MB, memory_current=100 * MB)
    assert available_memory_mb() == 900


def test_kills_are_counted_in_the_own_group_first(machine):
    machine.has("proc/vmstat", "nr_free_pages 12\noom_kill 7\n")
    assert oom_kills() == 7
    machine.is_in(f"{JOB}/step_0")
    machine.has_group(JOB, memory_events="low 0\noom 3\noom_kill 2\n")
    assert oom_kills() == 2
    machine.is_in("/run", version=1)
    machine.has_memory_group("/run", oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert oom_kills() == 1


def test_an_old_kernel_counts_the_kills_of_the_machine_only(machine):
    machine.has("proc/vmstat", "oom_kill 7\n")
    machine.is_in("/run", version=1)
    machine.has_memory_group("/run", oom_control="oom_kill_disable 0\nunder_oom 0\n")
    assert oom_kills() == 7


def test_pages_of_files_are_not_a_process_s_own(machine):
    machine.has_process(7, anon_mb=300)
    machine.has_process(8, anon_mb=900)
    assert own_memory_mb(7) == 300


def test_what_a_process_has_started_counts_and_shared_pages_count_once(machine):
    machine.has_process(7, anon_mb=300, part_mb=150)
    machine.has_process(8, parent=7, anon_mb=350, part_mb=200, name="loader (1) S 3")
    machine.has_process(9, parent=8, anon_mb=10)  # by a kernel that divides nothing
    machine.has_process(10, parent=1, anon_mb=900)
    assert own_memory_mb(7) == 150 + 200 + 10


def test_a_child_whose_parent_has_ended_belongs_to_its_session(machine):
    machine.has_process(7, session=7, part_mb=100)
    machine.has_process(9, parent=1, session=7, part_mb=50)
    assert own_memory_mb(7) == 150


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_memory_of_a_child_is_counted_on_this_machine():
    take = "import sys; taken = bytearray(b'x') * 2**26; print(len(taken), flush=True); input()"
    before = own_memory_mb(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", take], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        alone, together = own_memory_mb(child.pid), own_memory_mb(os.getpid())
        child.communicate(b"\n")
    assert alone >= 64
    assert together - before > 48


def test_the_largest_size_so_far_stands_in_where_the_system_says_no_more(machine):
    assert peak_memory_mb() > 10
    assert resident_memory_mb() == peak_memory_mb()


def test_where_nothing_measures_memory_there_is_no_peak(machine, monkeypatch):
    """As on Windows, which has no module ``resource``."""
    real = builtins.__import__

    def without_resource(name, *rest):
        if name == "resource":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_resource)
    assert (peak_memory_mb(), resident_memory_mb()) == (None, 0)

"""Who holds a claim, and whether that process still lives."""

from __future__ import annotations

import datetime
import os
import secrets
import socket
from pathlib import Path
from typing import Annotated

import msgspec

JOB_VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""Where Slurm, PBS, LSF and Grid Engine say which job a process belongs to."""
PROC = Path("/proc")


class Owner(msgspec.Struct, frozen=True):
    """What a claim says about the process that made it.

    Attributes:
        host: name of its host; containers and cloned machines may share one.
        pid_namespace: boot and namespace in which ``pid`` counts; None where the system has no such
            thing, or does not say.
        pid: number of the process.
        started: when the process began, in clock ticks since the boot: tells it from a later one
            of that number.
        job: number of its job in a batch system.
        begun: when the claim was made, for people; nothing is decided by it.
        token: of this claim and no other.
    """

    host: str
    pid_namespace: str | None
    pid: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    started: int | None
    job: str | None
    begun: str
    token: str

    def lives(self) -> bool | None:
        """Whether the process lives; None where that cannot be seen from here."""
        here = (socket.gethostname(), _pid_namespace())
        if self.pid_namespace is None or (self.host, self.pid_namespace) != here:
            return None
        try:
            os.kill(self.pid, 0)  # /proc may hide processes of other people, this never does
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        state, started = _state(self.pid)
        if None in (started, self.started):
            return None
        return started == self.started and state not in "ZX"  # zombies are dead


def this_process() -> Owner:
    """The process that asks, as the owner of a new claim."""
    return Owner(
        host=socket.gethostname(),
        pid_namespace=_pid_namespace(),
        pid=os.getpid(),
        started=_state(os.getpid())[1],
        job=job_number(),
        begun=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        token=secrets.token_hex(16),
    )


def job_number() -> str | None:
    """Number of the job of a batch system that this process belongs to."""
    return next((os.environ[name] for name in JOB_VARIABLES if name in os.environ), None)


def parse_owner(data: bytes) -> Owner | None:
    """The owner that a claim's bytes name; None of a damaged or empty one."""
    try:
        return msgspec.json.decode(data, type=Owner)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _pid_namespace() -> str | None:
    """Boot and namespace that numbers of processes count in, here and under ``/proc``."""
    try:
        if (PROC / "self").readlink().name != str(os.getpid()):  # /proc of another container
            return None
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return None


def _state(pid: int) -> tuple[str, int | None]:
    """State of a process (one letter), and when it began; unknown without a readable ``/proc``."""
    try:
        text = (PROC / str(pid) / "stat").read_bytes().decode(errors="replace")
    except OSError:
        return "", None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[0], int(fields[19])

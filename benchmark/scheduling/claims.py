"""Claims: which spec of a results folder is whose, between threads, processes and hosts.

A claim is a small file, ``claims/<spec id>`` naming its owner. Plain files are all it takes, no
locks of the file system, no server. What is held is touched (beaten) again and again. A claim is
stale when its process is seen to be dead, which can only be seen on the same host and in the same
container; else when it was not beaten for a long time. A stale one is taken over.

An owner that was suspended for long may find its claim taken over. So ask :meth:`Claim.still_ours`
before anything is published.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmark.errors import UserError
from benchmark.hashing import sha256
from benchmark.scheduling.claim_files import Seen, create, holds, look, remove, server_time
from benchmark.scheduling.owner import Owner, parse_owner, this_process

_SPEC_ID = re.compile(r"[0-9a-f]+")


class Claim:
    """A spec that is ours to run. Made by :meth:`Claims.take`; of no use after a fork.

    Attributes:
        path: the claim's file.
        data: what it holds while it is ours; a process that works for us can look for that.
    """

    def __init__(self, path: Path, owner: Owner, held: set[Claim]):
        self.path, self.data = path, msgspec.json.encode(owner)
        self._pid, self._held = owner.pid, held

    def make(self) -> bool:
        """Make the file, unless there is one; whether it is ours now."""
        self._held.add(self)  # first, so that whatever interrupts this leaves nothing behind
        return create(self.path, self.data)

    def still_ours(self) -> bool:
        """Whether nobody has taken it over.

        Raises:
            UserError: the folder cannot be read.
        """
        with _told(self.path.parent):
            return os.getpid() == self._pid and holds(self.path, self.data)

    def release(self) -> None:
        """Let go of it, if it is still ours; once more does nothing."""
        if os.getpid() != self._pid:
            return
        self._held.discard(self)
        with contextlib.suppress(OSError):  # what cannot be removed lapses when this process ends
            remove(self.path, lambda seen: seen.data == self.data)

    def beat(self) -> None:
        """Show that we live. Does nothing where the claim is gone, or somebody else's.

        Should it change hands between look and touch, the new owner is beaten for, which is true.
        """
        with contextlib.suppress(OSError):  # the next beat tries again
            if holds(self.path, self.data):
                os.utime(self.path)


class Claims:
    """The claims of a results folder, and those of them that are held here.

    Args:
        folder: the results folder.
        heartbeat_seconds: how often what is held is beaten, by a thread of its own.
        stale_seconds: without a beat for so long a claim is taken over, unless its process can be
            seen to live. The same on all hosts, and many heartbeats long.

    Raises:
        UserError: the folder cannot be written to.
    """

    def __init__(
        self, folder: Path, *, heartbeat_seconds: float = 30.0, stale_seconds: float = 600.0
    ):
        self._folder, self._pid = folder.absolute() / "claims", os.getpid()
        self._heartbeat_seconds, self._stale_seconds = heartbeat_seconds, stale_seconds
        self._held: set[Claim] = set()
        self._closed = threading.Event()
        self._clock = (-float("inf"), 0.0)
        with _told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
        self._heart = threading.Thread(target=self._beat, name="claims", daemon=True)
        self._heart.start()

    def take(self, spec_id: str) -> Claim | None:
        """Claim a spec; None where somebody else has it, be it another thread.

        Raises:
            ValueError: that is no spec id.
            UserError: the folder cannot be read or written to.
        """
        if not _SPEC_ID.fullmatch(spec_id):
            raise ValueError(f"{spec_id!r} is no spec id")
        if os.getpid() != self._pid:
            raise RuntimeError("nobody beats for a forked process: make Claims of its own")
        with _told(self._folder):
            return self._take(spec_id)

    def close(self) -> None:
        """Let go of everything, and end the heartbeat. What is taken after it is refused."""
        self._closed.set()
        for claim in tuple(self._held):
            claim.release()
        self._heart.join()

    def _take(self, name: str) -> Claim | None:
        path = self._folder / name
        seen = look(path)
        if seen is not None:
            if not self._is_stale(seen):
                return None
            self._clear(path, seen)
        return self._make(path)

    def _make(self, path: Path) -> Claim | None:
        claim = Claim(path, this_process(), self._held)
        with contextlib.ExitStack() as undo:
            undo.callback(claim.release)
            if claim.make() and not self._closed.is_set():
                undo.pop_all()
                return claim
        return None

    def _clear(self, path: Path, stale: Seen) -> None:
        """Remove a stale claim.

        The right to do so is a claim itself. Otherwise, of two that saw the same one stale, the
        slower could move away the fresh claim of the faster, and a third find the place empty.
        """
        seen = sha256(stale.data + str(stale.mtime_ns).encode())
        right = self._take(f".{path.name.lstrip('.')}.{seen[:16]}")
        if right is not None:
            try:
                remove(path, lambda found: found == stale)
            finally:
                right.release()

    def _is_stale(self, seen: Seen) -> bool:
        owner = parse_owner(seen.data)
        lives = owner.lives() if owner else None
        return self._is_old(seen.mtime_ns / 1e9) if lives is None else not lives

    def _is_old(self, mtime: float) -> bool:
        """Whether a file was last touched long ago, or in a future that only a wrong clock knew."""
        return abs(self._server_time() - mtime) > self._stale_seconds

    def _server_time(self) -> float:
        """Now by the server's clock, asked for once a heartbeat and counted on from there."""
        asked, ahead = self._clock
        if time.monotonic() - asked > self._heartbeat_seconds:
            now = server_time(self._folder)
            asked = time.monotonic()  # after a slow answer it is later than we think: no harm
            ahead = now - asked
            self._clock = asked, ahead
        return time.monotonic() + ahead

    def _sweep(self) -> None:
        """Remove what killed processes left: private files, and rights to remove stale claims."""
        for path in self._folder.glob(".*"):
            with contextlib.suppress(OSError):  # another process was first
                if self._is_old(path.stat().st_mtime):
                    path.unlink()

    def _beat(self) -> None:
        while not self._closed.wait(self._heartbeat_seconds):
            for claim in tuple(self._held):
                claim.beat()


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Faults of the disk as words for people."""
    try:
        yield
    except OSError as fault:
        raise UserError(
            f"cannot share out work in {folder}: {fault.strerror or fault}. Free some space there, "
            "see to its permissions, or choose another folder with --results DIR."
        ) from None

"""A Ray cluster of two nodes on this machine, started as in production: by `ray start`, twice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

RAY = Path(sys.executable).with_name("ray")
START_SECONDS = 180.0
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
"""No word to anybody, and no token in a home folder: the ports are this machine's own."""


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


class Node:
    """A node with one core; its processes are ended with it, by their numbers."""

    def __init__(self, folder: Path, *options: str):
        folder.mkdir()
        self._told = folder / "log"
        self._log = self._told.open("wb")
        command = [RAY, "start", "--block", "--num-cpus", "1", "--num-gpus", "0", *options]
        self._process = psutil.Popen(
            [*map(str, command), "--object-store-memory", str(100 * 2**20)],
            env=os.environ | QUIET,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def raylet(self) -> psutil.Process | None:
        """The process that is the node, once it is there."""
        found = self._process.children(recursive=True) if self._process.is_running() else []
        return next((each for each in found if each.name() == "raylet"), None)

    def wait(self) -> None:
        """Until it has joined its cluster."""
        deadline = time.monotonic() + START_SECONDS
        while b"Ray runtime started" not in self._told.read_bytes():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError(f"Ray does not start here: {self._told.read_text()}")
            time.sleep(0.2)

    def kill(self) -> None:
        """As when a machine goes down: the node and all that it runs."""
        raylet = self.raylet
        assert raylet is not None
        for each in [raylet, *raylet.children(recursive=True)]:
            if each.is_running():
                each.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        everything = [self._process]
        with contextlib.suppress(psutil.NoSuchProcess):  # it never started
            everything = [*self._process.children(recursive=True), self._process]
        for each in everything:
            if each.is_running():
                each.send_signal(signal.SIGKILL)
        psutil.wait_procs(everything, timeout=30)
        self._log.close()


class Cluster:
    """A head and a second node; ``address`` is where to join them."""

    def __init__(self):
        # Not pytest's folder: sockets lie in it, and a socket's path has at most 107 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        head = ("--head", "--port", str(port), "--include-dashboard", "false",
                "--node-ip-address", "127.0.0.1")  # fmt: skip
        self.nodes = [Node(folder / "h", *head, "--temp-dir", str(folder / "h" / "t"))]
        try:
            self.nodes[0].wait()
            self.nodes.append(Node(folder / "s", "--address", self.address,
                                   "--node-ip-address", "127.0.0.1"))  # fmt: skip
            self.nodes[1].wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for node in reversed(self.nodes):
            node.stop()
        self._folder.cleanup()

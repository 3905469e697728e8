"""Take a device's memory but for a few GB, and keep it until standard input closes.

    python -m benchmarks.device.ballast jax 4

So that a small spec is out of memory on a large card, as beside somebody else's training.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Take it, say so, and wait."""
    backend, left = sys.argv[1], float(sys.argv[2]) * 2**30
    if backend == "torch":
        import torch

        free, _ = torch.cuda.mem_get_info()
        kept = torch.empty(int(free - left), dtype=torch.uint8, device="cuda")
    else:
        from benchmarks.device.card import ask

        ((total, used),) = ask("--query-gpu=memory.total,memory.used")[:1]
        share = 1 - (left / 2**20 + float(used)) / float(total)
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{share:.4f}"
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "true"
        import jax

        kept = jax.numpy.zeros(1).block_until_ready()
    print("taken", flush=True)
    sys.stdin.read()
    del kept


if __name__ == "__main__":
    main()

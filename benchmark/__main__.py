"""``python -m benchmark`` is ``cxr-bench``."""

from __future__ import annotations

from benchmark.cli import main

main(prog_name="cxr-bench")

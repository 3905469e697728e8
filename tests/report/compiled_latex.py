"""Compiles LaTeX as a paper includes it, where there is a LaTeX with the package of our rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DOCUMENT = (
    r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{tables}\end{document}"
)


def _has_booktabs() -> bool:
    """A LaTeX may be there without its recommended packages."""
    if not (shutil.which("pdflatex") and shutil.which("kpsewhich")):
        return False
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False)
    return found.returncode == 0


needs_latex = pytest.mark.skipif(not _has_booktabs(), reason="needs pdflatex with booktabs")


def assert_compiles(tables: Path) -> None:
    """The file, named tables.tex, can be put into a document as it is."""
    (tables.parent / "paper.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    ended = subprocess.run(command, cwd=tables.parent, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]

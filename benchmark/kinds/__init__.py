"""Kinds of rows: one file ``x.py`` says what a kind needs and allows, ``x_run.py`` runs it.

A kind is found by its file's name, which is the one that specs have. The light files import no
framework; what runs a spec is loaded by name, in a worker.
"""

from benchmark.kinds.base import Kind, find, kinds, of_card

__all__ = ["Kind", "find", "kinds", "of_card"]

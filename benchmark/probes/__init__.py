"""Shortcut probes: what else can be read from the images, learnt and tested like a finding."""

from benchmark.probes.protocol import FIELDS, probed

__all__ = ["FIELDS", "probed"]

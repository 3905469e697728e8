"""Simulated chest radiographs: the embedded data set, and the simulation behind it."""

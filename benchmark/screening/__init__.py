"""Screening by anomaly: trained without one class, tested on it. The split and its name."""

from benchmark.screening.protocol import ANOMALY, withheld_by

__all__ = ["ANOMALY", "withheld_by"]

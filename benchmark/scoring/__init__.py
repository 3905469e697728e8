"""From predictions to numbers: metrics, intervals and ranks, without a deep-learning framework.

``score`` turns the predictions of one model into a JSON-ready dictionary; ``ranking`` compares
configurations; ``delong`` is the closed form that the bootstrap is checked against.
"""

from benchmark.scoring.scorecard import SCORER_VERSION, ScoringError, score

__all__ = ["SCORER_VERSION", "ScoringError", "score"]

"""From predictions to numbers: metrics, intervals and ranks, without a deep-learning framework.

``score`` computes every number of one model from its predictions; ``influence`` says what each
patient adds to it, of which intervals (``uncertainty``) and comparisons (``ranking``, ``families``)
are made; ``publishing`` writes rows, ``stored`` and ``comparisons`` keep what was computed.
"""

from benchmark.scoring.scorecard import SCORER_VERSION, ScoringError, score

__all__ = ["SCORER_VERSION", "ScoringError", "score"]

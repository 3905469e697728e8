"""Ensembles: rows of their own, made from the predictions or the networks of other rows.

Kinds and what a suite may say about them are in ``declaration``; ``members`` finds and reads the
rows that an ensemble is made of; ``voting``, ``selection``, ``joined``, ``specialist`` and
``anomaly`` are the arithmetic. Nothing here but the head of ``joined`` needs a deep-learning
framework.
"""

"""Ensembles: rows of their own, made from the predictions or the networks of other rows.

``members`` finds and reads the rows that an ensemble is made of; ``rules`` has a file for each way
to combine their predictions, which are handed to it as ``voters``; ``voting``, ``selection``,
``joined``, ``specialist`` and ``anomaly`` are the arithmetic. Nothing here but the head of
``joined`` needs a deep-learning framework.
"""

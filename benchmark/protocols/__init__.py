"""Protocols: which images of a data set are trained on and tested, and what is asked of them.

``published`` is the set as it is; legacy protocols split anew as earlier systems did; screening
protocols keep one class for the test; attribute prediction asks for a metadata field. One file a
family (see :mod:`benchmark.protocols.base`), found by its name. Imports no TensorFlow.
"""

from benchmark.protocols._discovery import families, find
from benchmark.protocols._facts import dataset_facts, protocol_of
from benchmark.protocols._images import spec_data
from benchmark.protocols._of_row import of_row
from benchmark.protocols.base import SplitProtocol

__all__ = [
    "SplitProtocol",
    "dataset_facts",
    "families",
    "find",
    "of_row",
    "protocol_of",
    "spec_data",
]

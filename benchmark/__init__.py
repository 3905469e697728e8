"""cxr-bench: an honest benchmark suite for chest X-ray classification."""

__version__ = "0.1.0"

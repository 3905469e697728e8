"""Prepared data set -> view on disk -> batches.

A *view* is one split decoded once, at one size and with one preprocessing variant, as uint8 on
disk (:mod:`benchmark.data.views`). Training and evaluation read batches from views through
tf.data (:mod:`benchmark.data.pipeline`); every random draw is keyed by (seed, epoch, batch)
(:mod:`benchmark.data.augment`).
"""

DECODE_VERSION = 1
"""Of decoding and resizing (:mod:`benchmark.data.decode`). Raised when the pixels that come of them
change: every view is then built anew."""

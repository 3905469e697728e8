"""Models: one file an architecture, its public name is the file name.

A file ``cnn.py`` here, or in any folder given as ``extra_dirs``, is the model ``cnn``. It holds a
literal ``CARD`` (read without running the file, keys in ``_cards.py``) and one function:

- image models, ``build(input_shape, task, weights) -> keras.Model``: float32 images (B, H, W, C),
  normalised, to float32 logits (B, F), from a layer named ``logits``. ``weights`` is None, the
  path of a weight file, or a tuple of them where the card's ``weight_files`` names several. A
  model that takes weights has a layer ``features`` (B, D): up to it goes the backbone that they
  fill, what follows is the head;
- models that see no image (``inputs`` in the card is ``metadata`` or ``shape``),
  ``fit(metadata, targets, labelled, task) -> predict``: see ``_create.py``.

Files that begin with ``_`` are helpers. Importing this package imports neither Keras nor
TensorFlow.
"""

from benchmark.models._cards import NORMALISATIONS
from benchmark.models._create import check_size, create, fit, measure
from benchmark.models._discovery import ModelError, ModelFile, NotApplicable, discover, load
from benchmark.models._scaffold import new_model
from benchmark.models._weight_files import weight_files

__all__ = [
    "NORMALISATIONS",
    "ModelError",
    "ModelFile",
    "NotApplicable",
    "check_size",
    "create",
    "discover",
    "fit",
    "load",
    "measure",
    "new_model",
    "weight_files",
]

"""The one loss of every task: cross-entropy on logits, blind to what is not labelled."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("cxr_bench")
class MaskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy over the labelled findings of a batch.

    Takes targets (B, F) float32, 0 or 1 and negative where not labelled, and logits (B, F).
    Independent findings have a sigmoid each, averaged over the labelled entries; exclusive ones a
    softmax over all, averaged over images. Computed in float32 whatever the precision policy.

    Args:
        exclusive: whether exactly one finding holds per image.
    """

    def __init__(self, exclusive: bool, name: str = "masked_cross_entropy", **kwargs):
        super().__init__(name=name, reduction=None, dtype="float32", **kwargs)
        self.exclusive = exclusive

    def call(self, y_true, y_pred):
        """Scalar loss of one batch."""
        if self.exclusive:
            return ops.mean(ops.categorical_crossentropy(y_true, y_pred, from_logits=True))
        labelled = ops.cast(y_true >= 0, "float32")
        # max(x, 0) - x y + log(1 + exp(-|x|)) never overflows, unlike log(sigmoid(x)).
        entropy = ops.relu(y_pred) - y_pred * y_true + ops.log1p(ops.exp(-ops.abs(y_pred)))
        return ops.sum(entropy * labelled) / ops.maximum(ops.sum(labelled), 1.0)

    def get_config(self):
        """Constructor arguments, for saving."""
        return {"name": self.name, "exclusive": self.exclusive}

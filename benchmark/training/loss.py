"""The one loss of every task: cross-entropy on logits, blind to what is not labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("cxr_bench")
class MaskedCrossEntropy(keras.losses.Loss):
    """Mean cross-entropy over the labelled findings of a batch, weighted or focused if asked for.

    Takes targets (B, F) float32, 0 or 1 and negative where not labelled, and logits (B, F).
    Independent findings have a sigmoid each, averaged over the labelled entries; exclusive ones a
    softmax over all, averaged over the images that are labelled whole: where one of the findings
    is unknown, so is which of them holds. Computed in float32 whatever the precision policy.

    Args:
        exclusive: whether exactly one finding holds per image.
        weights: (2, F), what an absent and a present finding count for; an image of exclusive
            findings counts as the sum of its own. The mean is over the number of entries, not over
            their weights. None: all count 1.
        gamma: of the focal loss -(1 - p)**gamma log(p), with p the probability given to the truth
            (Lin et al. 2017, arXiv:1708.02002, without its alpha); 0 is plain cross-entropy.
        label_smoothing: share of the truth that is spread evenly over presence and absence of a
            finding, or over exclusive findings. How hard an image is, for weights and the focal
            loss, is told by the labels as they are.
    """

    def __init__(
        self,
        exclusive: bool,
        weights: Sequence[Sequence[float]] | None = None,
        gamma: float = 0.0,
        label_smoothing: float = 0.0,
        name: str = "masked_cross_entropy",
        **kwargs: Any,
    ):
        super().__init__(name=name, reduction=None, dtype="float32", **kwargs)
        self.exclusive, self.weights, self.gamma = exclusive, weights, gamma
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Scalar loss of one batch."""
        known = ops.all(y_true >= 0, axis=-1) if self.exclusive else y_true >= 0
        labelled = ops.cast(known, "float32")
        plain = entropy = self._entropy(y_true, y_pred) * labelled
        if self.label_smoothing:
            entropy = self._entropy(self._smoothed(y_true), y_pred) * labelled
        if self.gamma:
            entropy = entropy * ops.power(-ops.expm1(-plain), self.gamma)
        if self.weights is not None:
            absent, present = (ops.convert_to_tensor(row, "float32") for row in self.weights)
            counts = ops.where(y_true > 0, present, absent)
            entropy = entropy * (ops.sum(counts, axis=-1) if self.exclusive else counts)
        return ops.sum(entropy) / ops.maximum(ops.sum(labelled), 1.0)

    def _entropy(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Of each image where findings are exclusive, else of each finding too."""
        if self.exclusive:
            return ops.categorical_crossentropy(y_true, y_pred, from_logits=True)
        # max(x, 0) - x y + log(1 + exp(-|x|)) never overflows, unlike log(sigmoid(x)).
        return ops.relu(y_pred) - y_pred * y_true + ops.log1p(ops.exp(-ops.abs(y_pred)))

    def _smoothed(self, y_true: keras.KerasTensor) -> keras.KerasTensor:
        classes = y_true.shape[-1] if self.exclusive else 2
        return y_true * (1 - self.label_smoothing) + self.label_smoothing / classes

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, for saving."""
        names = ("name", "exclusive", "weights", "gamma", "label_smoothing")
        return {name: getattr(self, name) for name in names}

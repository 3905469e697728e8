"""The optimizer of a recipe: its steps, how long they are, and which weights decay."""

from __future__ import annotations

import keras

from benchmark.training.averaging import ema_momentum, slow_statistics
from benchmark.training.recipe import Recipe


def learning_rate(recipe: Recipe, steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """The recipe's learning rate over a training of ``steps`` steps an epoch.

    It is per update of the weights. A warm-up of so many steps takes at most a tenth of the whole,
    so that a small set is not warmed up for good.
    """
    total = max(1, recipe.epochs * steps // recipe.accumulate)
    warmup = round(recipe.warmup_share * total) or min(recipe.warmup_steps, total // 10)
    if recipe.schedule == "constant" and not warmup:
        return recipe.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else recipe.learning_rate,
        decay_steps=total - warmup,
        alpha=1.0 if recipe.schedule == "constant" else 0.0,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, with its learning rate over a training of ``steps`` an epoch."""
    rate = learning_rate(recipe, steps)
    common = {
        "global_clipnorm": recipe.clip_norm or None,
        "gradient_accumulation_steps": recipe.accumulate if recipe.accumulate > 1 else None,
    }
    if recipe.ema_epochs:
        common |= {"use_ema": True, "ema_momentum": ema_momentum(recipe.ema_epochs, steps)}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, **common)
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **common)
    return keras.optimizers.Adam(rate, **common)


def compile_model(
    model: keras.Model, loss: keras.losses.Loss, recipe: Recipe, steps: int, device: str
) -> None:
    """Make a model ready to train with ``steps`` an epoch.

    XLA is off on CPUs under TensorFlow: there it slows ResNet50 at 64 px from 34 to 6 images/s.
    """
    optimizer = make_optimizer(recipe, steps)
    if recipe.decayed == "kernels":
        vectors = [v for v in model.trainable_variables if len(v.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=vectors)
    if recipe.ema_epochs:
        slow_statistics(model, optimizer.ema_momentum)
    slow_xla = device == "cpu" and keras.backend.backend() == "tensorflow"
    model.compile(
        optimizer=optimizer,
        loss=loss,
        jit_compile=False if slow_xla else "auto",
    )

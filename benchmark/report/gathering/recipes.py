"""The values of a recipe that act in a spec, for people."""

from __future__ import annotations

from typing import Any

from benchmark.spec import Spec
from benchmark.training.recipe import Recipe
from benchmark.training.weights import FINETUNE

_OF_STAGES = ("head_epochs", "finetune_factor")


def applied(spec: Spec) -> dict[str, Any]:
    """By name: of two warm-ups the one that counts, and of fine-tuning what is unsaid."""
    recipe: dict[str, Any] = dict(spec.recipe)
    if recipe.get("warmup_share"):
        recipe.pop("warmup_steps", None)
    if spec.scheme == FINETUNE:
        recipe = {name: getattr(Recipe, name) for name in _OF_STAGES} | recipe
    return dict(sorted(recipe.items()))


def by_stage(spec: Spec) -> dict[str, Any]:
    """The same; of fine-tuning with epochs and learning rate of the head, then of all layers."""
    recipe = applied(spec)
    if spec.scheme == FINETUNE and {"epochs", "learning_rate"} <= recipe.keys():
        slower = recipe["learning_rate"] * recipe["finetune_factor"]
        recipe["learning_rate"] = f"{recipe['learning_rate']:g} of the head, then {slower:g}"
        recipe["epochs"] = f"{recipe['head_epochs']} epochs of the head, then {recipe['epochs']}"
    return recipe

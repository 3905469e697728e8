"""Short names that tell the configurations of one table apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from benchmark.hashing import canonical_json
from benchmark.report.blocks.text import UNDEFINED
from benchmark.spec import FROM, LUNGS, Spec
from benchmark.suites.axes import DEFAULTS
from benchmark.training.recipes import differing
from benchmark.training.weights import SCRATCH

AXES = ("model", "resolution", "preprocessing", "normalisation", "augmentation", "imbalance",
        "scheme", "weights")  # fmt: skip
"""The fields of a spec that a table has columns for."""
_PREPARED = ("preprocessing", "normalisation", "augmentation", "imbalance")
_OPTIONAL = {"augmentation": "augmented", "imbalance": "imbalance"}
_ABSENT = {"augmentation": "no augmentation", "imbalance": "no imbalance policy"}
_FILES = {"weights_sha256": "weight file", "shapes_sha256": "shapes of files"}
"""The field with a file's hash -> what the file is."""
NAME, UNNAMED = "recipe.name", "unnamed recipe"
_IDENTITY = ("dataset", "dataset_version", "manifest_sha256", "seed", "requires")


def size(spec: Spec) -> str:
    """Pixels per side, or an en dash for a model that sees no image."""
    return str(spec.resolution) if spec.resolution else UNDEFINED


def preparation(spec: Spec, *, normalised: bool = True) -> str:
    """What is done to an image before the model sees it, and to the loss; defaults unsaid.

    Args:
        spec: of which.
        normalised: whether its normalisation is said, which goes without saying among equal ones.
    """
    of_image = ("preprocessing", "normalisation") if normalised else ("preprocessing",)
    chosen = {axis: getattr(spec, axis) for axis in (*of_image, *_OPTIONAL)}
    parts = [_say(axis, value) for axis, value in chosen.items() if value not in ("", "none")]
    return ", ".join(parts) or UNDEFINED


def recipe_name(spec: Spec) -> str:
    """Of the recipe it was trained by, or that it has no name; empty where there is no recipe."""
    return str(spec.recipe.get("name", "unnamed")) if spec.recipe else ""


def recipe(spec: Spec) -> str:
    """The same in words."""
    return _say(NAME, spec.recipe["name"]) if "name" in spec.recipe else UNNAMED * bool(spec.recipe)


def weights(spec: Spec) -> str:
    """What a network begins from, and what of it is trained where it is not simply all of it."""
    scheme = f" ({spec.scheme})" if spec.scheme not in ("", SCRATCH, spec.weights) else ""
    return (spec.weights or UNDEFINED) + scheme


def settings(specs: Mapping[str, Spec]) -> dict[str, str]:
    """By the same keys those settings without a column in which the specs of a model differ.

    First of all the recipe, where there are several in all; what all specs of a model share goes
    without saying, and so does what a named recipe has by itself.
    """
    of_model = _differing(specs, lambda key: key not in (*AXES, *_IDENTITY))
    recipes = {key: recipe(spec) for key, spec in specs.items()}
    if len({*recipes.values()} - {""}) < 2:
        return of_model
    return {
        key: ", ".join(filter(None, dict.fromkeys((recipes[key], *said.split(", ")))))
        for key, said in of_model.items()
    }


def beside_preparation(specs: Mapping[str, Spec]) -> dict[str, str]:
    """By the same keys all in which the specs of a model differ but size and preparation.

    Scheme, weights, recipe and the like; a recipe without a name is called so beside named ones.
    """
    said = ("model", "resolution", "protocol", *_PREPARED, *_IDENTITY)
    return _differing(specs, lambda key: key not in said)


def ways(specs: Mapping[str, Spec]) -> dict[str, str]:
    """By the same keys what a spec has that not all of its model have, but size and scheme.

    First of all its preparation, augmentation and named recipe, where these differ between models.
    """
    said = ("model", "resolution", "scheme", "weights", *_IDENTITY)
    plain = {key: replace(spec, model="", recipe=_named(spec)) for key, spec in specs.items()}
    among_all = _differing(plain, lambda key: key in (*_PREPARED, "recipe"))
    of_model = _differing(specs, lambda key: key not in said)
    return {key: _unusual(f"{among_all[key]}, {of_model[key]}") for key in specs}


def _unusual(said: str) -> str:
    """Each thing once, without those that go without saying."""
    usual = ("", *_ABSENT.values(), _say("weights", "random"), UNNAMED, *DEFAULTS["preprocessing"])
    return ", ".join(part for part in dict.fromkeys(said.split(", ")) if part not in usual)


def _named(spec: Spec) -> dict[str, Any]:
    return {"name": spec.recipe["name"]} if "name" in spec.recipe else {}


def labels(specs: Mapping[str, Spec]) -> dict[str, str]:
    """By the same keys the model's name, and whatever else tells its specs apart.

    What is as usual (no augmentation, say) goes without saying where others of the model differ.
    """
    differing = _differing(specs, lambda key: key not in ("model", *_IDENTITY))
    unusual = {key: _unusual(said) for key, said in differing.items()}
    return {
        key: spec.model + (f" ({unusual[key]})" if unusual[key] else "")
        for key, spec in specs.items()
    }


def _differing(specs: Mapping[str, Spec], counts: Callable[[str], bool]) -> dict[str, str]:
    by_model: dict[str, list[str]] = defaultdict(list)
    for key, spec in specs.items():
        by_model[spec.model].append(key)
    flat = {
        key: {k: v for k, v in _flat(_brief(spec)) if counts(k.partition(".")[0])}
        for key, spec in specs.items()
    }
    found: dict[str, str] = {}
    for keys in by_model.values():
        shared = _axes([{k: v for k, v in flat[key].items() if not _in_recipe(k)} for key in keys])
        by_recipe: dict[object, list[str]] = defaultdict(list)
        for key in keys:
            by_recipe[flat[key].get(NAME, any(map(_in_recipe, flat[key])))].append(key)
        for name, same in by_recipe.items():  # True where a recipe has none, False without a recipe
            axes = [*shared, *filter(_in_recipe, _axes([flat[key] for key in same]))]
            for key in same:  # a spec leaves out what is as usual
                said = [_say(axis, flat[key][axis]) for axis in axes if axis in flat[key]]
                if NAME in shared and name is True:
                    said.append(UNNAMED)
                found[key] = ", ".join(said)
    return found


def _in_recipe(axis: str) -> bool:
    """Whether it is a value of a recipe, which is compared among specs of one recipe's name."""
    return axis.startswith("recipe.") and axis != NAME


def flatten(spec: Spec) -> Iterator[tuple[str, object]]:
    """The fields of a spec in their order, those of its recipe as ``recipe.epochs``."""
    return _flat(spec.as_dict())


def _brief(spec: Spec) -> dict[str, Any]:
    """The fields of a spec that are known; of a named recipe what is not its own.

    What is fitted has no policy, which is none.
    """
    known = {key: value for key, value in spec.as_dict().items() if key not in AXES or value != ""}
    return known | {"recipe": differing(spec.recipe), "imbalance": spec.imbalance or "none"}


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", text) for inner, text in _flat(value))
        else:
            yield key, value


def _axes(specs: list[dict[str, object]]) -> list[str]:
    """The keys in which the specs differ, those with a column first.

    What is not known of one, as of a model of another tool, makes it no other; whether there is a
    weight file, ``weights`` says.
    """
    keys = dict.fromkeys((*AXES, *sorted(key for spec in specs for key in spec)))
    unknown = ("weights_sha256", *AXES)
    among = {key: [s for s in specs if key not in unknown or key in s] for key in keys}
    return [key for key in keys if len({repr(spec.get(key)) for spec in among[key]}) > 1]


def _say(axis: str, value: object) -> str:
    if axis == "resolution":
        return f"{value} px"
    if axis in ("preprocessing", "scheme"):
        return str(value)
    if axis == "weights":
        return f"from {str(value).removeprefix(FROM)}"
    if axis == "normalisation":
        return f"normalised: {value}"
    if axis == NAME:
        return f"recipe {value}"
    if axis in _FILES:
        return f"{_FILES[axis]} {str(value)[:8]}"
    if axis == "memory_fallback":
        return "fewer images at a time"
    if axis in _OPTIONAL:
        return _ABSENT[axis] if value in ("", "none") else f"{_OPTIONAL[axis]}: {value}"
    return f"{axis.removeprefix('recipe.')} {value}"


def likeness(spec: Spec, *names: str) -> bytes:
    """Equal for specs that differ in these fields alone, and in the ids of what they require.

    What a spec is made from counts by role; the network that found the lungs by its id.
    """
    kept = {key: value for key, value in spec.as_dict().items() if key not in names}
    if "requires" in kept:
        roles = kept["requires"]
        kept["requires"] = {role: roles[role] if role == LUNGS else role for role in roles}
    return canonical_json(kept)

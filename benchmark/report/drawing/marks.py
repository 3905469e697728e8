"""Which colour and marker a model has, and how sizes and schemes are told apart.

The same in every figure, on a light ground and on a dark one. A colour is a kind of network, a
marker a member of it; a model that is not listed has what its name's hash gives, with markers that
no listed one has. What is no network of a kind, an ensemble or a row of another tool, has the
colour of text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmark.hashing import sha256
from benchmark.spec import Spec

BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00",
)  # fmt: skip
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER)
"""Okabe and Ito's, told apart with any colour vision (doi:10.1038/nmeth.1618), without their black
and yellow, which one of the grounds hides."""
GREY = "#808890"
"""What sees no image, and what is beside the matter."""
INK = "#1B1F24"
"""Of text on a light ground; figures on a dark one have another in its place."""
_LISTED, _OTHERS = "osD^vPX", "hp*<>d"
FAMILIES = {
    BLUE: ("cnn", "s1_cnn", "s2_cnn", "gielczyk"),
    VERMILION: ("googlenet", "resnet50", "vgg16"),
    GREEN: ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "efficientnetb0",
            "efficientnetb6", "efficientnetb7", "efficientnetv2b0"),
    PURPLE: ("mlp", "linear", "s1_dense"),
    SKY: ("mobilenetv2", "vit", "convnext_tiny", "vit_keras_hub"),
    AMBER: ("densenet121", "densenet121_s0", "densenet169", "mobilenetv2_densenet169"),
}  # fmt: skip
"""Colour -> the models that have it, each with a marker of its own."""


class Mark(NamedTuple):
    """How a model looks."""

    colour: str
    marker: str


MODELS = {
    model: Mark(colour, marker)
    for colour, models in FAMILIES.items()
    for model, marker in zip(models, _LISTED, strict=False)
}


def mark_of(spec: Spec) -> Mark:
    """The colour and the marker of a model."""
    number = int(sha256(spec.model.encode())[:8], 16)
    colour, rest = number % len(COLOURS), number // len(COLOURS)
    marker = _OTHERS[rest % len(_OTHERS)]
    if spec.ensemble or spec.kind == "external":
        return Mark(INK, marker)
    return MODELS.get(spec.model, Mark(COLOURS[colour], marker))


class Scheme(NamedTuple):
    """How a training scheme looks: the line between sizes, and how a marker is filled."""

    line: Any
    fill: str


SCHEMES = {
    "scratch": Scheme("-", "full"),
    "finetune": Scheme((0, (6, 2)), "left"),
    "frozen": Scheme("-.", "top"),
    "linear_probe": Scheme("--", "none"),
    "knn": Scheme(":", "bottom"),
    "continue": Scheme((0, (3, 1, 1, 1, 1, 1)), "right"),
}
ANY = SCHEMES["scratch"]
"""Of what has no scheme, or one that is not listed."""


def scheme_of(name: str) -> Scheme:
    """How a scheme looks."""
    return SCHEMES.get(name, ANY)


def marker_size(resolution: int) -> float:
    """Points across a marker: larger for larger images."""
    return 4.5 + 6.5 * min(resolution or 64, 512) / 512

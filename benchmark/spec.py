"""A spec: one fully resolved point of a suite, what is asked for. Imports no TensorFlow.

Nothing of the machine is in it and nothing of the code: the same spec may be run anywhere, by any
version, and a row says where it was and with which (see :mod:`benchmark.records.row`). Its id is a
hash of all of it, so a field that comes later is left out where it has its default.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

import msgspec

from benchmark.bounds import LARGEST_COUNT, LARGEST_NUMBER, LARGEST_OF_RECIPE
from benchmark.errors import UserError
from benchmark.hashing import canonical_json, sha256
from benchmark.naming import FILES, MODELS, SUITES, VARIANT, VARIANT_RULE

ID_LENGTH = 12
PUBLISHED = "published"
"""The protocol of most specs: the splits that the data set itself has."""
MATRIX = "matrix"
"""The suite of specs that were asked for on the command line, without a file."""

PATTERNS: dict[str, str] = {}
"""What texts in records are made of, as regular expressions and in words."""


def made_of(pattern: str, words: str) -> msgspec.Meta:
    """That a text is all of a pattern; ``words`` say so to people."""
    whole = rf"^{pattern}$(?!\n)"
    PATTERNS[whole] = words
    return msgspec.Meta(pattern=whole)


Id = Annotated[str, made_of(f"[0-9a-f]{{{ID_LENGTH}}}", f"{ID_LENGTH} hexadecimal digits")]
Sha256 = Annotated[str, made_of("[0-9a-f]{64}", "64 hexadecimal digits")]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]
CountFromOne = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_COUNT)]
Number = Annotated[float, msgspec.Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
DATASET = "[a-z][a-z0-9_]{0,59}/[a-z0-9][a-z0-9_]{0,59}"
_PLAIN = "lower-case letters, digits and underscores"
Model = Annotated[str, made_of(MODELS.pattern, MODELS.rule)]
Dataset = Annotated[str, made_of(DATASET, f"SET/CONFIG, each {_PLAIN}")]
Role = Annotated[
    str, made_of(f"[a-z]+(:{MODELS.pattern})?", "lower-case letters, and perhaps : and a model")
]
Variant = Annotated[str, made_of(VARIANT, VARIANT_RULE)]
"""Of a choice, or nothing where it is none."""
Name = Annotated[str, made_of(FILES.pattern, FILES.rule)]
SuiteName = Annotated[str, made_of(SUITES.pattern, SUITES.rule)]
RecipeValue = (
    Annotated[int, msgspec.Meta(ge=-LARGEST_OF_RECIPE, le=LARGEST_OF_RECIPE)]
    | Annotated[float, msgspec.Meta(ge=-LARGEST_OF_RECIPE, le=LARGEST_OF_RECIPE)]
    | str
)
LUNGS = "lungs"
NETWORK = "network"
WEIGHTS = "weights"
MEMBER = "member:"
"""Roles of required specs; a member's is followed by its model."""
FROM = "from:"
"""Prefix of weights that another row saved, ``from:<spec id>``."""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another spec that must have been run, and the configuration it is a seed of."""

    spec_id: Id
    config_id: Id


class EnsembleRule(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What a suite declares of an ensemble beside its members.

    Attributes:
        rule: of a vote, a name in :mod:`benchmark.ensembles.rules`.
        weights: of a vote, by model.
        k: so many best members by validation, or so many findings of a specialist.
        second: architecture of a specialist's second model.
    """

    rule: str | None = None
    weights: dict[Model, Number] | None = None
    k: Count | None = None
    second: Model | None = None

    @property
    def best(self) -> int:
        """``k``, where there has to be one; a UserError where there is none."""
        if self.k is None:
            raise UserError("an ensemble of its kind declares k, and this one does not")
        return self.k


class Spec(
    msgspec.Struct,
    frozen=True,
    dict=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
):
    """What is trained on what, and how.

    Attributes:
        kind: of its row: what it is made by (see :mod:`benchmark.kinds`).
        dataset: ``<builder>/<config>``; ``dataset_version`` and ``manifest_sha256`` fix its
            images, labels and splits.
        model: name of the model file, of an ensemble its own.
        resolution: pixels per side; 0 for models that see no image.
        preprocessing, normalisation, imbalance, augmentation: names of the variants; empty for
            what sees no image.
        scheme: what of a network is trained and in which order, and ``weights`` what it begins
            from (see :mod:`benchmark.training.weights`).
        recipe: the training protocol as plain values; empty where nothing is trained by gradient.
        precision: the Keras dtype policy; empty where no network computes.
        seed: of every random draw.
        protocol: :data:`PUBLISHED`, a legacy protocol, a screening one or a probe (see
            :mod:`benchmark.protocols`).
        limit: at most so many images of each split; None for all.
        memory_fallback: whether fewer images are in memory at a time than was planned, for want
            of memory.
        ensemble: of an ensemble its declaration.
        weights_sha256: of the published files that are loaded; None where none is, or none is
            there and the spec cannot be run.
        shapes_sha256: of what is known of the original files, for a model that is made from that.
        no_test: whether the test images are left alone, for choosing on validation.
        requires: by role the specs that this one is made from.
    """

    kind: Name
    dataset: Dataset
    dataset_version: str
    manifest_sha256: Sha256
    model: Model
    resolution: Count
    preprocessing: Variant
    normalisation: Variant
    imbalance: Variant
    scheme: Variant
    weights: Variant
    augmentation: Variant
    recipe: dict[str, RecipeValue]
    precision: Variant
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    protocol: str = PUBLISHED
    limit: CountFromOne | None = None
    memory_fallback: bool = False
    ensemble: EnsembleRule | None = None
    weights_sha256: Sha256 | None = None
    shapes_sha256: Sha256 | None = None
    no_test: bool = False
    requires: dict[Role, Requirement] = {}

    def __post_init__(self) -> None:
        # msgspec leaves out a default only where it is the very object; text that was read is not.
        names = self.__struct_fields__[-len(self.__struct_defaults__) :]
        for name, default in zip(names, self.__struct_defaults__, strict=True):
            if isinstance(default, str) and getattr(self, name) == default:
                msgspec.structs.force_setattr(self, name, default)

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain JSON values, but for what says nothing."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Spec:
        """The spec of plain values; a msgspec.ValidationError where they are none."""
        return msgspec.convert(values, cls)

    @cached_property
    def spec_id(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the canonical JSON."""
        return _short_hash(self.as_dict())

    @cached_property
    def config_id(self) -> str:
        """The same without the seed, its own and those of what it requires."""
        values = {key: value for key, value in self.as_dict().items() if key != "seed"}
        if self.requires:
            values["requires"] = {role: r.config_id for role, r in self.requires.items()}
        return _short_hash(values)

    @property
    def origin(self) -> str:
        """Id of the spec whose saved weights this one goes on from; empty where there is none."""
        return self.weights.removeprefix(FROM) if self.weights.startswith(FROM) else ""

    @property
    def required_ids(self) -> dict[str, str]:
        """By role the ids of all specs that this one is made from."""
        origin = {WEIGHTS: self.origin} if self.origin else {}
        return {role: each.spec_id for role, each in self.requires.items()} | origin

    @property
    def members(self) -> dict[str, str]:
        """Of an ensemble: model -> spec id of the member, by name of the model."""
        return {
            role.removeprefix(MEMBER): each.spec_id
            for role, each in sorted(self.requires.items())
            if role.startswith(MEMBER)
        }

    @property
    def micro_batch(self) -> int:
        """Images that are in memory at a time; 0 where nothing is trained by gradient."""
        return int(self.recipe.get("batch_size", 0)) // int(self.recipe.get("accumulate", 1))

    @property
    def label(self) -> str:
        """A short name for people."""
        size = f" {self.resolution}px" if self.resolution else ""
        normalised = self.normalisation and f"normalised: {self.normalisation}"
        variants = [
            value
            for value, usual in (
                (self.preprocessing, "raw"),
                (normalised, "normalised: unit"),
                (self.imbalance, "none"),
                (self.scheme, "scratch"),
                (self.weights, "random"),
                (self.augmentation, "none"),
                (self.precision, "float32"),
                (str(self.recipe.get("name", "")), ""),
            )
            if value not in (usual, "")
        ]
        variants += [f"{self.micro_batch} images at a time"] if self.memory_fallback else []
        variants += ["without test"] if self.no_test else []
        extra = f" [{', '.join(variants)}]" if variants else ""
        under = "" if self.protocol == PUBLISHED else f"@{self.protocol}"
        return f"{self.dataset}{under} {self.model}{size}{extra} seed {self.seed}"


def requirement(spec: Spec) -> Requirement:
    """A spec as another one names it among what it requires."""
    return Requirement(spec.spec_id, spec.config_id)


def _short_hash(values: dict[str, Any]) -> str:
    return sha256(canonical_json(values))[:ID_LENGTH]

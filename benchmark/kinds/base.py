"""What every kind of row answers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import benchmark.kinds
from benchmark.data.prepared import Prepared
from benchmark.errors import UnknownModel, UnknownName
from benchmark.machine.devices import Device
from benchmark.models import ModelFile
from benchmark.spec import Spec
from benchmark.training.starting_weights import WeightSources
from benchmark.training.weights import is_fixed

if TYPE_CHECKING:
    from benchmark.kinds.job import Outcome, SpecJob


@dataclass(frozen=True)
class Required:
    """A spec that another one is made from, as the plan has it.

    Attributes:
        spec: the other one.
        problem: why it cannot be run, and has not been; empty where it can or has.
    """

    spec: Spec
    problem: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What a spec would be run with, as far as planning knows.

    Attributes:
        prepared: the data set, as the spec's protocol sees it.
        required: by role, what it is made from.
        weights: where published weights are looked for.
        devices: the accelerators that it may be given, as far as they are known.
    """

    prepared: Prepared
    model_file: ModelFile
    weights: WeightSources
    required: Mapping[str, Required]
    devices: Sequence[Device] = ()


class Kind:
    """A kind of row. What a kind does not override holds for a single model.

    Attributes:
        name: as specs have it; that of its file.
        version: raised where the same specs begin to give other numbers.
        predicts: ``"findings"`` or ``"masks"``.
        needs_weights: whether it reads the saved weights of what it is made from.
        run_here: whether `cxr-bench run` makes such rows.
        may_leave_test: whether it can do without the test images (``run --no-test``).
    """

    name = ""
    version = 1
    predicts = "findings"
    needs_weights = False
    run_here = True
    may_leave_test = False

    def takes(self, card: Mapping[str, Any]) -> bool:
        """Whether specs of a model with this card are of this kind."""
        return False

    def own_model(self, spec: Spec) -> str | None:
        """Name of the model that a spec trains itself; None for what only combines others."""
        return spec.model

    def sees_images(self, spec: Spec) -> bool:
        """Whether a spec reads the pixels of its data set."""
        return bool(spec.resolution)

    def deterministic(self, spec: Spec, card: Mapping[str, Any]) -> bool:
        """Whether there is no chance in a spec, so that one of its seeds is all there is.

        Args:
            card: of its model; empty where its file cannot be read, which fails without chance.
        """
        return card.get("deterministic", True) or is_fixed(spec.scheme, spec.weights)

    def ranked(self, spec: Spec) -> bool:
        """Whether AUC ranks it: its scores have enough distinct values for that."""
        return True

    def version_of(self, spec: Spec) -> int:
        """The version of what the kind itself does for a spec."""
        return self.version

    def model_file(self, spec: Spec, files: Mapping[str, ModelFile]) -> ModelFile:
        """What a row says its model is.

        Raises:
            UnknownName: there is no model file of that name.
        """
        return found(spec.model, files)

    def refusal(self, spec: Spec, given: Circumstances) -> str | None:
        """Why a spec cannot be run, and what to do about it; None where it can.

        Raises:
            UserError: the same, from what is asked.
        """
        return None

    def loaded(self) -> Callable[[SpecJob], Outcome]:
        """What runs a spec of this kind; imports the frameworks that it needs."""
        module = importlib.import_module(f"{benchmark.kinds.__name__}.{self.name}_run")
        return module.run


def found(model: str, files: Mapping[str, ModelFile]) -> ModelFile:
    """The file of a model; an UnknownName lists the choices."""
    if model not in files:
        raise UnknownModel("model", model, files)
    return files[model]


def find(name: str) -> Kind:
    """The kind called ``name``.

    Raises:
        UnknownName: there is none; lists the choices.
    """
    if name not in (known := kinds()):
        raise UnknownName("kind of row", name, known)
    return known[name]


def of_card(card: Mapping[str, Any]) -> Kind:
    """The kind of the specs of a model with this card."""
    return next(kind for kind in kinds().values() if kind.takes(card))


def kinds() -> dict[str, Kind]:
    """Every kind by name."""
    return {name: _load(name) for folder in benchmark.kinds.__path__ for name in _names(folder)}


@cache
def _names(folder: str) -> list[str]:
    """Kinds have two files; helpers have one."""
    files = {path.stem for path in Path(folder).glob("*.py")}
    return sorted(name for name in files if f"{name}_run" in files)


@cache
def _load(name: str) -> Kind:
    kind = importlib.import_module(f"{benchmark.kinds.__name__}.{name}").KIND
    kind.name = name
    return kind

"""The network that finds the lungs for a suite's preprocessing variants. Imports no TensorFlow.

A suite names it as a spec of another suite (``[lungs]``), and it is planned, trained and checked as
every other one.
"""

from __future__ import annotations

from functools import cache

from benchmark.data import preprocessing as variants
from benchmark.data.prepared import NotPrepared, Prepared
from benchmark.suites.files import load_suite
from benchmark.suites.suite import LungNetwork, Suite


@cache
def needs_lungs(preprocessing: str) -> bool:
    """Whether a variant has to know the lungs; a suite asks a thousand times."""
    return bool(preprocessing) and variants.find(preprocessing).needs_lungs


def lung_suite(network: LungNetwork) -> Suite:
    """The suite of a lung network, with nothing in it but that."""
    suite = load_suite(network.suite)
    matrix = {
        **suite.matrix,
        "datasets": suite.matrix["datasets"][:1],
        "models": [network.model],
        "resolutions": suite.matrix["resolutions"][:1],
        "seeds": suite.matrix["seeds"][:1],
    }
    return suite.narrowed(matrix)


def mask_set(suite: Suite) -> str | None:
    """The set of masks that a suite's lung network learns from; None where it needs none."""
    if not any(needs_lungs(v["preprocessing"]) for v in suite.every_variant()):
        return None
    ((name, _),) = lung_suite(suite.lungs).datasets
    return name


def why_none(masks: Prepared | NotPrepared, prepared: Prepared, preprocessing: str) -> str | None:
    """Why a variant cannot have its network on a set; None where it can."""
    start = f"preprocessing {preprocessing} needs lung masks, and"
    if isinstance(masks, NotPrepared):
        return (
            f"{start} the network that finds them learns from {masks.name}, which is not prepared. "
            f"Once you have the raw files: cxr-bench prepare {masks.name} --manual-dir DIR"
        )
    if prepared.name.partition("/")[0] in masks.facts.unsafe_for:
        return (
            f"{start} the network that finds them learns from {masks.name}, which may hold test "
            f"images of {prepared.name}. Name another one under [lungs] in the suite."
        )
    return None

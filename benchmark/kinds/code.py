"""The code that shapes the numbers of a spec, as versions of its components. No TensorFlow.

Each component carries its version where it is written, and raises it when the numbers of an
existing recipe change (``tests/golden`` holds it to that). A row made by other versions is stale.
"""

from __future__ import annotations

from benchmark import training
from benchmark.data import DECODE_VERSION, preprocessing
from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.kinds.base import find as find_kind
from benchmark.models import ModelFile
from benchmark.protocols import find as find_protocol
from benchmark.records.row import Row
from benchmark.spec import LUNGS, Spec
from benchmark.training.imbalance import AXIS as IMBALANCE
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.schemes import is_by_gradient


def code_of(spec: Spec, model_file: ModelFile | None) -> dict[str, str]:
    """Component -> version, for those that the spec makes use of.

    Args:
        model_file: of the model that it trains itself (:meth:`benchmark.kinds.Kind.own_model`);
            None where there is none, as for a vote, whose members have versions of their own.
    """
    kind = find_kind(spec.kind)
    versions: dict[str, int | str] = {"kind": kind.version_of(spec)}
    if model_file:
        versions["model"] = model_file.version
    fitted = model_file and not is_by_gradient(spec.scheme)
    if spec.recipe or fitted:
        versions["training"] = training.VERSION
    if fitted:
        versions["scheme"] = SCHEMES.find(spec.scheme).version
    if kind.sees_images(spec):
        versions |= _of_images(spec)
    if spec.imbalance not in ("", "none") and (kind.sees_images(spec) or model_file):
        versions["imbalance"] = IMBALANCE.find(spec.imbalance).version
    if protocol := find_protocol(spec.protocol).version:
        versions["protocol"] = protocol
    return {name: str(version) for name, version in versions.items()}


def is_current(row: Row, model_file: ModelFile | None) -> bool:
    """Whether a row was made by the code as it is now."""
    return row.code == code_of(row.spec, model_file)


def _of_images(spec: Spec) -> dict[str, int]:
    versions = {"decoding": DECODE_VERSION}
    if spec.preprocessing:
        versions["preprocessing"] = preprocessing.find(spec.preprocessing).version
    if LUNGS in spec.requires:
        versions["lung_views"] = training.LUNG_VIEWS_VERSION
    if spec.augmentation not in ("", "none"):
        versions["augmentation"] = AUGMENTATIONS.find(spec.augmentation).version
    return versions

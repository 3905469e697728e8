"""The code that shapes the numbers of a spec, as versions of its components. No TensorFlow.

Each component carries its version where it is written, and raises it when the numbers of an
existing recipe change (``tests/golden`` holds it to that). A row made by other versions is stale.
"""

from __future__ import annotations

from benchmark import training
from benchmark.data import DECODE_VERSION, preprocessing
from benchmark.data.augmentation_policies import version_of
from benchmark.ensembles.declaration import KINDS
from benchmark.ensembles.model_file import kind_name
from benchmark.legacy import is_legacy
from benchmark.legacy import protocol as legacy
from benchmark.models import ModelFile
from benchmark.probes import probed
from benchmark.probes import protocol as probes
from benchmark.records.row import Row
from benchmark.screening import protocol as screening
from benchmark.screening import withheld_by
from benchmark.segmentation import LUNG_VIEWS_VERSION
from benchmark.spec import LUNGS, Spec
from benchmark.training.imbalance import find_policy

KIND_VERSION = 1
"""Of the kinds that are no ensembles: raised when what they do with the other components changes
their numbers."""


def code_of(spec: Spec, model_file: ModelFile | None) -> dict[str, str]:
    """Component -> version, for those that the spec makes use of.

    Args:
        model_file: of :func:`own_model`; None where there is none, as for a vote, whose members
            have versions of their own.
    """
    if spec.kind == "external":
        return {}
    ensemble = KINDS[kind_name(spec)] if spec.ensemble else None
    versions: dict[str, int | str] = {"kind": ensemble.version if ensemble else KIND_VERSION}
    if model_file:
        versions["model"] = model_file.version
    if spec.recipe:
        versions["training"] = training.VERSION
    if spec.resolution and (ensemble is None or ensemble.sees_images):
        versions |= _of_images(spec)
    if protocol := _protocol_version(spec.protocol):
        versions["protocol"] = protocol
    return {name: str(version) for name, version in versions.items()}


def own_model(spec: Spec) -> str | None:
    """Name of the model that a spec trains itself; None for what only combines others."""
    return spec.ensemble.second if spec.ensemble else spec.model


def is_current(row: Row, model_file: ModelFile | None) -> bool:
    """Whether a row was made by the code as it is now."""
    return row.code == code_of(row.spec, model_file)


def _of_images(spec: Spec) -> dict[str, int]:
    versions = {"decoding": DECODE_VERSION}
    if spec.preprocessing:
        versions["preprocessing"] = preprocessing.find(spec.preprocessing).card["version"]
    if LUNGS in spec.requires:
        versions["lung_views"] = LUNG_VIEWS_VERSION
    if spec.augmentation not in ("", "none"):
        versions["augmentation"] = version_of(spec.augmentation)
    if spec.imbalance not in ("", "none"):
        versions["imbalance"] = find_policy(spec.imbalance).version
    return versions


def _protocol_version(protocol: str) -> int | None:
    if is_legacy(protocol):
        return legacy.VERSION
    if withheld_by(protocol) is not None:
        return screening.VERSION
    return probes.VERSION if probed(protocol) is not None else None

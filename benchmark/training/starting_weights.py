"""The weights that a spec starts from: the files, why there are none, what a row says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from benchmark.errors import UserError
from benchmark.hashing import sha256_of_file
from benchmark.models import ModelFile, NotApplicable
from benchmark.records.row import Made, Row
from benchmark.records.run_facts import StartingWeights, WeightFile
from benchmark.records.store import LARGEST_WEIGHTS, Results
from benchmark.spec import LUNGS, WEIGHTS, Spec
from benchmark.training.published import is_as_published
from benchmark.training.schemes import is_features_only
from benchmark.training.weight_files import MissingWeights, digest
from benchmark.training.weight_sources import find_source

SAME_INPUT = ("model", "resolution", "preprocessing", "normalisation")


@dataclass(frozen=True)
class WeightSources:
    """Where weights come from.

    Attributes:
        results: rows that specs may continue from.
        folders: named by the user for weight files, beside those of
            :func:`benchmark.training.weight_files.weight_folders`.
    """

    results: Results
    folders: Sequence[Path] = ()

    def files(self, spec: Spec, model_file: ModelFile) -> list[Path]:
        """The weight files that a spec loads into its model; none where it loads none.

        Raises:
            NotApplicable: the source has no weights for the model.
            MissingWeights: a file is not there; says how to get it.
        """
        if not spec.weights:
            return []
        files = find_source(spec.weights).load()
        return files(spec.weights, model_file, self.results, self.folders)

    def resolve(self, spec: Spec, model_file: ModelFile) -> Spec:
        """The spec with the SHA-256 of the files it loads, where a source has them.

        A spec that was run while its weights were there keeps their hash, and so its id.
        """
        if not _is_hashed(spec):
            return spec
        try:
            files = self.files(spec, model_file)
            found = digest(files) if files else None
        except UserError:
            found = self._known.get(_without_hash(spec).spec_id)
        return replace(spec, weights_sha256=found)

    @cached_property
    def _known(self) -> dict[str, str]:
        """Id of a finished spec without the hash of its weights -> that hash."""
        specs = [row.spec for row in self.results.rows() if row.done]
        return {
            _without_hash(spec).spec_id: spec.weights_sha256
            for spec in specs
            if spec.weights_sha256
        }


def _is_hashed(spec: Spec) -> bool:
    """Whether the hash of the files that it loads is a part of a spec."""
    named = spec.weights and not spec.origin  # a row's id says which files they are
    return bool(named) and find_source(spec.weights).card["gives"] != "nothing"


def remove_superseded(specs: Iterable[Spec], results: Results) -> None:
    """Remove rows that say of these specs that something was missing, where it is not any more.

    What was missing, published weights or a network for the lungs, has a hash or an id of its own
    in the spec now.
    """
    now = {_without_found(spec).spec_id: spec.spec_id for spec in specs}
    for row in list(results.rows()):
        if row.status == "not_runnable":
            found = now.get(_without_found(row.spec).spec_id, row.spec_id)
            if found != row.spec_id:
                results.remove_row(row.spec_id)


def _without_hash(spec: Spec) -> Spec:
    return replace(spec, weights_sha256=None)


def _without_found(spec: Spec) -> Spec:
    """A spec as it would be if nothing had been found for it."""
    requires = {role: each for role, each in spec.requires.items() if role != LUNGS}
    return replace(spec, weights_sha256=None, requires=requires)


def check_start(spec: Spec, model_file: ModelFile, sources: WeightSources) -> list[Path]:
    """The files a spec loads, after making sure that they are what it was planned with.

    Raises:
        NotApplicable, MissingWeights: see :meth:`WeightSources.files`.
        UserError: they changed since the spec was planned, or since the row saved them.
    """
    files = sources.files(spec, model_file)
    if spec.origin:
        row = sources.results.read_row(spec.origin)
        assert row is not None  # its files were found
        _check_origin(spec, row)
        check_saved_weights(row, files[0])
    elif files and digest(files) != spec.weights_sha256:
        raise UserError(f"{files[0]} changed after this spec was planned; run again")
    return files


def check_saved_weights(row: Row, path: Path) -> None:
    """Raise MissingWeights where these are not what a row saved, as far as that is known."""
    size = path.stat().st_size
    if size > LARGEST_WEIGHTS:
        raise MissingWeights(f"{path} holds {size / 1e9:.0f} GB, which no weights of ours do")
    if row.weights_sha256 and digest([path]) != row.weights_sha256:
        raise MissingWeights(
            f"{path} is not what row {row.spec_id} saved: its content has changed. Copy the file "
            "again, or run that spec again with --rerun all and a --filter for it."
        )


def _check_origin(spec: Spec, row: Row) -> None:
    if not row.done:
        raise NotApplicable(f"row {row.spec_id} has no weights: it is {row.status}")
    for name in SAME_INPUT:
        theirs, ours = getattr(row.spec, name), getattr(spec, name)
        if theirs != ours:
            raise NotApplicable(
                f"row {row.spec_id} has {name} {theirs}, this spec {ours}: weights are only "
                "continued with the same model and input."
            )


def starting_weights(
    spec: Spec, model_file: ModelFile, files: Sequence[Path]
) -> StartingWeights | None:
    """What a row says about the weights it began with; None for weights drawn at random."""
    features_only = is_features_only(spec.scheme)
    if not files and not features_only:
        return None
    published = _is_hashed(spec)
    return StartingWeights(
        files=[
            WeightFile(
                name=path.name,
                sha256=sha256_of_file(path),
                as_published=_is_as_published(path, model_file) if published else None,
            )
            for path in files
        ],
        source=model_file.card["weights"] if published else {},
        features="computed once for each view, so without image augmentation"
        if features_only
        else "",
    )


def _is_as_published(path: Path, model_file: ModelFile) -> bool | None:
    if model_file.card["weight_package"]:
        return True  # another file is refused
    return is_as_published(path)


def made_from_weights(spec: Spec, files: Sequence[Path]) -> dict[str, Made]:
    """What a row continues from: the other row, and the hash of the weights that were loaded."""
    if not spec.origin:
        return {}
    return {WEIGHTS: Made(spec_id=spec.origin, weights_sha256=digest(files))}


def not_as_published(spec: Spec, files: Sequence[Path]) -> list[str]:
    """Why a row is not to be ranked: files that are not the published ones; else empty."""
    loaded = () if spec.origin else files
    others = [path.name for path in loaded if is_as_published(path) is False]
    return [f"weights that are not the published ones: {', '.join(others)}"] if others else []

"""Specs of ensembles, made from their members' specs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from benchmark.errors import UserError
from benchmark.spec import LUNGS, MEMBER, Spec, requirement
from benchmark.suites.ensembles import Ensemble

_VARIANT = ("resolution", "preprocessing", "normalisation", "imbalance", "scheme", "weights",
            "augmentation")  # fmt: skip


def ensemble_specs(
    ensemble: Ensemble,
    members: Mapping[str, Sequence[Spec]],
    fixed: Callable[[Spec], bool],
    seeds: Sequence[int],
    training: Callable[[Spec], Mapping[str, Any]],
) -> list[Spec]:
    """The specs of an ensemble: one for each variant and seed of its members.

    Args:
        members: specs of each member on one data set. A member with one variant only, such as a
            model that sees no image, stands beside every variant of the others.
        fixed: whether a member has no chance in it; its one seed stands beside every seed.
        seeds: of an ensemble that trains something itself on members that are fixed.
        training: gives the fields of an ensemble's own spec that are about what it trains itself,
            from the spec of a member.

    Raises:
        UserError: a member is not run in a variant in which another one is.
    """
    leading = max(
        members,
        key=lambda name: (
            members[name][0].resolution > 0,
            not all(map(fixed, members[name])),
            len(members[name]),
        ),
    )
    return [
        _ensemble_spec(ensemble, replace(each, seed=seed), members, fixed, training)
        for each in members[leading]
        for seed in (seeds if seeds and fixed(each) else [each.seed])
    ]


def _ensemble_spec(
    ensemble: Ensemble,
    leading: Spec,
    members: Mapping[str, Sequence[Spec]],
    fixed: Callable[[Spec], bool],
    training: Callable[[Spec], Mapping[str, Any]],
) -> Spec:
    partners = {
        MEMBER + name: requirement(_partner(leading, candidates, fixed))
        for name, candidates in members.items()
    }
    seen = leading.requires if ensemble.spec_kind.sees_images(leading) else {}
    lungs = {role: each for role, each in seen.items() if role == LUNGS}
    return replace(
        leading,
        kind=ensemble.spec_kind.name,
        model=ensemble.name,
        ensemble=ensemble.rule,
        requires=partners | lungs,
        **training(leading),
    )


def _partner(spec: Spec, candidates: Sequence[Spec], fixed: Callable[[Spec], bool]) -> Spec:
    """The candidate of the same variant and seed."""
    one_variant = len({_variant(candidate) for candidate in candidates}) == 1
    for candidate in candidates:
        same = one_variant or _variant(candidate) == _variant(spec)
        if same and (fixed(candidate) or candidate.seed == spec.seed):
            return candidate
    raise UserError(
        f"an ensemble of {spec.model} and {candidates[0].model} cannot be made: there is no spec "
        f"of {candidates[0].model} with {', '.join(map(str, _variant(spec)))}, seed {spec.seed}"
    )


def _variant(spec: Spec) -> tuple:
    return tuple(getattr(spec, axis) for axis in _VARIANT)

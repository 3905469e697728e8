"""Why a planned spec cannot be run, told before anything is trained. Imports no framework."""

from __future__ import annotations

from benchmark import kinds
from benchmark.errors import UserError
from benchmark.kinds.base import Circumstances
from benchmark.protocols import find as find_protocol
from benchmark.spec import LUNGS, MEMBER, Spec


def refusal(spec: Spec, given: Circumstances) -> str | None:
    """The reason, and what to do about it; None where the spec can be run."""
    if given.model_file.problem:
        return given.model_file.problem
    prepared = given.prepared
    if prepared.derived.leakage_status == "leak" and not find_protocol(spec.protocol).allows_leak:
        return (
            f"{prepared.name} leaks: {'; '.join(prepared.derived.reasons)}. "
            "A leaking set is only run under a legacy protocol."
        )
    for role, required in given.required.items():
        if required.problem:
            return f"{_called(role)} cannot be run: {required.problem}"
    try:
        return kinds.find(spec.kind).refusal(spec, given)
    except UserError as error:
        return str(error)


def _called(role: str) -> str:
    if role.startswith(MEMBER):
        return f"its member {role.removeprefix(MEMBER)}"
    return "the network that finds the lungs" if role == LUNGS else "the row it goes on from"

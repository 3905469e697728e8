"""Why a planned spec cannot be run, told before anything is trained. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark import kinds
from benchmark.errors import UserError
from benchmark.kinds.base import Circumstances
from benchmark.machine.devices import Device
from benchmark.planning.squares import why_not
from benchmark.protocols import find as find_protocol
from benchmark.spec import LUNGS, MEMBER, Spec


def refusal(spec: Spec, given: Circumstances) -> str | None:
    """The reason, and what to do about it; None where the spec can be run."""
    if given.model_file.problem:
        return given.model_file.problem
    prepared = given.prepared
    if prepared.derived.leakage_status == "leak" and not find_protocol(spec.protocol).allows_leak:
        way = "A leaking set is only run under a legacy protocol."
        if prepared.facts.options is not None:  # a set of the user's own
            way = "Prepare it again with --force and --resplit, or --keep-split to run it so."
        return f"{prepared.name} leaks: {'; '.join(prepared.derived.reasons)}. {way}"
    for role, required in given.required.items():
        if required.problem:
            return f"{_called(role)} cannot be run: {required.problem}"
    if spec.no_test and (why := _needs_test(spec)):
        return f"--no-test leaves the test images out, and {why}"
    if why := _coarse(spec, given.devices):
        return why
    if why := why_not(spec.preprocessing, prepared):
        return why
    try:
        return kinds.find(spec.kind).refusal(spec, given)
    except UserError as error:
        return str(error)


def _needs_test(spec: Spec) -> str:
    """Why a spec cannot be run without the test images; empty where it can."""
    if find_protocol(spec.protocol).may_choose_on_test:
        return f"under {spec.protocol} validation images may be test images"
    if spec.members:
        return "an ensemble is made of rows that were tested: choose its members first"
    if not kinds.find(spec.kind).may_leave_test:
        return f"rows of kind {spec.kind} are made with them"
    return ""


def _coarse(spec: Spec, devices: Sequence[Device]) -> str:
    """Why no accelerator can compute in a spec's precision; empty where each can, as far as known.

    A CPU emulates what it lacks.
    """
    lacking = sorted({device.name for device in devices if device.bfloat16 is False})
    if spec.precision != "mixed_bfloat16" or not lacking:
        return ""
    return (
        f"{', '.join(lacking)} cannot compute with bfloat16. Ask for another precision "
        "(--precision float32 or mixed_float16), or train on the CPU (--device cpu)"
    )


def _called(role: str) -> str:
    if role.startswith(MEMBER):
        return f"its member {role.removeprefix(MEMBER)}"
    return "the network that finds the lungs" if role == LUNGS else "the row it goes on from"

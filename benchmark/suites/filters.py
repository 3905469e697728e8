"""What ``--filter`` may say: axes and the values that are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from benchmark.errors import UnknownName, UserError, quoted
from benchmark.spec import Spec

FILTER_KEYS = {
    "dataset": "dataset",
    "protocol": "protocol",
    "kind": "kind",
    "model": "model",
    "size": "resolution",
    "preprocessing": "preprocessing",
    "normalisation": "normalisation",
    "imbalance": "imbalance",
    "scheme": "scheme",
    "weights": "weights",
    "augmentation": "augmentation",
    "precision": "precision",
    "seed": "seed",
    "id": "spec_id",
}


def parse_filter(text: str) -> dict[str, set[str]]:
    """Parse ``'model=cnn|mlp,size=64'`` into fields of a spec and their allowed values.

    A semicolon parts keys as a comma does.

    Raises:
        UnknownName: a key is not one of :data:`FILTER_KEYS`.
        UserError: a part is not ``key=value``, or a key is there twice.
    """
    wanted: dict[str, set[str]] = {}
    before = ""
    for part in filter(None, (piece.strip() for piece in re.split("[,;]", text))):
        key, sign, values = part.partition("=")
        if not sign or not values.strip():
            hint = f". Several values of one key: '{before}|{part}'" if before and not sign else ""
            raise UserError(
                f"filter {quoted(part)} is not of the form key=value or key=value|value{hint}"
            )
        if (key := key.strip()) not in FILTER_KEYS:
            raise UnknownName("filter key", key, FILTER_KEYS)
        if (field := FILTER_KEYS[key]) in wanted:
            both = "|".join([*sorted(wanted[field]), values.strip()])
            raise UserError(f"the filter names {key} twice. Several values of one: '{key}={both}'")
        wanted[field] = {value.strip() for value in values.split("|")}
        before = part
    return wanted


def matches(spec: Spec, wanted: Mapping[str, set[str]]) -> bool:
    """True where every filtered field of the spec has one of its allowed values."""
    return all(str(getattr(spec, field)) in values for field, values in wanted.items())


def check_ids(wanted: Mapping[str, set[str]], specs: Sequence[Spec]) -> None:
    """Raise a UserError for an id of a filter that none of these specs has."""
    if unknown := wanted.get("spec_id", set()) - {spec.spec_id for spec in specs}:
        raise UserError(
            f"no spec of the chosen suites has the id {quoted(min(unknown))}; --dry-run lists "
            "those that are missing, the files of a results folder's rows those that were run"
        )


def nothing_matches(wanted: Mapping[str, set[str]], specs: Sequence[Spec]) -> UserError:
    """What to say where a filter matches none of these specs: the first value that none has."""
    names = {field: key for key, field in FILTER_KEYS.items()}
    for field, values in wanted.items():
        known = {str(getattr(spec, field)) for spec in specs} - {""}
        if not values & known:
            return UnknownName(f"{names[field]} in the filter", min(values), known)
    parts = " and ".join(f"{names[field]}={'|'.join(sorted(wanted[field]))}" for field in wanted)
    return UserError(f"no spec of the chosen suites has {parts} at once. Leave out a part.")

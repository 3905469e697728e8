"""Findings that two data sets share: by the alignment table of ``tfds_builders``, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmark.errors import UnknownName, UserError, quoted
from tfds_builders import alignment
from tfds_builders.image_folder.names import word

Groups = dict[str, tuple[str, ...]]
"""Common name of a finding -> what one data set calls it; any of them makes it present."""


def shared_findings(
    source: str,
    source_findings: Sequence[str],
    target: str,
    target_findings: Sequence[str],
    told: Mapping[str, str] | None = None,
) -> tuple[Groups, Groups]:
    """What two data sets call the findings that both label, the same common names in both.

    A set of the user's own is in no table: its findings are those of equal names, however these are
    spelled.

    Args:
        source, target: ``<builder>/<config>``.
        source_findings, target_findings: findings of each, as the data set names them.
        told: finding of the source -> what the target calls it; counts more than what is known.

    Raises:
        UserError: they share none, or ``told`` names a finding that is not there.
    """
    told = told or {}
    for here, there in told.items():
        _check(source, here, source_findings)
        _check(target, there, target_findings)
    builders = [name.partition("/")[0] for name in (source, target)]
    ours = _groups(builders[0], builders[1], (f for f in source_findings if f not in told))
    theirs = _groups(
        builders[1], builders[0], (f for f in target_findings if f not in told.values())
    )
    by_spelling = {word(name): name for name in ours}
    theirs = {by_spelling.get(word(name), name): each for name, each in theirs.items()}
    common = [name for name in ours if name in theirs and name not in told]
    if not common and not told:
        raise UserError(
            f"{source} and {target} share no finding by {alignment.TABLE.name}: "
            f"{', '.join(ours) or 'none known'} there, {', '.join(theirs) or 'none known'} here. "
            "Where two of them mean the same, say so: --map THERE=HERE."
        )
    mapped = {here: ((here,), (there,)) for here, there in told.items()}
    both = {name: (ours[name], theirs[name]) for name in common} | mapped
    return {name: own for name, (own, _) in both.items()}, {
        name: other for name, (_, other) in both.items()
    }


def parse_map(said: Iterable[str]) -> dict[str, str]:
    """``A=B`` as pairs.

    Raises:
        UserError: one is not written so, or names a finding twice.
    """
    told: dict[str, str] = {}
    for each in said:
        here, equals, there = (part.strip() for part in each.partition("="))
        if not (here and equals and there) or here in told or there in told.values():
            raise UserError(f"--map {quoted(each)}: write A=B, each finding once.")
        told[here] = there
    return told


def _check(dataset: str, finding: str, findings: Sequence[str]) -> None:
    if finding not in findings:
        raise UnknownName(f"finding of {dataset}", finding, findings)


def _groups(builder: str, other: str, findings: Iterable[str]) -> Groups:
    """Common name -> findings of a data set; those that the table does not resolve are left out."""
    table = alignment.load()
    if builder not in table.datasets:
        names = _names(other)
        return {names.get(word(finding), finding): (finding,) for finding in findings}
    groups: Groups = {}
    for finding in findings:
        try:
            name = table.common_name(builder, finding)
        except alignment.AlignmentError:
            continue
        groups[name] = (*groups.get(name, ()), finding)
    return groups


def _names(builder: str) -> dict[str, str]:
    """Spelling of what a builder of the table calls a finding -> its common name."""
    table = alignment.load()
    known = table.known_by(builder) if builder in table.datasets else ()
    by_label = {word(label): f.name for f in known for label in f.labels[builder]}
    return by_label | {word(f.name): f.name for f in known}

"""Findings that two data sets share, by the alignment table of ``tfds_builders``."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.errors import UserError
from tfds_builders import alignment

Groups = dict[str, tuple[str, ...]]
"""Common name of a finding -> what one data set calls it; any of them makes it present."""


def shared_findings(
    source: str, source_findings: Iterable[str], target: str, target_findings: Iterable[str]
) -> tuple[Groups, Groups]:
    """What two data sets call the findings that both label, the same common names in both.

    Args:
        source, target: ``<builder>/<config>``.
        source_findings, target_findings: findings of each, as the data set names them.

    Raises:
        UserError: they share none.
    """
    builders = [name.partition("/")[0] for name in (source, target)]
    ours: Groups
    theirs: Groups
    if builders[0] == builders[1] and builders[0] not in alignment.load().datasets:
        ours, theirs = {f: (f,) for f in source_findings}, {f: (f,) for f in target_findings}
    else:
        ours, theirs = _groups(builders[0], source_findings), _groups(builders[1], target_findings)
    common = [name for name in ours if name in theirs]
    if not common:
        raise UserError(
            f"{source} and {target} share no finding by {alignment.TABLE.name}: "
            f"{', '.join(ours) or 'none known'} there, {', '.join(theirs) or 'none known'} here."
        )
    return {name: ours[name] for name in common}, {name: theirs[name] for name in common}


def _groups(builder: str, findings: Iterable[str]) -> Groups:
    """Common name -> findings of a data set; those that the table does not resolve are left out."""
    table = alignment.load()
    groups: Groups = {}
    for finding in findings:
        try:
            name = table.common_name(builder, finding)
        except alignment.AlignmentError:
            continue
        groups[name] = (*groups.get(name, ()), finding)
    return groups

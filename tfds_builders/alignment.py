"""Which findings of different data sets mean the same, read from ``alignment.toml``.

A model trained on one set is tested on another only through this table::

    table = alignment.load()
    table.common_name("padchest", "pleural effusion")    # "Effusion"
    [f.name for f in table.shared("padchest", "chestxray14")]
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tfds_builders.encodings import NoText, utf8_text
from tfds_builders.errors import DatasetError, quoted

TABLE = Path(__file__).with_name("alignment.toml")
_WORDS = ("name", "reason")


class AlignmentError(DatasetError):
    """The table is not well formed, or does not know what it was asked for."""


@dataclass(frozen=True)
class Finding:
    """One finding across the sets.

    Attributes:
        name: the common name.
        labels: data set to the labels there, as published, that mean this finding.
        reason: why these labels were put together, and what still differs.
    """

    name: str
    labels: Mapping[str, tuple[str, ...]] = field(hash=False)
    reason: str


@dataclass(frozen=True)
class Alignment:
    """The whole table.

    Attributes:
        findings: in the order of the file.
    """

    findings: tuple[Finding, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every data set that occurs, sorted."""
        return tuple(sorted({dataset for f in self.findings for dataset in f.labels}))

    def known_by(self, dataset: str) -> tuple[Finding, ...]:
        """Findings that a data set knows, in the order of the file.

        Raises:
            AlignmentError: no such data set.
        """
        _choose("data set", dataset, self.datasets)
        return tuple(f for f in self.findings if dataset in f.labels)

    def shared(self, first: str, second: str) -> tuple[Finding, ...]:
        """Findings that both data sets know: what a model of one may be tested on in the other.

        Raises:
            AlignmentError: no such data set.
        """
        others = self.known_by(second)
        return tuple(f for f in self.known_by(first) if f in others)

    def labels(self, dataset: str, name: str) -> tuple[str, ...]:
        """Published labels of a data set for a finding by its common name.

        Raises:
            AlignmentError: no such data set, or it does not know the finding.
        """
        known = {f.name: f.labels[dataset] for f in self.known_by(dataset)}
        return known[_choose(f"finding of {dataset}", name, known)]

    def common_name(self, dataset: str, label: str) -> str:
        """Common name for a label of a data set; a common name stands for itself.

        A label of two findings (air and fluid) has no single name and is not resolved.

        Raises:
            AlignmentError: no such data set, the label is not in the table, or belongs to two.
        """
        known = self.known_by(dataset)
        if any(f.name == label for f in known):
            return label
        _choose(f"label of {dataset}", label, [x for f in known for x in f.labels[dataset]])
        names = [f.name for f in known if label in f.labels[dataset]]
        if len(names) > 1:
            raise AlignmentError(
                f"{quoted(label)} of {dataset} means {' and '.join(names)} at once."
            )
        return names[0]


@lru_cache(maxsize=4)
def load(path: Path = TABLE) -> Alignment:
    """Read and check a table; the same file is read once.

    Raises:
        AlignmentError: not TOML, a finding without name or reason, a name twice, labels that are
            not a list of different texts, a set with no labels.
    """
    try:
        entries = tomllib.loads(utf8_text(Path(path).read_bytes()))
    except (tomllib.TOMLDecodeError, NoText) as error:
        raise AlignmentError(f"{path} is not a TOML file: {error}") from error
    listed = entries.get("finding")
    if set(entries) != {"finding"} or not isinstance(listed, list):
        raise AlignmentError(f"{path} must hold [[finding]] tables and nothing else.")
    findings = tuple(_finding(path, k, entry) for k, entry in enumerate(listed, 1))
    names = [f.name for f in findings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise AlignmentError(f"{path} has more than one [[finding]] {', '.join(twice)}.")
    return Alignment(findings)


def _finding(path: Path, number: int, entry: object) -> Finding:
    where = f"{path}, [[finding]] number {number}"
    if not isinstance(entry, dict):
        raise AlignmentError(f"{where} is no table.")
    for word in _WORDS:
        if not (isinstance(entry.get(word), str) and entry[word].strip()):
            raise AlignmentError(f"{where} has no {word}.")
    labels = {key: value for key, value in entry.items() if key not in _WORDS}
    for dataset, listed in labels.items():
        good = isinstance(listed, list) and all(isinstance(x, str) and x.strip() for x in listed)
        if not good or not listed or len(set(listed)) != len(listed):
            raise AlignmentError(f"{where}: {dataset} must be a list of different labels.")
    if not labels:
        raise AlignmentError(f"{where} names no data set.")
    tuples = {dataset: tuple(listed) for dataset, listed in labels.items()}
    return Finding(entry["name"], tuples, " ".join(entry["reason"].split()))


def _choose(what: str, name: str, choices: Iterable[str]) -> str:
    choices = sorted(set(choices))
    if name in choices:
        return name
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean {quoted(near[0])}?" if near else ""
    raise AlignmentError(f"no {what} {quoted(name)}; there are: {', '.join(choices)}.{hint}")

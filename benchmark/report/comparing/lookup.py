"""Find rows by what a person types.

That is the id of a spec or a configuration, or the start of one; or ``MODEL@DATASET``, as in
``cnn@kermany_pneumonia/official``, with a ``@PROTOCOL`` behind it where it is not that of the data
set, and more words where a model has several configurations: ``cnn 64px strong@...``. Of those that
the words leave, the one is meant whose every choice that they do not name is the usual.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from benchmark.errors import UserError, quoted
from benchmark.protocols import of_row
from benchmark.records.row import Row
from benchmark.records.store import Results, no_rows
from benchmark.report.blocks.text import UNDEFINED
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.labels import beside_preparation, preparation, recipe, size
from benchmark.report.gathering.places import in_several_tables, watermarks
from benchmark.report.gathering.run import Run, members_of, shown_spec
from benchmark.report.gathering.stopped import why_stopped
from benchmark.report.gathering.versions import Versions, configurations
from benchmark.scoring.stored import scored, stored_scores
from benchmark.spec import NETWORK, PUBLISHED, Spec
from benchmark.suites.axes import DEFAULTS

SHOWN, NAMES = 6, 3
"""Near ones that are listed, if they are no more, and names that are said elsewhere."""
LONGEST = 100
"""Characters of a name that are compared with others."""
NEAR = 0.7
"""From which likeness on, 0 to 1, a name is suggested for another."""
ALL = "Those in tables: cxr-bench export --format csv --columns dataset,label,config_id"
PART = 3
"""Characters from which on a part of a model's name suggests it."""
USUAL = {"normalised", *DEFAULTS["preprocessing"], *DEFAULTS["normalisation"]}
"""Choices that are said though they are the usual ones; the other usual ones go unsaid."""


@dataclass(frozen=True)
class Found:
    """What an id stands for.

    Attributes:
        rows: the row of a spec, or by seed all rows of a configuration that share protocol and
            watermarks.
        is_spec: True for one spec, False for a configuration.
        beside: all rows of the folder, by spec id.
    """

    rows: tuple[Row, ...]
    is_spec: bool
    beside: Mapping[str, Row]

    @property
    def row(self) -> Row:
        """The first row."""
        return self.rows[0]

    @property
    def title(self) -> str:
        """What it is, in words."""
        return self.titled()

    def titled(self, more: str = "") -> str:
        """The same, with ``more`` beside its preparation."""
        seeds = ", ".join(str(row.spec.seed) for row in self.rows)
        known = f"{'spec' if self.is_spec else 'configuration'} {self.id}"
        return f"{describe(self.row, more)}, seed{'s' * (len(self.rows) > 1)} {seeds} ({known})"

    @property
    def id(self) -> str:
        """That of the spec or the configuration."""
        return self.row.spec_id if self.is_spec else self.config_id

    @property
    def config_id(self) -> str:
        """Id of the configuration that it is or belongs to."""
        return self.row.config_id

    @property
    def done(self) -> list[Row]:
        """The finished rows."""
        return [row for row in self.rows if row.done]

    @property
    def shown(self) -> Spec:
        """The spec of the first row as it is told."""
        members = [each for row in self.rows for each in members_of(row, self.beside)]
        return shown_spec(self.row.spec, members)

    def configurations(self, results: Results) -> list[Configuration]:
        """Its finished rows with their scores, those of each version of the code for themselves.

        The first is the one that counts (see :mod:`benchmark.report.gathering.versions`).

        Raises:
            UserError: none is finished, or has predictions that can be used.
        """
        if not self.done:
            status = self.row.status.replace("_", " ")
            raise UserError(f"{self.title} has no scores, it is {status}: {why_stopped(self.row)}")
        found = list(scored(results, self.done, stored_scores))
        if not found:
            stored_scores(results, self.done[0])  # says why not
        runs = [Run.of(row, scores, self.beside) for row, scores in found]
        several = in_several_tables(self.beside.values())
        return configurations(runs, Versions(), results, several)

    def configuration(self, results: Results) -> Configuration:
        """The one of :meth:`configurations` that counts."""
        return self.configurations(results)[0]


def find(results: Results, text: str) -> Found:
    """The spec or the configuration that ``text`` means, by its id or by its name.

    Raises:
        UserError: nothing or more than one thing is called so; what is near is listed.
    """
    text = text.strip()
    rows = sorted(results.rows(), key=lambda row: row.spec.seed)
    known = {row.spec_id: row for row in rows}
    together: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        together[row.config_id, row.protocol.id, watermarks(row)].append(row)
    everything = [Found(tuple(of_one), False, known) for of_one in together.values()]
    everything += [Found((row,), True, known) for row in rows]
    exact = [found for found in everything if found.id == text]
    by_id = exact or [found for found in everything if text and found.id.startswith(text.lower())]
    matches = by_id or _named(everything, text)
    places = [] if matches else [found for found in everything if _is_at(found, text)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        _refuse_tested_elsewhere(results, text.lower())
    if not rows:
        raise UserError(no_rows(results.folder))
    if matches and len({found.id for found in matches}) == 1:
        raise UserError(
            f"{quoted(text)} stands for seeds that are not measured alike, so they have no mean. "
            f"Give the id of a spec:\n{_listed(matches)}"
        )
    if by_id:
        raise UserError(f"{quoted(text)} begins more than one id:\n{_listed(matches)}")
    if matches:
        raise UserError(
            f"{quoted(text)} means more than one configuration. Give an id, or before the @ words "
            f"that only one has:\n{_listed(matches)}"
        )
    if places:
        raise UserError(f"nothing here has all the words of {quoted(text)}:\n{_listed(places)}")
    raise UserError(
        f"no row or configuration in {results.folder} is called {quoted(text)}. "
        f"{_near(everything, text)} --results {shlex.quote(str(results.folder))}"
    )


def _refuse_tested_elsewhere(results: Results, text: str) -> None:
    """Raise a UserError where an id is that of a network on another data set: say where it is."""
    for row in results.cross.rows() if text else ():
        if row.spec_id.startswith(text) or row.config_id.startswith(text):
            raise UserError(
                f"{quoted(text)} is the id of a network tested on another data set: "
                f"{row.spec.model} on {row.spec.dataset}, of row {row.spec.required_ids[NETWORK]}. "
                "Such rows have tables of their own, written by: cxr-bench leaderboard --results "
                f"{shlex.quote(str(results.folder))}"
            )


def _near(everything: list[Found], text: str) -> str:
    """How one is named; the nearest where they are few, or which names are; and what lists all."""
    ranked = sorted(everything, key=lambda found: _likeness(text, found), reverse=True)
    near = [found for found in ranked if _likeness(text, found)[0] >= NEAR]
    forms = f"Give an id, the start of one, or MODEL@SET, for example {quoted(_example(ranked))}."
    if 0 < len(near) <= SHOWN:
        return f"{forms} Nearest:\n{_listed(near)}\n{ALL}"
    names = dict.fromkeys(_name(found.row.spec) for found in ranked)
    return f"{forms} The nearest names: {', '.join([*names][:NAMES])}. {ALL}"


def _example(ranked: Sequence[Found]) -> str:
    """The nearest name that means one thing here, if need be with its size; else an id."""
    specs = [found.row.spec for found in ranked if not found.is_spec]
    names = dict.fromkeys(_name(spec, more) for spec in specs for more in ("", f" {size(spec)}px"))
    return next((name for name in names if len(_named(ranked, name)) == 1), specs[0].spec_id)


def _name(spec: Spec, more: str = "") -> str:
    """As a person may type it."""
    own = "" if spec.protocol == PUBLISHED else f"@{spec.protocol}"
    return f"{spec.model}{more}@{spec.dataset}{own}"


def _named(everything: Iterable[Found], text: str) -> list[Found]:
    """What ``MODEL WORDS@DATASET@PROTOCOL`` means: more than one where nothing tells them apart."""
    return _plain_one([found for found in everything if _is_named(found, text)])


def _is_named(found: Found, text: str) -> bool:
    """Whether the model, every word and the place are those of this configuration."""
    return _is_at(found, text) and {*_parted(text.partition("@")[0])[1:]} <= _words(found)


def _is_at(found: Found, text: str) -> bool:
    """The same, whatever the words.

    Without a protocol the data set's own is meant; of its name either part is enough.
    """
    name, sign, place = text.partition("@")
    dataset, _, protocol = place.strip().partition("@")
    spec, (model, *_) = found.row.spec, _parted(name) or [""]
    return bool(
        sign
        and not found.is_spec
        and spec.model == model
        and dataset in (spec.dataset, *spec.dataset.split("/"))
        and spec.protocol == (protocol or PUBLISHED)
    )


def _plain_one(matches: list[Found]) -> list[Found]:
    """Of several the one of which nothing unusual is said that is not said of all, if one is."""
    shared = set[str].intersection(*map(_words, matches)) if matches else set()
    plain = [found for found in matches if _words(found) <= shared | USUAL]
    return plain if len(plain) == 1 else matches


def _words(found: Found) -> set[str]:
    spec = found.row.spec
    label = spec.label.rpartition(" seed ")[0]  # a name means all seeds
    said = f"{describe(found.row)} {label} {spec.scheme} {spec.weights} {recipe(spec)}"
    return set(_parted(said + (f" limit {spec.limit}" if spec.limit else "")))


def _parted(text: str) -> list[str]:
    """The words of a name or a label, without what stands between them."""
    return re.findall(r"[^\s,:()\[\]]+", text)


def describe(row: Row, more: str = "") -> str:
    """Data set, model, size and preparation of a row in one line, and ``more`` of it."""
    pixels = f" {size(row.spec)} px" if row.spec.resolution else ""
    inside = ", ".join(
        text for text in (preparation(row.spec), more) if text not in ("", UNDEFINED)
    )
    return f"{of_row(row).title(row.protocol.dataset)} {row.spec.model}{pixels}" + (
        f" ({inside})" if inside else ""
    )


def _likeness(text: str, found: Found) -> tuple[float, float]:
    """How like it is what stands before the @, to an id or a model, and what stands behind it.

    A part of a model's name is near. A model stands for its configurations, and so does a data set
    that stands alone.
    """
    name, sign, place = text.lower().partition("@")
    word = next(iter(name.split()), "")[:LONGEST]
    spec, near = found.row.spec, _ratio(word, found.id)
    if not found.is_spec:
        part = len(word) >= PART and word in spec.model
        near = max(near, part * NEAR, _ratio(word, spec.model))
        near = near if sign else max(near, _ratio(word, spec.dataset))
    return near, _ratio(place[:LONGEST], spec.dataset)


def _ratio(word: str, known: str) -> float:
    """Likeness, 0 to 1, to the beginning of what is known."""
    return SequenceMatcher(None, word, known[: len(word)]).ratio() if word else 0.0


def titles(found: Iterable[Found]) -> list[str]:
    """What each is, in words that tell them apart."""
    specs = {str(place): each for place, each in enumerate(found)}
    apart = beside_preparation({place: each.row.spec for place, each in specs.items()})
    return [each.titled(apart[place]) for place, each in specs.items()]


def _listed(found: Sequence[Found]) -> str:
    ids = Counter(each.id for each in found)
    told = zip(titles(found), found, strict=True)
    lines = [f"  {title}{_apart(each) * (ids[each.id] > 1)}" for title, each in told]
    return "\n".join(sorted(lines))


def _apart(found: Found) -> str:
    """What tells it from another that has its id."""
    marks = ", ".join(watermarks(found.row)) or "none"
    specs = ", ".join(row.spec_id for row in found.rows)
    return f"\n    protocol {found.row.protocol.id}, watermarks: {marks}; specs {specs}"

"""The first screen: models against sizes, a table a data set, then what came out in sentences.

Of the ways in which a model was trained, and of its sizes, validation chooses what is shown, and
the other sizes show the same way, so that a line differs in size alone; the test images only say
how good that is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmark.report.blocks.content import BREAK, Content, Figures, Link, Strong
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Details,
    Heading,
    Notes,
    Paragraph,
    text_column,
)
from benchmark.report.blocks.text import UNDEFINED, count, interval, number, span
from benchmark.report.blocks.values import (
    Cell,
    Measurement,
    Value,
    as_text,
    mean_of,
    seconds,
    with_spread,
)
from benchmark.report.columns import COLUMNS, Entry, Naming, signed_name, unlinked
from benchmark.report.gathering.choosing import on_validation
from benchmark.report.gathering.configuration import MIN_SEEDS, Configuration
from benchmark.report.gathering.cost import run_seconds
from benchmark.report.gathering.labels import ways
from benchmark.report.gathering.mismatches import mismatches
from benchmark.report.gathering.table import Table
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.story import story
from benchmark.report.sections.section import measured_on
from benchmark.report.sections.told_apart import choices
from benchmark.suites.families import is_baseline

_HOW = (
    "A line a model, a column a size. Of the ways in which a model was trained, and of its sizes, "
    "validation chooses one, in ",
    Strong("bold"),
    ": F1, gap and time (of one training, the computing of frozen features included) are of that "
    "one; the other sizes are of the same way. Below an AUC its 95 % interval over patients and "
    "what the other ways have on test, of however many seeds, behind it its letters: those of one "
    "number that share a letter were not told apart. ",
    Link("#how-to-read-it", "Every sign"),
    ".",
)


@dataclass(frozen=True)
class Line:
    """A model in a table.

    Attributes:
        table: where it stands.
        ways: size in pixels -> the configurations there; 0 of what came from another tool, whose
            size nobody knows.
        how: key -> how a configuration was trained, in words.
    """

    table: Table
    ways: dict[int, list[Configuration]]
    how: dict[str, str]

    @cached_property
    def chosen(self) -> Configuration:
        """What validation chooses of all ways and sizes."""
        return max((c for ways in self.ways.values() for c in ways), key=on_validation)

    @property
    def several(self) -> bool:
        """Whether there was anything to choose among."""
        return sum(map(len, self.ways.values())) > 1

    @property
    def way(self) -> str:
        """How the chosen one was trained."""
        return self.how[self.chosen.key]

    @cached_property
    def at(self) -> dict[int, Configuration]:
        """Size -> the configuration there that was trained in the chosen way; not at every size."""
        same = {
            s: [c for c in ways if self.how[c.key] == self.way] for s, ways in self.ways.items()
        }
        return {size: max(of_way, key=on_validation) for size, of_way in same.items() if of_way}


def first_screen(of: Leaderboard, *, cost: bool, named: Naming = unlinked) -> list[Block]:
    """Tables of real images first, then the story, then what each choice changes.

    Args:
        of: what is shown.
        cost: whether training times are shown.
        named: makes links to pages of configurations.
    """
    every = first_tables(of.tables)
    full = [each for each in every if not each.watermarks]
    if not every:
        return []
    blocks: list[Block] = [Heading(2, "Results"), Paragraph(_HOW)]
    for each in full:
        blocks += _of_table(each, cost=cost, named=named)
    marked = [b for t in every if t.watermarks for b in _of_table(t, cost=cost, named=named)]
    if marked:
        blocks.append(Details("Limited and smoke runs, never ranked with these", tuple(marked)))
    told = story(of, full)
    if told:
        blocks += [Heading(2, "What came out"), Notes(tuple(told))]
    changed = choices(full)
    return [*blocks, Heading(2, "What each choice changes"), *changed] if changed else blocks


def first_tables(tables: Iterable[Table]) -> list[Table]:
    """Those of findings with a model in them: real images first, then by test patients.

    Simulated and watermarked ones come last; legacy protocols, which are known to mislead, are left
    out.
    """
    asked = [t for t in tables if t.tested and t.split_protocol.asks_findings]
    shown = [t for t in asked if _candidates(t)]
    return sorted((t for t in shown if not t.split_protocol.watermark), key=place)


def place(each: Table) -> tuple:
    """Orders tables: real images before simulated ones, what is never ranked last."""
    test = each.counts.get("test")
    patients = (test.patients or 0) if test else 0
    marked, asked = bool(each.watermarks), each.split_protocol.asks_findings
    return marked, each.dataset.simulated, not asked, -patients, each.key


def lines(each: Table) -> list[Line]:
    """The models of a table that see images, the best on test first.

    What is not to be ranked is left out, but for configurations that only want seeds.
    """
    shown = _candidates(each)
    how = _how([c for of_model in shown.values() for of_size in of_model.values() for c in of_size])
    found = [Line(each, dict(ways), how) for ways in shown.values()]
    return sorted(found, key=lambda line: (-_auc(line.chosen), line.chosen.key))


def _candidates(each: Table) -> dict[str, dict[int, list[Configuration]]]:
    wanting = [c for c in each.configurations if c.wants_seeds]
    mismatched = mismatches(each.protocol, each.configurations) if wanting else {}
    together: dict[str, dict[int, list[Configuration]]] = defaultdict(lambda: defaultdict(list))
    for c in (*each.ranked, *(c for c in wanting if c.key not in mismatched)):
        if not is_baseline(c.spec):
            together[c.spec.model][c.spec.resolution or 0].append(c)
    return together


def _how(shown: Sequence[Configuration]) -> dict[str, str]:
    schemes = {c.shown.scheme for c in shown} - {""}
    further = ways({c.key: c.spec for c in shown})
    return {
        c.key: ", ".join(filter(None, (c.shown.scheme if len(schemes) > 1 else "", further[c.key])))
        for c in shown
    }


def _auc(c: Configuration) -> float:
    return c.measurements["test_auc"].mean or 0.0


def _of_table(each: Table, *, cost: bool, named: Naming) -> list[Block]:
    return [
        Heading(3, each.name, f"first-{each.anchor}"),
        Paragraph((measured_on(each), " ", _every(each))),
        matrix(each, cost=cost, named=named),
    ]


def _every(each: Table) -> Content:
    n = len(each.configurations)
    return Link(f"#{each.anchor}", f"All {count(n)} configurations" if n > 1 else "More"), "."


def matrix(each: Table, *, cost: bool, named: Naming = unlinked) -> DataTable:
    """Models against sizes.

    Args:
        each: the table.
        cost: whether training times are shown; parameters elsewhere.
        named: makes links to pages of configurations.
    """
    shown = lines(each)
    sizes = sorted({size for line in shown for size in line.ways})

    def name(line: Line) -> Content:
        return named(line.chosen, signed_name(line.chosen))

    columns: list[Column[Line]] = [
        text_column("Model", name, "model"),
        *([text_column("Trained", lambda line: line.way, "trained")] if _any_way(shown) else []),
        *(Column(f"test_auc_{size}", _size(size), _auc_at(size)) for size in sizes),
        *map(_of_chosen, ("test_f1", "gap_auc")),
        _time(each) if cost else _of_chosen("parameters"),
    ]
    return DataTable.of(columns, shown, title=each.name, notes=_baselines(each))


def _any_way(shown: Iterable[Line]) -> bool:
    return any(line.way for line in shown)


def _size(size: int) -> str:
    return f"AUC {size} px" if size else "AUC, size not known"


def _auc_at(size: int) -> Callable[[Line], Value]:
    def value(line: Line) -> Value:
        c = line.at.get(size)
        others = _others([each for each in line.ways.get(size, ()) if each is not c])
        return Cell(others) if c is None else _auc_of(line, c, others)

    return value


def _auc_of(line: Line, c: Configuration, others: str) -> Cell:
    auc = c.measurements["test_auc"]
    figure = Figures(with_spread(auc))
    said: list[Content] = [
        Strong(figure) if c is line.chosen and line.several else figure,
        Figures("\xa0§") if c.short_interval else "",
        _behind(line.table, c),
    ]
    ends = interval(auc.low, auc.high)
    said += [BREAK, Figures(ends)] if ends else []
    said += [BREAK, others] if others else []
    return Cell(tuple(said), auc.mean, auc.parts)


def _others(others: Sequence[Configuration]) -> str:
    """What the other ways of a size have on test, so that nobody takes one for all."""
    known = [m for c in others if (m := c.measurements["test_auc"].mean) is not None]
    return f"{count(len(known))} other{'s' * (len(known) > 1)}: {span(known)}" if known else ""


def _behind(each: Table, c: Configuration) -> Content:
    """Its letters, or how many seeds it has where these are too few, on the line of the AUC."""
    said = as_text(_COLUMNS["letters"].value(Entry(each, c)))
    if not c.complete:
        said = f"{len(c.runs)} of {MIN_SEEDS} seeds"
    return "" if said == UNDEFINED else Figures(f" · {said}".replace(" ", "\N{NO-BREAK SPACE}"))


_COLUMNS = {column.name: column for column in COLUMNS}


def _time(each: Table) -> Column[Line]:
    took = run_seconds(each)
    return Column("run_seconds", "Time", lambda line: _brief(took.get(line.chosen.key)))


def _brief(took: float | None) -> Cell:
    """A duration in one unit."""
    exact = seconds(took)
    if took is None or took < 59.5:
        return exact
    minutes = round(took / 60)
    said = f"{minutes} min" if minutes < 120 else f"{took / 3600:.1f} h"
    return Cell(said.replace(" ", "\N{NO-BREAK SPACE}"), took, exact.parts)


def _of_chosen(name: str) -> Column[Line]:
    """A column of the leaderboard, of the configuration that a line has chosen; means alone."""
    known = _COLUMNS[name]

    def value(line: Line) -> Value:
        found = known.value(Entry(line.table, line.chosen))
        return mean_of(found) if isinstance(found, Measurement) else found

    return Column(name, known.header, value, known.align)


def _baselines(each: Table) -> tuple[Content, ...]:
    """What the models have to be above."""
    shown = [c for c in each.ranked if is_baseline(c.spec)]
    if not shown:
        return ()
    said = (
        f"{each.labels[c.key]} {number(auc.mean)} {interval(auc.low, auc.high)}".rstrip()
        for c in shown
        for auc in [c.measurements["test_auc"]]
    )
    return (f"Without an image: {'; '.join(said)}.",)

"""What was told apart: the families of a table pair by pair, and what each choice changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmark.report.blocks.content import Link
from benchmark.report.blocks.tables import Block, Column, DataTable, Paragraph, text_column
from benchmark.report.blocks.text import UNDEFINED, number
from benchmark.report.blocks.values import Cell, Measurement, difference, limits, p_of
from benchmark.report.gathering.effects import Effect
from benchmark.report.gathering.families import TableFamily
from benchmark.report.gathering.table import Table
from benchmark.scoring.ranking import Comparison
from benchmark.suites.families import VARIED

ONE = "95 % interval (one comparison)"
DETECTABLE = "Difference told in 80 % of tries, at the first step of Holm's correction"


@dataclass(frozen=True)
class _Line:
    """A member of a family, against the best of it."""

    of: TableFamily
    key: str


def differences(each: Table) -> Iterator[Block]:
    """How far configurations are behind the best of their family, and whether that is chance."""
    for axis in dict.fromkeys(f.axis for f in each.families):
        yield from _families(each, [f for f in each.families if f.axis == axis])
    if each.outside:
        best = each.labels[each.outside[0].first]
        yield Paragraph(
            f"AUC of {best} minus that of what is in no family with it, each for itself:"
        )
        yield DataTable.of(_outside(each), each.outside)


def _families(each: Table, families: list[TableFamily]) -> Iterator[Block]:
    """Those that differ in one axis: what they are, then how far their members are apart."""
    axis = families[0].axis
    lines = [_Line(of, key) for of in families for key in of.family.members]
    names = {id(of): str(of.number or place) for place, of in enumerate(families, 1)}
    shared = set.intersection(*(set(of.fixed) for of in families)) if len(families) > 1 else set()
    also = _said(pair for pair in families[0].fixed if pair in shared)
    yield Paragraph(f"Within {axis}, all else the same:")
    yield DataTable.of(
        [
            text_column("Family", lambda of: names[id(of)], "family"),
            text_column(
                "The same in all of it",
                lambda of: _said(pair for pair in of.fixed if pair not in shared),
                "same",
            ),
            text_column(DETECTABLE, _detectable, "detectable"),
        ],
        families,
        notes=(f"In all these families: {also}.",) if also else (),
    )
    yield Paragraph("AUC of the best of a family minus that of another:")
    columns: list[Column[_Line]] = [
        text_column("Family", lambda line: names[id(line.of)], "family"),
        text_column(
            "Configuration", lambda line: member(each, line.of, line.key), "label", names_row=True
        ),
        text_column("Letters", _letters, "letters"),
        Column("difference", "Difference", lambda line: difference(_difference(line))),
        Column("interval", ONE, _interval),
        Column("p_holm", "p (Holm)", _p),
        Column("first", "Comes first", _first),
    ]
    yield DataTable.of(columns, lines)


def member(each: Table, of: TableFamily, key: str) -> str:
    """One of a family, by what differs within it; two of one value by their whole names."""
    specs = {c.key: c.shown for c in each.configurations}
    values = {
        one: ", ".join(_value(field, getattr(specs[one], field)) for field in VARIED[of.axis])
        for one in of.family.members
    }
    own = values[key]
    return own if list(values.values()).count(own) == 1 else each.labels[key]


def _value(field: str, value: object) -> str:
    return f"{value} px" if field == "resolution" else str(value)


def _said(fixed: Iterable[tuple[str, str]]) -> str:
    plain = ("model", "resolution")
    return ", ".join((f"{k} " if k not in plain else "") + _value(k, v) for k, v in fixed)


def _letters(line: _Line) -> str:
    text = line.of.family.letters[line.key]
    return f"({text})" if line.key in line.of.family.provisional else text


def _difference(line: _Line) -> Measurement:
    found = line.of.behind(line.key)
    return Measurement(found[0].difference if found else None)


def _interval(line: _Line) -> Cell:
    found = line.of.behind(line.key)
    return limits(*((found[0].interval if found else None) or (None, None)))


def _p(line: _Line) -> Cell | None:
    found = line.of.behind(line.key)
    return p_of(found[1]) if found else None


def _first(line: _Line) -> Cell:
    share = line.of.family.first[line.key]
    return Cell(f"{100 * share:.0f} %", share, lambda name: {name: share})


def _detectable(of: TableFamily) -> str:
    """What a family could have told."""
    found, pairs = of.family.detectable, len(of.family.comparisons)
    if found is None:
        return UNDEFINED
    spread = f" (median of {pairs} pairs; {number(found.least)} to {number(found.largest)})"
    return number(found.median) + spread * (pairs > 1)


def _outside(each: Table) -> list[Column[Comparison]]:
    return [
        text_column("Configuration", lambda c: each.labels[c.second], "label"),
        Column("difference", "Difference", lambda c: difference(Measurement(c.difference))),
        Column("interval", ONE, lambda c: limits(*(c.interval or (None, None)))),
        Column("p", "p (one comparison)", lambda c: None if c.p is None else p_of(c.p)),
    ]


def choices(tables: Iterable[Table]) -> list[Block]:
    """What each choice changes, in all tables; nothing where none was varied."""
    lines = [(each, effect) for each in tables for effect in each.effects]
    if not lines:
        return []
    columns: list[Column[tuple[Table, Effect]]] = [
        text_column("Data set", lambda e: Link(f"#{e[0].anchor}", e[0].name), "dataset"),
        text_column("Choice", lambda e: e[1].axis, "choice"),
        text_column("From", lambda e: e[1].told[0], "before"),
        text_column("To", lambda e: e[1].told[1], "after"),
        Column("difference", "Difference in AUC", lambda e: _change(e[1])),
        text_column("Helps", lambda e: f"{e[1].helped} of {e[1].pairs}", "helps"),
        text_column("Models", lambda e: ", ".join(e[1].models), "models"),
    ]
    said = (
        "AUC with the second value minus AUC with the first, mean over the configurations that "
        "were run with both, all else the same: paired over models, seeds and test patients. In "
        "brackets the 95 % interval of the one comparison. Of these models, not of models in "
        "general."
    )
    return [Paragraph(said), DataTable.of(columns, lines, title="What each choice changes")]


def _change(effect: Effect) -> Cell:
    low, high = effect.comparison.interval or (None, None)
    return difference(Measurement(effect.comparison.difference, None, low, high))

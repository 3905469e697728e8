"""Write what pages hold of the code and of the results: ``python docs/tables.py``.

Tables of what a suite may name are made of what the files of an axis and the kinds of ensembles say
of themselves; the README's picture and table, and the pictures in ``img``, of committed results.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from html import escape
from pathlib import Path

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.kinds.ensemble import ways
from benchmark.models import discover
from benchmark.planning.forecast import work_of
from benchmark.records.store import Results
from benchmark.report.blocks.content import Link
from benchmark.report.blocks.tables import Block, Notes, Paragraph
from benchmark.report.export.dictionary import dictionary
from benchmark.report.figures import AXIS as FIGURES
from benchmark.report.figures import Figure, Source, figures_of
from benchmark.report.leaderboard.board import Leaderboard
from benchmark.report.leaderboard.first_screen import first_tables, matrix
from benchmark.report.leaderboard.story import story
from benchmark.report.render import markdown
from benchmark.report.sections.section import measured_on
from benchmark.spec import Spec
from benchmark.suites.files import load_suite
from benchmark.task import KINDS
from benchmark.training.imbalance import AXIS as POLICIES
from benchmark.training.recipes import find as find_recipe
from benchmark.training.recipes import names as recipe_names
from benchmark.training.schemes import AXIS as SCHEMES
from benchmark.training.schemes import is_features_only
from benchmark.training.weight_sources import AXIS as SOURCES
from benchmark.training.weight_sources import written

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "results"
PICTURES = FOLDER / "img"
README = "../README.md"
END = "<!-- end -->"
LINES, SENTENCES = 10, 9
"""Models of the leaderboard, and sentences of what came out, that the README shows."""
Table = list[tuple[str, ...]]
"""Lines of cells, the header first."""


def policies() -> Table:
    """The axis ``imbalance``."""

    def tasks(names: Sequence[str]) -> str:
        return "all" if set(names) == set(KINDS) else ", ".join(names)

    return [("policy", "what it does", "tasks")] + [
        (f"`{name}`", _said(policy.card["description"]), tasks(policy.card["tasks"]))
        for name, policy in POLICIES.discover().items()
    ]


def augmentations() -> Table:
    """The axis ``augmentation``."""
    return [("augmentation", "what it does", "moves masks")] + [
        (f"`{name}`", _said(policy.card["description"]), "yes" if policy.card["masks"] else "no")
        for name, policy in AUGMENTATIONS.discover().items()
    ]


def schemes() -> Table:
    """The axis ``scheme``, and the ``weights`` that each begins from, the usual ones first."""
    found: Table = [("scheme", "what it does", "begins from `weights`")]
    for name, scheme in SCHEMES.discover().items():
        card = scheme.card
        fit = [s for s in SOURCES.discover().values() if s.card["gives"] in card["begins_from"]]
        fit.sort(key=lambda source: source.name != card["usual"])
        weights = ", ".join(f"`{written(source)}`" for source in fit)
        found.append((f"`{name}`", _said(card["description"]), weights))
    return found


def recipes() -> Table:
    """What a suite may give as the ``name`` of a recipe."""
    found: Table = [("recipe", "what it is for", "values", "sources")]
    for name in recipe_names():
        recipe = find_recipe(name)
        values = ", ".join(f"{key} = {value}" for key, value in recipe.values.items())
        found.append((f"`{name}`", _said(recipe.description), f"`{values}`", recipe.source))
    return found


def ensembles() -> Table:
    """What a suite may give as the ``kind`` of an ensemble."""
    found: Table = [("kind", "what it does", "needs")]
    for name, (kind, way) in ways().items():
        saved = "saved weights" if kind.needs_weights else "saved predictions"
        images = ", images" if kind.needs_weights or way.trains else ""
        found.append((f"`{name}`", _said(way.description), saved + images))
    return found


def columns() -> Table:
    """Every column of tables and files."""
    found: Table = [("column", "above it", "what it holds")]
    for each in dictionary():
        found.append((f"`{each.name}`", each.header.replace("|", "/"), each.meaning))
    return found


def figures() -> Table:
    """What ``cxr-bench figures`` draws."""
    cards = sorted((f.card["order"], name, f.card) for name, f in FIGURES.discover().items())
    return [("figure", "question", "what it shows")] + [
        (f"`{name}`", card["question"], card["shows"]) for _, name, card in cards
    ]


def held(suite: str) -> Table:
    """How many specs of a suite of findings the committed results hold, of those that it names."""
    rows = [row for row in Results(RESULTS).rows() if row.done]
    counts = {row.spec.dataset: row.counts for row in rows}
    every = load_suite(suite)
    named = {
        _choices(work.spec)
        for dataset, _ in every.datasets
        for work in work_of(every, discover(), dataset, counts[dataset], masks=False)
    }
    done = named & {_choices(row.spec) for row in rows}
    all_of, done_of = (Counter(_place(each) for each in of) for of in (named, done))
    sizes = sorted({size for _, size in all_of} - {0})

    def cell(line: tuple[str, str], size: int) -> str:
        n, most = done_of[line, size], all_of[line, size]
        return (f"{n} of {most}" if n else f"not run ({most})") if most else ""

    lines = {line for line, size in all_of if size}
    return [(f"`{suite}`", "scheme", *(f"{size} px" for size in sizes))] + [
        (f"`{model}`", scheme, *(cell((model, scheme), size) for size in sizes))
        for model, scheme in sorted(lines)
    ]


_CHOSEN = ("model", "scheme", "resolution", "dataset", "seed", "weights", "preprocessing",
           "normalisation", "imbalance")  # fmt: skip


def _choices(spec: Spec) -> tuple:
    """What tells the specs of a suite apart, whatever images and weights are at hand."""
    augmentation = "none" if is_features_only(spec.scheme) else spec.augmentation
    chosen = (getattr(spec, name) for name in _CHOSEN)
    return (*chosen, augmentation, spec.recipe.get("name"))


def _place(choices: tuple) -> tuple[tuple[str, str], int]:
    """Its line and column."""
    model, scheme, size, *_ = choices
    return (model, scheme), size


PAGES: dict[str, tuple[Callable[[], Table], ...]] = {
    "suites.md": (policies, augmentations, schemes, recipes),
    "ensembles.md": (ensembles,),
    "columns.md": (columns,),
    "results.md": (figures,),
    "../results/README.md": (partial(held, "reference"), partial(held, "reference_nih")),
}


def texts() -> dict[str, str]:
    """Path of a page from this folder -> its text, with its tables as the code has them."""
    found = {name: _filled(name, [table() for table in tables]) for name, tables in PAGES.items()}
    return found | {README: _readme()}


@cache
def _board() -> Leaderboard:
    return Leaderboard.of(Results(RESULTS))


@cache
def pictures() -> list[Figure]:
    """The README's figures: who is better on the first data set, not drawn yet."""
    source = Source(_board(), Results(RESULTS))
    first = first_tables(source.board.tables)[0].name
    return figures_of(source, names=["forest"], dataset=first)[:1]


def _readme() -> str:
    """With the picture, and table and story of the first data set."""
    text = (FOLDER / README).read_text(encoding="utf-8")
    table = first_tables(_board().tables)[0]
    every = matrix(table, cost=True)
    shown = replace(every, rows=every.rows[:LINES])
    more = len(every.rows) - len(shown.rows)
    further = f"And {more} more model{'s' * (more > 1)} in" if more else "From"
    said = f"{further} the "
    blocks: list[Block] = [
        shown,
        Paragraph(
            (said, Link("results/LEADERBOARD.md", "leaderboard"), f". {_HOW} ", measured_on(table))
        ),
        Notes(tuple(story(_board(), [table])[:SENTENCES])),
    ]
    made = {"picture": "".join(map(_picture, pictures())), "results": markdown.document(blocks)}
    for part, said in made.items():
        begin = f"<!-- {part} by python docs/tables.py -->\n"
        before, rest = text.split(begin)
        text = f"{before}{begin}{said}{rest[rest.index(END) :]}"
    return text


_HOW = (
    "Bold: the way of training and the size that validation chooses. F1, gap and time are of "
    "these; other sizes are of the same way, and the others there are what other ways gave. "
    "Brackets: 95 % intervals over patients. Letters: those of one family, which the number names, "
    "that share one were not told apart."
)


def _picture(each: Figure) -> str:
    path, alt = f"docs/img/{each.file}", escape(each.draft.alt)
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{path}-dark.svg">\n'
        f'<img src="{path}.svg" width="100%" alt="{alt}"></picture>\n'
        f"<sub>{escape(each.draft.caption)}</sub>\n\n"
    )


def _filled(name: str, tables: Sequence[Table]) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for header, *lines in tables:
        rule = "|" + "---|" * len(header)
        made = "".join(f"{line}\n" for line in (_line(header), rule, *map(_line, lines)))
        pattern = rf"^{re.escape(_line(header))}\n(\|.*\n)*"
        text, n = re.subn(pattern, lambda _, table=made: table, text, flags=re.MULTILINE)
        assert n == 1, f"{name} has {n} tables that begin with {_line(header)}"
    return text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said(description: str) -> str:
    return description[0].lower() + description[1:].removesuffix(".")


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for picture in pictures():
        picture.write(PICTURES, ["svg"])

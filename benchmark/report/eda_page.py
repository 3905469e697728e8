"""The page of the exploratory analysis: HTML that needs nothing but the files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.facts import SetFacts
from benchmark.report.eda_statistics import SPLITS, Statistic
from benchmark.report.text import UNDEFINED, count, one_line

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: 14px; } .wide { overflow-x: auto; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
figcaption { font-size: 14px; color: #555; }
.notice { border-left: 4px solid #D55E00; padding: .5rem 1rem; background: #fff4ec; }
"""


def page(name: str, facts: SetFacts, manifest: pd.DataFrame, body: Iterable[str]) -> str:
    """The document; ``body`` is made with the other functions of this module."""
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(name)}</h1>",
        *_notices(facts),
        *_overview(facts, manifest),
        *body,
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def section(title: str, explanation: str, *parts: str) -> str:
    """A heading, what is to be seen, and figures or tables."""
    return "\n".join([f"<h2>{_text(title)}</h2>", f"<p>{_text(explanation)}</p>", *parts])


def picture(file: str, alt: str) -> str:
    """A figure: the PNG, with a link to the SVG."""
    return (
        f'<figure><img src="{file}.png" alt="{_text(alt)}"><figcaption>{_text(alt)} '
        f'(<a href="{file}.svg">SVG</a>)</figcaption></figure>'
    )


def counts_table(rows: list[Statistic], findings: list[str]) -> str:
    """Positive images, patients and prevalence of every finding and split."""
    value = {(r.finding, r.of, r.measure): r.value for r in rows}
    header = ["Finding", *(f"{split}: {what}" for split in SPLITS for what in ("images", "%"))]
    lines = []
    for f in findings:
        cells = [f]
        for split in SPLITS:
            share = value[f, split, "prevalence"]
            cells.append(count(int(value[f, split, "positive images"])))
            cells.append(UNDEFINED if np.isnan(share) else f"{100 * share:.2f}")
        lines.append(cells)
    return _table(header, lines)


def effects_table(rows: list[Statistic]) -> str:
    """Effect sizes with their intervals."""
    header = ["Finding", "Against", "Measure", "Value", "95 % interval", "Images"]
    lines = [
        [r.finding, r.of, r.measure, _number(r.value), _limits(r), count(r.images)] for r in rows
    ]
    return _table(header, lines, words=3)


def _notices(facts: SetFacts) -> list[str]:
    said = []
    if not facts.redistributable:
        said.append(
            "This data set may not be passed on. Keep this page on your machine: it must stay "
            "local, and so must everything in its folder."
        )
    if facts.fraction < 1:
        said.append(
            f"A part of the set: {facts.fraction:.1%} of the {count(facts.listed)} images "
            "that its tables list. Shares here are those of this part."
        )
    if facts.simulated:
        said.append("Simulated images: nothing here is about real patients.")
    return [f'<p class="notice">{_text(text)}</p>' for text in said]


def _overview(facts: SetFacts, manifest: pd.DataFrame) -> list[str]:
    by_split = manifest.groupby("split")["patient_id"]
    lines = [
        [split, count(int(by_split.size().get(split, 0))),
         count(int(by_split.nunique().get(split, 0)))]
        for split in SPLITS
    ]  # fmt: skip
    said = {
        "Labels": facts.label_version,
        "Split": facts.split_source,
        "Licence": facts.licence,
        "Citation": facts.citation,
    }
    terms = "".join(f"<tr><th>{k}</th><td>{_text(v)}</td></tr>" for k, v in said.items() if v)
    return [f"<table>{terms}</table>", "<p></p>", _table(["Split", "Images", "Patients"], lines)]


def _table(header: Sequence[str], lines: Iterable[Sequence[str]], words: int = 1) -> str:
    """Rows of text; after the first ``words`` columns come numbers."""

    def row(cells: Sequence[str], tag: str) -> str:
        marked = (
            f"<{tag}{' class=n' if k >= words else ''}>{_text(cell)}</{tag}>"
            for k, cell in enumerate(cells)
        )
        return f"<tr>{''.join(marked)}</tr>"

    body = "\n".join(row(line, "td") for line in lines)
    return f'<div class="wide"><table>\n{row(header, "th")}\n{body}\n</table></div>'


def _number(value: float) -> str:
    return UNDEFINED if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _limits(row: Statistic) -> str:
    return UNDEFINED if np.isnan(row.low) else f"{_number(row.low)} to {_number(row.high)}"


def _text(value: object) -> str:
    """A value from data as HTML text or attribute: escaped, printable, one line."""
    return escape(one_line(value))

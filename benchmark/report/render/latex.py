"""Tables as LaTeX, to be read by any engine: they need the package ``booktabs``."""

from __future__ import annotations

from benchmark.report.blocks.content import Break, Code, Emphasis, Figures, Link, Open, Strong
from benchmark.report.blocks.tables import DataTable
from benchmark.report.blocks.text import one_line
from benchmark.report.blocks.values import Value, as_text, shown

SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\symbol{34}",
    "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "-": "-{}", "[": "{[}", "]": "{]}",
    "\N{NO-BREAK SPACE}": "~", "\N{REPLACEMENT CHARACTER}": "?",
    "±": r"$\pm$", "−": r"$-$", "–": r"\textendash{}", "…": r"\ldots{}", "×": r"$\times$",
    "≥": r"$\geq$", "≤": r"$\leq$", "§": r"\S{}", "¶": r"\P{}", "†": r"\dag{}", "‡": r"\ddag{}",
    "◊": r"$\diamond$", "↗": r"$\nearrow$", "↘": r"$\searrow$",
}  # fmt: skip
_ESCAPES = str.maketrans(SIGNS)


def escape(text: str) -> str:
    """Text that LaTeX shows exactly.

    Letters beyond ASCII stay: where a name holds one that pdfLaTeX does not know, use LuaLaTeX.
    """
    return text.translate(_ESCAPES)


def inline(value: Value) -> str:
    """One line."""
    match shown(value):
        case str(text):
            return escape(one_line(text, within=True))
        case tuple(pieces):
            return "".join(map(inline, pieces))
        case Figures(text):
            return escape(text)
        case Code(text) | Open(text):
            return rf"\texttt{{{escape(one_line(text))}}}"
        case Strong(content):
            return rf"\textbf{{{inline(content)}}}"
        case Emphasis(content):
            return rf"\emph{{{inline(content)}}}"
        case Link(_, content):
            return inline(content)
        case Break():
            return " "


def table(each: DataTable) -> str:
    """A ``table`` with its caption above and its notes below."""
    caption = [rf"\caption{{{inline(each.title)}}}"] if as_text(each.title) else []
    lines = [
        r"\begin{table}",
        r"\centering",
        *caption,
        rf"\begin{{tabular}}{{{''.join(column.align for column in each.columns)}}}",
        r"\toprule",
        _row([inline(column.heading) for column in each.columns]),
        r"\midrule",
        *(_row(list(map(inline, row))) for row in each.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par {inline(note)}" for note in each.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"

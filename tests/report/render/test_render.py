"""Tables and blocks in Markdown, HTML, CSV and LaTeX: the same facts, and names that stay names."""

from __future__ import annotations

import csv as csv_reader
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.records.spreadsheets import escaped, unescaped
from benchmark.report import columns
from benchmark.report.blocks.content import (
    BREAK,
    Code,
    Emphasis,
    Figures,
    Link,
    Open,
    Strong,
    joined,
    with_code,
)
from benchmark.report.blocks.tables import (
    Beside,
    Column,
    DataTable,
    Details,
    Facts,
    Filter,
    Heading,
    Notes,
    Page,
    Paragraph,
    Picture,
    text_column,
)
from benchmark.report.blocks.text import one_line, plain
from benchmark.report.blocks.values import (
    Cell,
    Measurement,
    amount,
    as_text,
    difference,
    limits,
    marked,
    mean_of,
    p_of,
    parts,
    seconds,
    shown,
)
from benchmark.report.html.names import file_name
from benchmark.report.render import csv, html, latex, markdown
from benchmark.report.sections import legend, notes
from tests.report.compiled_latex import assert_compiles, needs_latex

AUC = Measurement(0.92749, 0.0041, 0.902, 0.947)
HOSTILE = [
    "<script>alert('1')</script>",
    '"onmouseover="x" & \'y\'',
    "a|b\\|c",
    "two\nlines\r\n| 1 | 2 |\n# heading",
    "[l](javascript:x) ![i](y) *b* `c` __d__",
    r"\input{/etc/passwd} $x$ 100% #1 {y} a_b ~ ^ --- ``q''",
    "=1+1\u202eend",
    " edges ",
]


def one_row(*values) -> DataTable:
    columns = [Column(f"c{k}", f"C{k}", lambda row, k=k: row[k]) for k in range(len(values))]
    return DataTable.of(columns, [values])


def of_names(names: list[str]) -> DataTable:
    """Names in every place of a table."""
    columns = [text_column(f"H {names[0]}", lambda row: row[0], names[0])]
    columns += [Column("n", "N", lambda row: row[1])]
    rows = [(name, k) for k, name in enumerate(names)]
    return DataTable.of(columns, rows, title=names[0], notes=tuple(names))


class Text(HTMLParser):
    """Tags with their attributes, and the text of each cell."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.cells: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")
        self.inside = tag in ("td", "th") or self.inside

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


# Hostile names


def test_in_markdown_names_break_no_table():
    lines = markdown.table(of_names(HOSTILE)).split("\n")
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(HOSTILE)
    for row in rows:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3, row
    for name, row in zip(HOSTILE, rows[2:], strict=True):
        assert row.startswith(f"| {plain(name)} |")
    assert not [line for line in lines if re.match(r"\s*(#|<)", line)]


def test_in_html_names_are_text():
    found = Text(html.blocks([of_names(HOSTILE)]))
    assert {tag for tag, _ in found.tags} == {
        "div", "table", "thead", "tbody", "tr", "th", "td", "p",
    }  # fmt: skip
    allowed = {"class", "role", "tabindex", "aria-label", "scope", "data-sort"}
    assert {key for _, attrs in found.tags for key in attrs} == allowed
    names = [cell.strip() for cell in found.cells[2::2]]
    assert names == [one_line(name) for name in HOSTILE]


@example([{}, {"a": None}])
@given(
    st.lists(
        st.dictionaries(st.text('ab,"\n', min_size=1), st.none() | st.text("x,\n") | st.floats())
    )
)
def test_csv_lines_are_those_of_the_standard_library(records):
    columns = [*dict.fromkeys(column for record in records for column in record)]
    whole = io.StringIO()
    writer = csv_reader.DictWriter(whole, columns, lineterminator="\n")
    for line in ({column: column for column in columns}, *records):
        writer.writerow({column: escaped(value) for column, value in line.items()})
    assert csv.lines(records) == whole.getvalue()


def test_in_csv_names_come_back_without_what_acts():
    read = list(csv_reader.reader(io.StringIO(csv.table(of_names(HOSTILE)), newline="")))
    shown = [name.replace("\r", "\ufffd").replace("\u202e", "\ufffd") for name in HOSTILE]
    assert [unescaped(row[0]) for row in read] == [HOSTILE[0], *shown]
    assert not [row[0] for row in read if row[0].startswith(("=", "+", "-", "@"))]
    assert {len(row) for row in read} == {2}


def test_in_latex_names_are_text():
    lines = latex.table(of_names(HOSTILE)).splitlines()
    start, end = lines.index(r"\midrule") + 1, lines.index(r"\bottomrule")
    assert end - start == len(HOSTILE)
    for name, row in zip(HOSTILE, lines[start:end], strict=True):
        assert row.endswith(r" \\")
        assert from_latex(row.removesuffix(r" \\").rsplit(" & ", 1)[0]).strip() == one_line(
            name
        ).replace("\ufffd", "?")
        assert len(re.findall(r"(?<!\\)&", row)) == 1


def test_latex_knows_every_sign_of_the_tables():
    texts = [text for module in (columns, legend, notes) for text in vars(module).values()]
    signs = {sign for text in texts if isinstance(text, str) for sign in text}
    assert "↘" in signs
    assert {sign for sign in signs if not sign.isascii()} <= latex.SIGNS.keys()


def from_latex(text: str) -> str:
    """What LaTeX would show of text that was escaped."""
    known = {value: key for key, value in latex.SIGNS.items() if value != "?"}
    pattern = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    bare = re.sub(pattern, "", text)
    assert not set("\\{}$&#%_^~") & set(bare), bare
    return re.sub(pattern, lambda match: known[match[0]], text)


@needs_latex
def test_latex_compiles(tmp_path):
    names = [name.replace("\u202e", "") for name in HOSTILE]
    rows = latex.table(one_row(AUC, None, Code("x_y"), Strong("b"), "§ † ‡ ¶ ◊ … × – −"))
    (tmp_path / "tables.tex").write_text(latex.table(of_names(names)) + rows)
    assert_compiles(tmp_path / "tables.tex")


@given(st.text())
def test_a_name_comes_out_as_it_went_in(name):
    shown_text = Text(html.blocks([one_row(name)])).cells[-1]
    assert shown_text.strip() == one_line(name)
    assert from_latex(latex.inline(name)).strip() == one_line(name).replace("\ufffd", "?")


@given(st.text(alphabet="<>&\"'`*[]()\\|#: abc/{}%", max_size=30))
def test_no_name_can_open_a_tag(name):
    pieces = (name, Code(name), Strong(name), Emphasis(name), Link("#x", name), Open(name))
    blocks = [
        Heading(2, pieces, "x"), Paragraph(pieces), Facts(((name, pieces),)),
        Facts(((name, name),), as_table=True), Notes((pieces,)), Picture("p", name, name),
        Details(name, (one_row(name),)),
    ]  # fmt: skip
    tags = {tag for tag, _ in Text(html.page(Page(name, blocks))).tags}
    assert tags <= {
        "html", "head", "meta", "title", "link", "script", "body", "a", "main", "h2", "code",
        "strong", "em", "span", "p", "ul", "li", "div", "table", "tbody", "thead", "tr", "th",
        "td", "figure", "picture", "source", "img", "figcaption", "details", "summary",
    }  # fmt: skip


# Pieces and blocks

LINE = ("a_b ", Code("x|y"), " ", Strong("bold"), " ", Emphasis(("sl", "anted")), BREAK,
        Link("rows/1.html", "cnn"), Figures(" [0.1, 0.2]"), Open(" left"))  # fmt: skip


def test_a_line_in_each_output():
    assert markdown.inline(LINE) == (
        r"a_b `x\|y` **bold** *slanted*<br>[cnn](rows/1.html) [0.1, 0.2]left"
    )
    assert html.inline(LINE) == (
        "a_b <code>x|y</code> <strong>bold</strong> <em>slanted</em><br>"
        '<a href="rows/1.html">cnn</a> [0.1, 0.2]<span class="open">left</span>'
    )
    assert latex.inline(LINE) == (
        r"a\_b \texttt{x\textbar{}y} \textbf{bold} \emph{slanted} cnn {[}0.1, 0.2{]}\texttt{left}"
    )
    assert as_text(LINE) == "a_b x|y bold slanted cnn [0.1, 0.2] left"


def test_code_may_hold_its_own_marks():
    assert markdown.inline(Code("a`b")) == "`` a`b ``"


def test_lines_are_joined_without_a_loose_end():
    assert as_text(joined(", ", ["a", Strong("b")])) == "a, b"
    assert joined(", ", []) == ()


BLOCKS = [
    Heading(2, ("A ", Emphasis("title")), "here"),
    Heading(3, "Known limits"),
    Paragraph("Words."),
    Paragraph("Mind this.", notice=True),
    Facts((("Name", "said"),)),
    Notes(("one", "two")),
    Details("Signs", (Paragraph("inside"),), folded=False, css="legend"),
    Details("More", (Paragraph("folded"),)),
    Filter(),
]


def test_blocks_in_markdown():
    assert markdown.document(BLOCKS) == (
        '<a id="here"></a>\n\n## A *title*\n\n### Known limits\n\nWords.\n\nMind this.\n\n'
        "- **Name**: said\n\n- one\n- two\n\ninside\n\n"
        "<details><summary>More</summary>\n\nfolded\n\n</details>\n"
    )


def test_blocks_in_html():
    written = html.blocks([*BLOCKS, Heading(4, "Known limits")])
    assert '<h2 id="here">A <em>title</em></h2>' in written
    assert '<h3 id="known-limits">Known limits</h3>' in written
    assert "<h4>Known limits</h4>" in written, "a name leads to one place"
    assert '<p class="notice">Mind this.</p>' in written
    assert "<ul>\n<li><strong>Name</strong>: said</li>\n</ul>" in written
    assert '<details class="legend" open>\n<summary>Signs</summary>\n<p>inside</p>' in written
    assert "<details>\n<summary>More</summary>" in written
    assert written.count("<form") == 1


def test_pictures_are_described_and_stand_beside_each_other():
    written = html.blocks([Beside((Picture("f/roc", "alt <", "caption"),) * 2)])
    assert written.count('<img src="f/roc.svg" alt="alt &lt;">') == 2
    assert written.startswith('<div class="figures">')
    assert "![alt &lt;](f/roc.png)" in markdown.document([Picture("f/roc", "alt <", "caption")])


def test_a_table_with_notes_in_each_output():
    table = DataTable.of(
        [text_column("Model", lambda e: e[0], "model"), Column("auc", "AUC", lambda e: e[1])],
        [("a|b", AUC), ("", None)],
        title="Scores",
        notes=("n = 2",),
    )
    assert markdown.table(table).split("\n") == [
        "| Model | AUC |", "| :-- | --: |",
        "| a\\|b | 0.927\xa0±\xa00.004<br>[0.902,\xa00.947] |", "|  | – |", "", "n = 2",
    ]  # fmt: skip
    written = html.blocks([table])
    assert '<table class="sortable">' in written
    assert 'aria-label="Scores"' in written
    assert '<td class="n" data-sort="0.92749">0.927\xa0±\xa00.004<br>[0.902,\xa00.947]</td>' in (
        written
    )
    assert '<tr><th scope="row"></th><td class="n">–</td></tr>' in written
    assert "<p>n = 2</p>" in written
    assert csv.table(table) == (
        "model,auc,auc_seed_sd,auc_low,auc_high\na|b,0.92749,0.0041,0.902,0.947\n,,,,\n"
    )
    assert latex.table(table) == "\n".join([
        r"\begin{table}", r"\centering", r"\caption{Scores}", r"\begin{tabular}{lr}", r"\toprule",
        r"Model & AUC \\", r"\midrule",
        r"a\textbar{}b & 0.927~$\pm$~0.004 {[}0.902,~0.947{]} \\",
        r" & \textendash{} \\", r"\bottomrule", r"\end{tabular}", r"\par n = 2", r"\end{table}", "",
    ])  # fmt: skip


def test_rows_are_headed_by_what_names_them_and_long_words_get_room():
    columns = [
        text_column("Place", lambda e: e[0]),
        text_column("Model", lambda e: e[1], names_row=True),
        text_column("Trained", lambda e: e[2]),
    ]
    rows = [("a", "cnn", "scratch"), ("b", "mlp", "scratch, augmented: strong, recipe reference")]
    written = html.blocks([DataTable.of(columns, rows)])
    assert '<td>a</td><th scope="row">cnn</th><td>scratch</td>' in written
    assert '<th scope="col" class="names">Model</th>' in written
    assert '<th scope="col" class="words">Trained</th>' in written
    assert '<th scope="col">Trained</th>' in html.blocks([DataTable.of(columns, rows[:1])])


def test_rows_with_an_order_of_their_own_are_not_sorted():
    rows = [("a",), ("b",)]
    columns = [text_column("Sign", lambda row: row[0])]
    assert "sortable" not in html.blocks([DataTable.of(columns, rows, sortable=False)])
    assert "sortable" not in html.blocks([DataTable.of(columns, rows[:1])])
    assert "wrapping" in html.blocks([DataTable.of(columns, rows, sortable=False, wrapping=True)])


# Kinds of values


@pytest.mark.parametrize(
    ("value", "text", "key"),
    [
        (AUC, "0.927\xa0±\xa00.004 [0.902,\xa00.947]", 0.92749),
        (Measurement(None), "–", None),
        (mean_of(AUC), "0.927", 0.92749),
        (difference(Measurement(0.0124)), "+0.012", 0.0124),
        (difference(Measurement(-0.1, None, -0.2, 0.1)), "−0.100 [−0.200,\xa00.100]", -0.1),
        (limits(0.1, 0.2), "[0.100,\xa00.200]", 0.1),
        (limits(None, None), "–", None),
        (p_of(0.0004), "< 0.001", 0.0004),
        (seconds(192.0), "3 min 12 s", 192.0),
        (seconds(None), "–", None),
        (Cell("1 fixed", 1), "1 fixed", 1),
        (marked(AUC, " §"), "0.927\xa0±\xa00.004 [0.902,\xa00.947] §", 0.92749),
        (23589761, "23,589,761", 23589761),
        (-0.003, "−0.003", -0.003),
        ("2 of 3", "2 of 3", None),
        (None, "–", None),
        ("", "", None),
    ],
)
def test_how_values_read_and_by_what_they_are_sorted(value, text, key):
    assert as_text(value) == text
    assert amount(value) == key


def test_files_hold_the_whole_of_a_value():
    whole = {"x": 0.92749, "x_seed_sd": 0.0041, "x_low": 0.902, "x_high": 0.947}
    assert parts(AUC, "x") == parts(mean_of(AUC), "x") == parts(marked(AUC, " §"), "x") == whole
    assert parts(seconds(1.5), "x") == {"x": 1.5}
    assert parts(limits(0.1, 0.2), "x") == {"x_low": 0.1, "x_high": 0.2}
    assert parts(None, "x") == {"x": None}
    assert parts((Link("#a", "b"), " c"), "x") == {"x": "b c"}


def test_a_value_is_shown_as_digits_or_as_text():
    assert shown(0.5) == Figures("0.500")
    assert shown(5) == "5"


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a.b", "ä", "x" * 65, "<b>"])
def test_odd_names_become_file_names(name):
    assert file_name(name).isalnum()
    assert file_name("pneumonia-64_px") == "pneumonia-64_px"


def test_what_a_suite_file_has_between_backticks_is_code():
    assert with_code("all of `a` and `b_c`.") == ("all of ", Code("a"), " and ", Code("b_c"), ".")
    for plain_text in ("no code", "one ` alone"):
        assert with_code(plain_text) == (plain_text,)

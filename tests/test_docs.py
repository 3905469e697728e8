"""What the pages say exists: files that they link to, commands and options that they show."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from benchmark.cli import main
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import find

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tfds_builders/*/README.md")]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
COMMAND = re.compile(r"^cxr-bench [^\n#]+", re.MULTILINE)


def shown() -> set[str]:
    """Every command that stands on a line of its own."""
    return {found.strip() for page in PAGES for found in COMMAND.findall(page.read_text())}


INTERVAL = re.compile(r"(-?\d\.\d{3}) \[(-?\d\.\d{3}), (-?\d\.\d{3})\]")


def measured(text: str) -> set[tuple[str, ...]]:
    """Every number that has an interval behind it, with its ends."""
    for sign, plain in (("<br>", " "), ("\\", ""), ("\N{MINUS SIGN}", "-"), ("+", "")):
        text = text.replace(sign, plain)
    text = re.sub(r" ± [\d.]+", "", re.sub(r"\s+", " ", text))
    return set(INTERVAL.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_there_are_commands_to_look_at():
    assert len(shown()) > 30


@pytest.mark.parametrize("line", sorted(shown()))
def test_commands_and_their_options_exist(line):
    command = main
    context = click.Context(main)
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        name = words.pop(0)
        assert name in command.list_commands(context)
        command = command.get_command(context, name)
    known = {option for parameter in command.params for option in parameter.opts}
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= known


def test_tables_are_those_of_the_code():
    folder = ROOT / "docs"
    texts = runpy.run_path(str(folder / "tables.py"))["texts"]()
    held = {name: (folder / name).read_text() for name in texts}
    assert "../README.md" in held
    assert held == texts, "run: python docs/tables.py"


def test_the_readme_shows_pictures_of_the_results(tmp_path):
    made = runpy.run_path(str(ROOT / "docs" / "tables.py"))
    shown = set(re.findall(r'(?:src|srcset)="([^"]+)"', (ROOT / "README.md").read_text()))
    for picture in made["pictures"]():
        picture.write(tmp_path, ["svg"])
    files = {f"docs/img/{file.name}": file for file in tmp_path.iterdir()}
    assert shown == set(files)
    assert {str(file.relative_to(ROOT)) for file in made["PICTURES"].iterdir()} == set(files)
    for path, file in files.items():
        assert (ROOT / path).read_bytes() == file.read_bytes(), "run: python docs/tables.py"


def test_the_readme_is_short_and_begins_with_what_it_is():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    before = text[: text.index("<picture>")]
    assert len(re.findall(r"[.?](?=\s)", before)) == 3


def test_the_index_leads_to_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= set(LINK.findall(index))


def test_what_is_said_with_an_interval_stands_in_the_results():
    sources = [ROOT / "results" / "LEADERBOARD.md", *ROOT.glob("benchmarks/*.md")]
    known = set().union(*(measured(path.read_text()) for path in sources))
    pages = [*PAGES, ROOT / "results" / "README.md"]
    said = {page.name: measured(page.read_text()) - known for page in pages}
    assert len(known) > 100
    assert not {name: stale for name, stale in said.items() if stale}


def test_schemas_are_those_of_the_types():
    folder = ROOT / "docs" / "schemas"
    texts = runpy.run_path(str(folder / "make.py"))["texts"]()
    assert {name: (folder / name).read_text() for name in texts} == texts
    assert {path.name for path in folder.glob("*.json")} == set(texts)


def test_names_of_rows_on_the_page_about_them_mean_one():
    text = (ROOT / "docs" / "results.md").read_text()
    named = re.findall(r"`\"?([a-z0-9_ ]+@[a-z_]+/[a-z_]+)\"?`", text)
    assert len(named) == 2
    for name in named:
        assert len({row.config_id for row in find(Results(ROOT / "results"), name).rows}) == 1

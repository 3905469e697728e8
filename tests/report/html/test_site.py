"""The site as files: what it says, and that nothing in it leads or breaks out of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import UserError
from benchmark.records.predictions import read_predictions
from benchmark.records.run_facts import ExternalFacts
from benchmark.records.store import Results
from benchmark.report.comparing.lookup import find
from benchmark.report.drawing import grounds
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.html import drawing, row_figures
from benchmark.report.html import site as site_module
from benchmark.report.html.checklist import AUTHOR, MISSING, SHEET
from benchmark.report.html.checklist_runs import performance, selection
from benchmark.report.html.site import write_site
from benchmark.report.html.suite_page import suite_rows
from benchmark.training import recipes
from tests.command_line import cxr_bench
from tests.folders import contents
from tests.records.rows import an_environment
from tests.records.written import write_predictions
from tests.report.made_rows import protocol

ODD = 100 * "a"
HOSTILE = """<script>alert("1")</script> "onmouseover='x' & | *b* [l](https://example.org) `c`"""

pytestmark = pytest.mark.xdist_group("site")  # the session's site is made once


class Page(HTMLParser):
    """Tags, links, ids and tables (rows of cell texts) of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.text = path, ""
        self.tags: list[tuple[str, dict]] = []
        self.tables: list[list[list[str]]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "br" and self.tables and self.tables[-1]:
            self.tables[-1][-1][-1] += "<br>"

    def handle_data(self, data):
        self.text += data
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data

    def targets(self) -> list[str]:
        keys = ("href", "src", "srcset")
        return [attrs[key] for _, attrs in self.tags for key in keys if key in attrs]

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]


def pages(folder: Path) -> list[Page]:
    return [Page(path) for path in sorted(folder.rglob("*.html"))]


@pytest.fixture
def undrawn(monkeypatch):
    """Pages are written and figures are not, but for ROC curves: drawing takes most of the time."""
    draw = grounds.save_both

    def only_roc(make, path, *forms):
        if path.name == "roc":
            draw(make, path, *forms)

    monkeypatch.setattr(row_figures, "save_both", only_roc)
    monkeypatch.setattr(grounds, "save_both", only_roc)


def page_of(site, model: str) -> Page:
    folder, results = site
    ids = {row.config_id for row in results.rows() if row.spec.model == model}
    return Page(folder / "rows" / f"{ids.pop()}.html")


def seeds(page: Page) -> str:
    return dict(page.tables[0])["Seeds"].strip()


def test_index_has_the_tables_of_the_markdown_leaderboard(site):
    folder, results = site
    markdown = write(results).read_text()
    rows = [
        line
        for line in markdown.splitlines()
        if re.match(r"\| (\(\w\)|–|1 of 3 seeds, not ranked yet) \|.* A \|$", line)
    ]
    index = Page(folder / "index.html")
    tables = [table for table in index.tables if table[0][:2] == ["Letters", "Model"]]
    ranked = [row for table in tables for row in table[1:]]
    assert len(ranked) == len(rows) == 4
    plain = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert [row[5:8] for row in ranked] == [row[5:8] for row in plain]
    assert [row[0] for row in ranked] == [row[0] for row in plain]
    assert "those who share a letter were not" in index.text
    assert "not reproduced here" in index.text


def test_every_link_leads_somewhere(site):
    everything = {page.path.resolve(): page for page in pages(site[0])}
    assert len(everything) == 1 + 4 + 2 * 2
    for page in everything.values():
        assert len(set(page.ids())) == len(page.ids())
        for target in page.targets():
            path, _, anchor = target.partition("#")
            found = (page.path.parent / path).resolve() if path else page.path.resolve()
            assert found.is_file(), f"{page.path}: {target}"
            assert not anchor or anchor in everything[found].ids(), f"{page.path}: {target}"


def test_nothing_asks_another_host(site):
    for page in pages(site[0]):
        assert not [target for target in page.targets() if ":" in target or "//" in target]
        policy = next(a["content"] for t, a in page.tags if "http-equiv" in a)
        assert policy.startswith("default-src 'none'")
        assert "http" not in policy
    script = (site[0] / "script.js").read_text() + (site[0] / "style.css").read_text()
    assert not re.search(r"https?:|fetch|XMLHttp|import ", script)


def test_names_from_data_stay_text(site):
    allowed = {"href", "src", "srcset", "alt", "class", "id", "media", "lang", "name", "content",
               "charset", "http-equiv", "rel", "defer", "tabindex", "role", "aria-label", "scope",
               "data-sort", "aria-live", "for", "type", "hidden", "autocomplete",
               "placeholder", "open", "list", "data-about"}  # fmt: skip
    for page in pages(site[0]):
        scripts = [attrs for tag, attrs in page.tags if tag == "script"]
        assert [list(attrs) for attrs in scripts] == [["defer", "src"]]
        assert {key for _, attrs in page.tags for key in attrs} <= allowed
    index = Page(site[0] / "index.html")
    assert index.text.count('<script>alert("1")</script>') > 5
    assert "[l](https://example.org)" in index.text


@pytest.mark.usefixtures("undrawn")
def test_every_figure_has_a_text_and_files_for_papers(site):
    drawn = 0
    for page in pages(site[0]):
        for tag, attrs in page.tags:
            if tag == "img":
                drawn += 1
                assert len(attrs["alt"]) > 20
                figure = page.path.parent / attrs["src"].removesuffix(".svg")
                for end in (".svg", "-dark.svg", ".png"):
                    assert figure.with_name(figure.name + end).is_file()
    assert drawn > 4 * 4


def test_equal_results_give_equal_bytes(site, tmp_path):
    folder, results = site
    write_site(results, tmp_path, suites=[ODD])
    first, again = contents(folder), contents(tmp_path)
    links_differ = {"index.html", "suites/toy.html"}  # fewer rows have a page
    assert len(again) > 30
    for name in again.keys() - links_differ:
        assert again[name] == first[name], name


def test_figures_are_kept_until_something_changes(site, tmp_path, monkeypatch):
    folder, results = site
    out = shutil.copytree(folder, tmp_path / "site")
    monkeypatch.setattr(row_figures, "read_test_runs", lambda *_: pytest.fail("drawn again"))
    write_site(results, out)
    assert contents(out) == contents(folder)


@pytest.mark.usefixtures("undrawn")
def test_changed_predictions_are_drawn_anew(results, add, tmp_path):
    row = add("cnn")
    write_site(results, tmp_path)
    figure = next(tmp_path.glob("figures/rows/*/roc.svg"))
    before = figure.read_bytes()
    path = results.predictions_path(row.spec_id)
    predictions = read_predictions(path, "binary")
    predictions.logits[-40:] = 0
    write_predictions(path, predictions)
    write_site(results, tmp_path)
    assert figure.read_bytes() != before
    assert "Predictions changed after the run" in next(tmp_path.glob("rows/*.html")).read_text()


@pytest.mark.usefixtures("undrawn")
def test_what_is_cut_off_leaves_no_page_with_dead_links(results, add, tmp_path, monkeypatch):
    add("cnn")
    add("mlp")
    write, written = site_module._write_row, []

    def cut_off(*of_row):
        if written:
            raise KeyboardInterrupt
        written.append(write(*of_row))

    monkeypatch.setattr(site_module, "_write_row", cut_off)
    with pytest.raises(KeyboardInterrupt):
        write_site(results, tmp_path)
    assert len(list(tmp_path.glob("rows/*.html"))) == 1
    assert not (tmp_path / "index.html").exists()


def test_several_processes_draw_the_same(results, add, tmp_path, monkeypatch):
    for model in ("cnn", "mlp"):
        add(model)
    write_site(results, tmp_path / "one")
    monkeypatch.setattr(drawing, "FEW", 1)
    monkeypatch.setattr(drawing, "usable_cores", lambda: 2)
    told = []
    write_site(results, tmp_path / "two", progress=lambda *n: told.append(n))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.usefixtures("undrawn")
def test_a_published_site_is_whole_and_names_no_place_of_this_machine(results, add, tmp_path):
    add("cnn")
    eda = results.folder / "local" / "eda" / "toy-official"
    eda.mkdir(parents=True)
    (eda / "index.html").write_text("names patients")
    folder = tmp_path / "public"
    told = cxr_bench("report", "--results", results.folder, "--publish", folder)
    assert told.exit_code == 0, told.output
    assert (folder / ".nojekyll").is_file()
    assert not [page for page in pages(folder) if "toy-official" in page.text]
    assert str(tmp_path).encode() not in b"".join(contents(folder).values())
    private = ["--publish", folder, "--private-images", "--gradcam"]
    assert (
        "for everyone to see" in cxr_bench("report", "--results", results.folder, *private).output
    )
    alone = cxr_bench("report", "--results", results.folder, "--private-images")
    assert (alone.exit_code, "goes with --gradcam" in alone.output) == (2, True)
    cxr_bench("report", "--results", results.folder)
    index = Page(results.folder / "report" / "index.html")
    assert "../local/eda/toy-official/index.html" in index.targets()


@pytest.mark.usefixtures("undrawn")
def test_only_the_pages_asked_for_are_written_and_linked(results, add, add_seeds, tmp_path):
    rows = add_seeds("cnn")
    other = add("mlp", suite="another")
    write_site(results, tmp_path, rows=[rows[1].spec_id])
    assert [path.stem for path in tmp_path.glob("rows/*")] == [rows[0].config_id]
    assert f"rows/{other.config_id}" not in (tmp_path / "index.html").read_text()
    write_site(results, tmp_path, suites=["another"])
    assert len(list(tmp_path.glob("rows/*"))) == 2
    index = Page(tmp_path / "index.html")
    assert len({target for target in index.targets() if target.startswith("rows/")}) == 2
    write_site(results, tmp_path / "named", rows=["cnn@toy", other.spec_id[:8]])
    assert len(list(tmp_path.glob("named/rows/*"))) == 2


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "other",
    [
        {"shared": protocol(rendition="resized to 64 px")},
        {"watermarks": ["made with fewer images"]},
    ],
    ids=["protocol", "watermarks"],
)
def test_each_table_that_an_id_stands_in_has_a_page_of_it(results, add, tmp_path, other):
    """What is asked for, the spec, is the same; what was measured is not."""
    asked = {"manifest_sha256": "1" * 64}
    here = add("cnn", 0, strength=1.0, spec=asked)
    there = add("cnn", 1, strength=4.0, spec=asked, **other)
    assert here.config_id == there.config_id
    write_site(results, tmp_path)
    found = [Page(path) for path in sorted(tmp_path.glob("rows/*.html"))]
    assert {seeds(page) for page in found} == {"0 (1 run)", "1 (1 run)"}
    linked = {f"rows/{page.path.name}" for page in found}
    for name, up in (("index", ""), ("suites/toy", "../")):
        assert {up + each for each in linked} <= {*Page(tmp_path / f"{name}.html").targets()}
    for page in found:
        (own,) = {t.rpartition("/")[0] for t in page.targets() if "/figures/rows/" in t}
        assert own == f"../figures/rows/{page.path.stem}"
    write_site(results, tmp_path / "one", rows=[there.spec_id])
    (only,) = tmp_path.glob("one/rows/*.html")
    assert seeds(Page(only)) == "1 (1 run)"
    configuration = find(results, there.spec_id).configuration(results)
    assert only.stem == configuration.key != here.config_id


@pytest.mark.usefixtures("undrawn")
def test_a_page_is_called_by_its_id_where_one_table_has_it(results, add, add_seeds, tmp_path):
    rows = add_seeds("cnn")
    add("cnn", 3, watermarks=["made with fewer images"], failed="it broke")
    write_site(results, tmp_path)
    assert [path.stem for path in tmp_path.glob("rows/*")] == [rows[0].config_id]


@pytest.mark.usefixtures("undrawn")
def test_a_page_that_there_cannot_be_is_refused_also_beside_others(results, add, tmp_path):
    row = add("cnn")
    failed = add("mlp", failed="it broke")
    for asked, said in (
        ({"suites": ["toy", "toi"]}, "'toi'. Did you mean 'toy'"),
        ({"rows": [row.spec_id, "zzz"]}, "called 'zzz'"),
        ({"rows": [row.spec_id, failed.spec_id]}, "mlp.*has no page: only finished rows"),
    ):
        with pytest.raises(UserError, match=said):
            write_site(results, tmp_path, **asked)


def test_the_page_of_a_row_says_what_it_is_about_and_the_first_facts_first(site):
    page = page_of(site, "resnet50")
    assert "resnet50, 224 px on toy/official" in page.text
    facts = {fact: said.strip() for fact, said in page.tables[0]}
    assert re.match(r"0\.\d{3} ± 0\.\d{3}", facts["AUC on test"].replace("\xa0", " "))
    assert facts["Seeds"] == "0, 1, 2 (3 runs)"
    assert "from random weights" in facts["Trained"]
    hidden = page.path.read_text().split("<details")[1:]
    assert any("memory_fallback" in part or "batch_size" in part for part in hidden)


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_row_says_where_patients_are_few(results, add_seeds, tmp_path):
    add_seeds("cnn", strength=9.0)  # some 30 patients with a positive image
    add_seeds("mlp", strength=1.0)
    write_site(results, tmp_path)
    said = [dict(page.tables[0])["AUC on test"] for page in pages(tmp_path / "rows")]
    assert sorted("may be too short" in each for each in said) == [False, True]


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_suite_leads_to_what_its_signs_mean(results, add_seeds, tmp_path):
    add_seeds("cnn", suite="toy_suite")
    write_site(results, tmp_path)
    assert "../index.html#how-to-read-it" in Page(tmp_path / "suites" / "toy_suite.html").targets()
    assert "how-to-read-it" in Page(tmp_path / "index.html").ids()


def test_a_page_says_what_is_not_recorded(site):
    cnn, resnet = page_of(site, "cnn"), page_of(site, "resnet50")
    assert "Not recorded for every epoch: AUC on the training images, loss on validation." in (
        cnn.text
    )
    assert "No training by epochs is recorded" in resnet.text
    assert "does not tell sex, age or view" in cnn.text
    assert "No heat maps were made." in cnn.text


def test_what_sees_no_image_has_no_sections_of_what_there_is_not(site):
    constant = page_of(site, "constant")
    assert "Scores" in constant.text
    assert "0 (1 run)" in constant.text
    for nothing in ("Training\n", "Where the model looks", "Subgroups", "No curve"):
        assert nothing not in constant.text


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_row_names_those_of_its_family(results, add_seeds, tmp_path):
    rows = add_seeds("cnn", strength=3.0)
    add_seeds("mlp", strength=1.0)
    write_site(results, tmp_path, rows=[rows[0].spec_id])
    facts = dict(Page(next(tmp_path.glob("rows/*"))).tables[0])
    assert re.match(r"letters \w+ in a family with mlp \(\w+\); provisional", facts["Place"])


@pytest.mark.usefixtures("undrawn")
def test_findings_of_few_patients_are_marked_where_all_are_listed(
    results, add, make_protocol, tmp_path
):
    targets = np.zeros((190, 2))
    targets[::2, 0] = 1
    targets[150, 1] = 1  # one patient of the test images
    shared = make_protocol("toy/few", ("common", "rare"))
    add("cnn", shared=shared, kind="multilabel", people={"targets": targets})
    write_site(results, tmp_path)
    page = Page(next(tmp_path.glob("rows/*")))
    every = [table for table in page.tables if table[0][0] == "Finding"][-1]
    assert [line[0] for line in every[1:]] == ["common", "rare ‡"]
    assert "‡ Outside the means: rare: " in page.text
    assert "1 positive patient in test (10 needed)" in page.text


@pytest.mark.usefixtures("undrawn")
def test_a_row_made_by_another_tool_has_a_page_and_no_suite(results, add, tmp_path):
    names = ("preprocessing", "normalisation", "imbalance", "scheme", "weights", "augmentation")
    unknown = dict.fromkeys((*names, "precision"), "")
    nowhere = dict.fromkeys(("backend", "device", "threads", "cpu", "cores", "memory_gb"))
    add(
        "theirs",
        spec={"kind": "external", "recipe": {}, "resolution": 0, **unknown},
        suite="external",
        phases={},
        peak_memory_mb=None,
        code={},
        environment=an_environment(**nowhere),
        determinism="made elsewhere",
        external=ExternalFacts(file="theirs.csv", sha256="0" * 64, splits=["test"]),
    )
    write_site(results, tmp_path)
    (page,) = (Page(path) for path in tmp_path.glob("rows/*.html"))
    assert "File, of another tool" in page.text
    assert "Packages" not in page.text  # of who scored them, not of what made them
    assert "No training by epochs is recorded." in page.text
    assert not (tmp_path / "suites").exists()


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_suite_has_figures_of_its_own_rows_alone(results, add_seeds, tmp_path):
    for suite, models in (
        ("one", ("cnn", "mlp")),
        ("two", ("vgg16", "linear")),
        ("lone", ("vit",)),
    ):
        for model in models:
            add_seeds(model, suite=suite)
    write_site(results, tmp_path)
    told = {}
    for suite in ("one", "two", "lone"):
        page = Page(tmp_path / "suites" / f"{suite}.html")
        figures = [attrs for tag, attrs in page.tags if tag == "img"]
        assert all(f"/{suite}-" in figure["src"] for figure in figures)
        told[suite] = " ".join(figure["alt"] for figure in figures)
    assert "2 models" in told["one"]
    assert {"cnn", "mlp"} <= set(re.findall(r"\w+", told["one"]))
    assert not {"vgg16", "linear", "vit"} & set(re.findall(r"\w+", told["one"]))
    assert "models" not in told["lone"]  # one model: nothing to compare


@pytest.mark.usefixtures("undrawn")
def test_the_filter_reads_the_tables_of_all_that_was_measured(
    results, add_seeds, make_protocol, tmp_path
):
    for split in ("internal", "official"):
        shared = make_protocol(f"kermany_pneumonia/{split}")
        for preprocessing in ("raw", "equalise"):
            spec = {"preprocessing": preprocessing}
            add_seeds("cnn", shared=shared, spec=spec)
    index = write_site(results, tmp_path).read_text()
    searched = {}
    for section in re.split("<h2", index)[1:]:
        heading = re.search('id="([^"]*)"', section)[1]
        tables = re.findall("<table[^>]*>", section)
        searched[heading] = ["data-about" in table for table in tables]
    for heading in ("results", "what-each-choice-changes", "internal-against-published-split"):
        assert searched[heading]
        assert all(searched[heading])
    for heading in ("how-to-read-it", "published-numbers"):
        assert not any(searched[heading])


def test_subgroups_stand_in_a_table(site):
    suites = [page for page in pages(site[0]) if "Underdiagnosis rate" in page.text]
    assert len(suites) == 1
    table = next(t for t in suites[0].tables if t[0][0] == "Subgroup")
    assert [row[0].split(":")[0] for row in table[1:]] == ["sex", "sex", "view", "view"]
    assert sum(int(row[1]) for row in table[1:3]) == 60
    assert all(re.fullmatch(r"0\.\d{3}|1\.000|–", row[6]) for row in table[1:])


@pytest.mark.usefixtures("undrawn")
def test_cost_can_be_left_out(results, add, tmp_path):
    add("cnn")
    write_site(results, tmp_path, cost=False)
    for name in ("index.html", "leaderboard.json", "suites/toy.html"):
        assert "Training" not in Page(tmp_path / name).text.replace("Training pool", "")
        assert b"train_seconds" not in (tmp_path / name).read_bytes()


def test_checklist_tells_records_from_what_is_open(site):
    sheet = Page(site[0] / "suites" / "toy-checklist.html")
    answers = {row[0]: row[3].strip() for table in sheet.tables for row in table[1:]}
    assert len(answers) == sum(map(len, SHEET.values()))
    assert answers["Dates and places of collection"] == MISSING
    assert answers["Ethics approval and consent"] == AUTHOR
    assert "test 60 images of 30 patients" in answers["Sample size"]
    assert answers["Sample size"].endswith(f"{AUTHOR}: why this size")
    assert "1 of 8 runs did not finish" in answers["Failures"]
    assert answers["Subgroups and fairness"] == MISSING
    assert "10,000 bootstrap resamples" in answers["Uncertainty and comparisons"]


def test_the_checklist_says_what_validation_chose_of_the_suite_and_how_its_recipe_came_about(
    results, add, add_seeds
):
    named = {"recipe": {"name": "reference"}}
    add_seeds("cnn", strength=2.0, suite="reference", spec=named)
    add_seeds("mlp", strength=0.5, suite="reference", spec=named)
    add("linear", strength=6.0, suite="reference", spec=named)  # one seed, the best on test
    add_seeds("resnet50", strength=6.0, suite="other")
    suites = {suite.name: suite for suite in suite_rows(gather(results))}
    chosen, _ = performance(suites["reference"], results)
    assert chosen.startswith("toy/official, chosen by validation among 2 of this suite: cnn, AUC")
    assert recipes.find("reference").source in "".join(selection(suites["reference"], results))
    assert "unnamed recipe: how its values were chosen is not recorded" in [
        *selection(suites["other"], results)
    ]


def test_what_is_not_ranked_says_so_in_the_checklist(results, add):
    add("linear")
    (suite,) = suite_rows(gather(results))
    chosen, _ = performance(suite, results)
    assert "alone, not ranked (1 of the 3 seeds that a comparison needs): linear" in chosen


def test_writing_it_imports_no_framework(site, tmp_path):
    out = shutil.copytree(site[0], tmp_path / "site")  # with its figures: drawing takes time
    code = (
        "import sys; from pathlib import Path\n"
        "from benchmark.cli import main\n"
        "main(['report', '--results', sys.argv[1], '--out', sys.argv[2], '--suite', 'toy'],"
        " standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(site[1].folder), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_without_rows_makes_an_empty_leaderboard(tmp_path):
    page = write_site(Results(tmp_path / "none"), tmp_path / "site")
    assert "There are no rows yet" in Page(page).text
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_bytes())["tables"] == []

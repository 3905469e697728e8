"""The site in a real browser: Chromium, headless, without a network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("site")  # the session's site is made once

AXE = os.environ.get("CXR_BENCH_AXE", "")
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PAPER = {"width": 1031, "height": 702, "deviceScaleFactor": 1, "mobile": False}
PHONE = {"width": 390, "height": 740, "deviceScaleFactor": 1, "mobile": True}
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
           "--disable-background-networking", "--disable-component-update",
           "--host-resolver-rules=MAP * ~NOTFOUND")  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for option in OPTIONS:
        options.add_argument(option)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SE_OFFLINE", "true")  # never download a driver
        opened = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    yield opened
    opened.quit()


@pytest.fixture
def visit(browser, site):
    """Opens a page of the site; at the end nothing was complained of or asked of a host."""
    browser.get_log("browser")
    browser.get_log("performance")

    def go(page: str = "index.html"):
        path, sign, place = page.partition("#")
        browser.get("about:blank")  # or a place on the same page would not load it anew
        browser.get((site[0] / path).as_uri() + sign + place)
        return browser

    yield go
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if "requestWillBeSent" in m["method"]]
    asked = [url for url in asked if not url.startswith(site[0].as_uri())]
    assert asked == []


def find(browser, selector: str):
    return browser.find_elements("css selector", selector)


def ranking(browser, column: int) -> list[str]:
    """A column of the first ranking of several rows, as shown."""
    script = """
      const table = [...document.querySelectorAll("table.sortable")].find(
        (each) => each.tHead.textContent.startsWith("Letters"));
      return [...table.tBodies[0].rows].filter((row) => row.offsetParent)
        .map((row) => row.cells[arguments[0]].innerText.split("\\n")[0]);"""
    return browser.execute_script(script, column)


def head(browser, name: str):
    tables = find(browser, "table.sortable")
    ranked = next(t for t in tables if t.text.startswith("Letters"))
    heads = ranked.find_elements("css selector", "thead th")
    return next(th for th in heads if th.text.startswith(name))


def test_a_heading_sorts_up_down_and_back(visit):
    browser = visit()
    given = ranking(browser, 5)
    assert len(given) == 3
    auc = head(browser, "AUC")
    button = auc.find_element("tag name", "button")
    for order, way in ((sorted(given), "ascending"), (sorted(given)[::-1], "descending")):
        button.click()
        assert ranking(browser, 5) == order
        assert auc.get_attribute("aria-sort") == way
    button.click()
    assert ranking(browser, 5) == given
    assert auc.get_attribute("aria-sort") is None


def test_sorting_works_from_the_keyboard_and_puts_missing_numbers_last(visit):
    browser = visit()
    size = head(browser, "Size (px)").find_element("tag name", "button")
    size.send_keys("\n")
    assert ranking(browser, 2) == ["64", "224", "–"]
    size.send_keys(" ")
    assert ranking(browser, 2) == ["224", "64", "–"]
    model = head(browser, "Model").find_element("tag name", "button")
    model.send_keys("\n")
    assert ranking(browser, 1) == ["cnn ↗", "constant", "resnet50"]
    assert len(find(browser, "[aria-sort]")) == 1


def shown_rows(browser) -> list[str]:
    """The texts of all rows that are left, of whatever table."""
    script = """return [...document.querySelectorAll("main tbody > tr")]
      .filter((row) => row.offsetParent).map((row) => row.innerText)"""
    return browser.execute_script(script)


def test_the_first_result_is_on_the_first_screen(visit):
    browser = visit()
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESKTOP)
    script = "return document.querySelector('main table td').getBoundingClientRect().bottom"
    assert browser.execute_script(script) < 900


def test_a_way_of_training_in_a_cell_of_numbers_wraps_and_its_numbers_do_not(visit):
    browser = visit()
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESKTOP)
    script = """
      const cell = document.querySelector("main td.n br").parentElement;
      cell.lastChild.textContent = "scratch, augmented: strong, recipe reference ".repeat(9);
      const wide = cell.closest(".wide");
      return [wide.scrollWidth <= wide.clientWidth, cell.clientWidth < 900];"""
    assert browser.execute_script(script) == [True, True]


def test_the_filter_knows_data_set_model_and_size_and_leaves_nothing_else(visit):
    browser = visit("index.html#filter=cnn%20official")
    left = shown_rows(browser)
    assert left
    assert all("cnn" in row for row in left)
    visible = "return [...document.querySelectorAll(arguments[0])].filter((e) => e.offsetParent)"
    headings = [h.text for h in browser.execute_script(visible, "main h2, main h3")]
    assert headings
    assert all(h == "Results" or h.startswith("toy/official") for h in headings), headings
    assert browser.execute_script(visible, "main figure") == []
    field = find(browser, "input[type=search]")[0]
    field.send_keys("\ue009a\ue017")  # control and a, then delete
    field.send_keys("64px")
    assert shown_rows(browser)
    assert not any(row.startswith("resnet50") for row in shown_rows(browser))
    assert find(browser, "form output")[0].text.split()[1] == "of"
    find(browser, "form button")[0].click()
    assert browser.execute_script("return location.hash") == ""
    assert "How to read it" in [h.text for h in browser.execute_script(visible, "main h2")]


def test_a_link_leads_to_what_the_filter_left_out(visit):
    browser = visit("index.html#filter=zzz")
    assert shown_rows(browser) == []
    browser.execute_script("location.hash = '#how-to-read-it'")
    heading = find(browser, "#how-to-read-it")[0]
    assert heading.is_displayed()


def test_the_skip_link_comes_first_and_leads_to_the_content(visit, site):
    for page in every_page(site):
        browser = visit(page)
        find(browser, "body")[0].send_keys("\ue004")  # tab
        first = browser.switch_to.active_element
        assert first.text == "To the content"
        assert first.get_attribute("href").endswith("#main")


def test_the_filter_leaves_rows_with_every_word(visit):
    browser = visit()
    field = find(browser, "input[type=search]")[0]
    field.send_keys("RESNET 224")
    assert ranking(browser, 1) == ["resnet50"]
    assert find(browser, "output")[0].text.split()[0] != "0"
    field.send_keys(" nothing")
    assert ranking(browser, 1) == []
    assert find(browser, "output")[0].text.startswith("0 of ")
    field.send_keys("\ue009a\ue017")  # control and a, then delete
    assert len(ranking(browser, 1)) == 3


def test_the_link_of_a_model_leads_to_its_page_and_back(visit):
    browser = visit()
    next(a for a in find(browser, "th a") if a.text == "cnn ↗").click()
    assert find(browser, "h1")[0].text == "cnn, 64 px on toy/official"
    said = find(browser, "main")[0].text
    assert "Still improving when training ended, seed 0, 1, 2." in said
    assert "in the last fifth of the epochs" in said
    assert "0.2000 beside 0.0" in said
    find(browser, "nav a")[0].click()
    assert find(browser, "h1")[0].text.startswith("cxr-bench")


def every_page(site) -> list[str]:
    return [str(path.relative_to(site[0])) for path in sorted(Path(site[0]).rglob("*.html"))]


def test_every_page_loads_whole_and_names_from_data_stay_text(visit, site):
    for page in every_page(site):
        browser = visit(page)
        broken = "return [...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)"
        assert browser.execute_script(broken) == []
        assert len(find(browser, "script")) == 1
        assert browser.execute_script("return document.fonts.size") == 0
    visit()
    assert '<script>alert("1")</script>' in find(browser, "main")[0].text


def test_dark_pages_have_dark_figures(visit, site):
    page = next(page for page in every_page(site) if page.startswith("rows/"))
    for scheme, ending in (("dark", "-dark.svg"), ("light", "roc.svg")):
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        visit().execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
        browser = visit(page)
        script = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        ground = sum(browser.execute_script(script)) / 3
        assert (ground < 60) == (scheme == "dark")
        sources = browser.execute_script("return [...document.images].map((i) => i.currentSrc)")
        assert any(source.endswith(ending) for source in sources)


@pytest.mark.skipif(not AXE, reason="CXR_BENCH_AXE names no axe.min.js (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visit, site, scheme):
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    visit().execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    script = """
      const done = arguments[arguments.length - 1];
      axe.run(document, { resultTypes: ["violations"], preload: false }).then((found) => done(
        found.violations.map((each) => [each.impact, each.id, each.nodes[0].html])));"""
    for page in every_page(site):
        browser = visit(page)
        browser.execute_cdp_cmd("Runtime.evaluate", {"expression": Path(AXE).read_text()})
        found = browser.execute_async_script(script)
        assert [each for each in found if each[0] in ("serious", "critical")] == [], page


def test_on_a_phone_the_name_of_a_row_stays_in_sight(visit):
    browser = visit()
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    script = """
      const table = [...document.querySelectorAll("table.sortable")].find(
        (each) => each.tHead.textContent.startsWith("Letters"));
      table.parentElement.scrollLeft = 400;
      const [box, name, head] = [table.parentElement, table.querySelector("tbody th"),
        table.querySelector("thead .names")].map((each) => each.getBoundingClientRect().left);
      return [table.querySelector("tbody th a").textContent, name - box, head - box];"""
    name, *places = browser.execute_script(script)
    assert name == "cnn ↗"
    assert places == [0, 0]


def test_in_print_no_table_is_wider_than_the_paper_and_headings_are_repeated(visit, site):
    visit().execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for page in every_page(site):
        browser = visit(page)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
        script = """
          document.querySelectorAll("details").forEach((each) => { each.open = true; });
          return [...document.querySelectorAll("table")].filter(
            (each) => each.offsetWidth > document.body.clientWidth).length"""
        assert browser.execute_script(script) == 0, page
        # Chromium leaves boxes of buttons out of headings that it repeats.
        boxes = "return [...document.querySelectorAll('th button')].map((b) => b.clientWidth)"
        assert not any(browser.execute_script(boxes)), page
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_no_page_is_wider_than_a_phone(visit, site):
    for page in every_page(site):
        browser = visit(page)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= PHONE["width"], page

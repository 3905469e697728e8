"""The exploratory analysis: numbers against independent computations, and what the page says."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from scipy.stats.contingency import association

from benchmark.data.facts import SetFacts
from benchmark.report import eda, eda_statistics
from benchmark.report.eda_statistics import (
    associations,
    cooccurrence,
    counts,
    grey_statistics,
)
from benchmark.report.file_shape import ShapeAlone

FINDINGS = ["Mass", "Edema"]
FACTS = SetFacts(
    findings=FINDINGS,
    kind="multilabel",
    label_version="1",
    split_source="salted hash",
    licence="CC BY 4.0",
    citation="Somebody 2020",
    redistributable=True,
    projections=[],
    original_size=0,
    suspected=[],
    simulated=False,
    quarantined=[],
    converted=[],
)


@pytest.fixture(scope="module")
def manifest() -> pd.DataFrame:
    """400 images of 200 patients; women and AP films have more masses, Edema is half labelled."""
    rng = np.random.default_rng(5)
    n, patient = 400, np.repeat(np.arange(200), 2)
    female = rng.integers(0, 2, 200).astype(bool)[patient]
    view = rng.choice(["PA", "AP", ""], n)
    mass = rng.random(n) < 0.2 + 0.3 * female + 0.2 * (view == "AP")
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "patient_id": patient.astype(str),
            "split": np.array(["train", "train", "validation", "test"])[patient % 4],
            "age": np.where(rng.random(n) < 0.1, -1, (50 + 9 * mass + rng.normal(0, 12, n))).astype(
                int
            ),
            "sex": np.where(female, "F", "M"),
            "view": view,
            "width": rng.choice([100, 120], n),
            "height": 100,
            "target:Mass": mass.astype(int),
            "labelled:Mass": 1,
            "target:Edema": rng.integers(0, 2, n),
            "labelled:Edema": rng.integers(0, 2, n),
        }
    )


@pytest.fixture(scope="module")
def effects(manifest):
    return {(r.finding, r.measure): r for r in associations(manifest, FINDINGS, seed=1)}


def test_counts_leave_out_what_is_not_labelled(manifest):
    value = {(r.finding, r.of, r.measure): r.value for r in counts(manifest, FINDINGS)}
    test = manifest[(manifest["split"] == "test") & (manifest["labelled:Edema"] == 1)]
    assert value["Edema", "test", "labelled images"] == len(test)
    assert value["Edema", "test", "positive images"] == test["target:Edema"].sum()
    assert value["Edema", "test", "prevalence"] == test["target:Edema"].mean()
    positive = test[test["target:Edema"] == 1]
    assert value["Edema", "test", "positive patients"] == len(set(positive["patient_id"]))


def test_grey_levels_in_blocks_are_those_of_all_pixels_at_once(monkeypatch):
    pixels = np.random.default_rng(2).integers(0, 256, (11, 6, 6), np.uint8) // 3
    monkeypatch.setattr(eda_statistics, "_BLOCK", 4)
    levels, means, deviations = grey_statistics(pixels)
    np.testing.assert_allclose(levels, [(pixels == level).mean() for level in range(256)])
    np.testing.assert_allclose(means, [image.mean() for image in pixels])
    np.testing.assert_allclose(deviations, [image.std() for image in pixels])
    assert grey_statistics(pixels[:0])[0].sum() == 0


def test_cooccurrence_is_a_share_of_the_rows_images(manifest):
    both = manifest[(manifest["labelled:Edema"] == 1) & (manifest["target:Mass"] == 1)]
    share = cooccurrence(manifest, FINDINGS)
    assert share[0, 1] == pytest.approx(both["target:Edema"].mean())
    assert share[0, 0] == 1


def test_the_effect_of_sex_is_the_odds_ratio(manifest, effects):
    cells = pd.crosstab(manifest["sex"], manifest["target:Mass"]) + 0.5
    expected = cells.loc["F", 1] * cells.loc["M", 0] / (cells.loc["F", 0] * cells.loc["M", 1])
    row = effects["Mass", "odds ratio"]
    assert row.value == pytest.approx(expected)
    assert 1 < row.low < row.value < row.high


def test_the_effect_of_age_is_the_difference_in_pooled_deviations(manifest, effects):
    aged = manifest[manifest["age"] >= 0]
    no, yes = (aged.loc[aged["target:Mass"] == k, "age"] for k in (0, 1))
    pooled = np.sqrt(
        ((len(no) - 1) * no.var() + (len(yes) - 1) * yes.var()) / (len(no) + len(yes) - 2)
    )
    row = effects["Mass", "standardised mean difference"]
    assert row.value == pytest.approx((yes.mean() - no.mean()) / pooled)
    assert row.images == len(aged)
    assert 0 < row.low < row.value < row.high


def test_the_effect_of_view_is_cramers_v(manifest, effects):
    seen = manifest[manifest["view"] != ""]
    table = pd.crosstab(seen["view"], seen["target:Mass"]).to_numpy()
    assert effects["Mass", "Cramer's V"].value == pytest.approx(association(table, method="cramer"))


def test_intervals_widen_when_images_of_a_patient_say_the_same():
    rng = np.random.default_rng(0)
    sex, mass = rng.choice(["F", "M"], 300), rng.integers(0, 2, 300)
    once = pd.DataFrame(
        {"sex": sex, "age": -1, "view": "", "target:Mass": mass, "labelled:Mass": 1}
    )
    four = pd.concat([once] * 4)
    wide = []
    for patients in (np.tile(np.arange(300), 4), np.arange(1200)):
        (row,) = associations(four.assign(patient_id=patients.astype(str)), ["Mass"], seed=1)
        wide.append(np.log(row.high / row.low))
    assert wide[0] / wide[1] == pytest.approx(2, rel=0.25)


def test_a_finding_that_nobody_has_gives_no_effect(manifest):
    rows = associations(manifest.assign(**{"target:Mass": 0}), ["Mass"], seed=1)
    assert rows
    assert all(np.isnan(r.value) and np.isnan(r.low) for r in rows)


def write(folder, manifest, images=True, pictures=True, **facts):
    rng = np.random.default_rng(1)
    pixels = {s: rng.integers(0, 256, (5, 8, 8), np.uint8) for s in ("train", "validation", "test")}
    rows = {"Mass": pixels["train"], "none of these": pixels["test"][:2]}
    page = eda.write(
        folder,
        "any/set",
        manifest,
        replace(FACTS, **facts),
        pixels if images else {},
        rows if pictures else {},
        ShapeAlone("all files have the same shape.", len(manifest)),
    )
    return page.read_text()


def test_every_figure_is_there_as_png_and_svg_and_the_page_needs_nothing_else(manifest, tmp_path):
    page = write(tmp_path, manifest)
    for name in re.findall(r'(?:src|srcset|href)="([^"#]+)"', page):
        assert (tmp_path / name).stat().st_size > 500
    drawn = ["samples", "labels", "cooccurrence", "metadata", "effects", "grey_levels", "sizes"]
    assert all((tmp_path / f"{name}.{form}").exists() for name in drawn for form in ("png", "svg"))
    assert "Content-Security-Policy" in page
    assert "://" not in page
    numbers = pd.read_csv(tmp_path / "statistics.csv")
    assert set(numbers["table"]) == {"counts", "associations"}


def test_the_same_set_gives_the_same_files(manifest, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, manifest)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_names_from_data_stay_text(manifest, tmp_path):
    evil = '<script>alert("$x_1$")</script>\u202e\x00 消失 ' + "long " * 20
    renamed = manifest.rename(columns=lambda c: c.replace("Mass", evil))
    page = write(tmp_path, renamed, findings=[evil, "Edema"], citation="<b>&", pictures=False)
    assert "<script>" not in page
    assert "\x00" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;&amp;" in page


def test_a_set_that_may_not_be_passed_on_says_so(manifest, tmp_path):
    assert "must stay local" in " ".join(write(tmp_path, manifest, redistributable=False).split())
    assert "must stay" not in write(tmp_path, manifest)


def test_a_part_of_a_set_says_so(manifest, tmp_path):
    page = write(tmp_path, manifest, listed=112_120, fraction=0.00892)
    assert "0.9% of the 112,120 images" in page
    assert "A part of the set" not in write(tmp_path, manifest, listed=400, fraction=1.0)


def test_a_set_without_metadata_findings_or_pictures_has_a_page(manifest, tmp_path):
    bare = manifest.assign(age=-1, sex="", view="", width=100)
    page = write(tmp_path, bare, images=False, pictures=False, findings=[])
    assert "does not tell age" in page
    assert "All images have 100 x 100 px." in page
    assert "<img" not in page

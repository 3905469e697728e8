"""The exploratory analysis: numbers against independent computations, and what the page says."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from benchmark.commands.eda import way_back
from benchmark.data.facts import SetFacts
from benchmark.report.eda import analysis, grey, statistics
from benchmark.report.eda.file_shape import ShapeAlone
from benchmark.report.eda.statistics import (
    always_together,
    associations,
    cooccurrence,
    counted_together,
    counts,
    grey_statistics,
    samples,
)

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
            "label_source": np.where(patient % 3 == 0, "physicians", "text-mined"),
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
    monkeypatch.setattr(statistics, "_BLOCK", 4)
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


AUDIT = {
    "verdict": "suspected",
    "reasons": ["numbers may be shared"],
    "shared_patients": [
        {"sides": [["train"], ["test"]], "patients": 3, "by_finding": {"Mass": 2}, "no_finding": 1}
    ],
    "exact": {
        "groups": 1, "files": 2, "across_splits": 1, "several_patients": 0,
        "members": [{"images": ["i0", "i3"], "splits": ["train", "test"], "patients": ["0", "0"]}],
    },
    "pixels": {"groups": 0}, "near": {"groups": 0, "pairs": []}, "blank": [],
    "doubtful": [{"images": ["i1", "i2"], "splits": ["train", "validation"], "same_patient": False,
                  "correlation": 0.91, "turned": "mirrored"}],
    "conflicting_labels": [], "prevalence": [], "unreadable": [], "implausible": [],
}  # fmt: skip


def pixels_of(manifest, seed=1) -> dict[str, np.ndarray]:
    """Images that are darker with a mass."""
    rng = np.random.default_rng(seed)
    found = {}
    for split in ("train", "validation", "test"):
        lines = manifest[manifest["split"] == split]
        mass = next(c for c in manifest if c.startswith("target:"))
        levels = 140 - 40 * lines[mass].to_numpy()[:, None, None]
        noise = rng.integers(0, 60, (len(lines), 8, 8))
        found[split] = (levels + noise).astype(np.uint8)
    return found


def write(folder, manifest, images=True, pictures=True, audit=None, alike=True, **facts):
    pixels = pixels_of(manifest)
    rows = {"Mass": pixels["train"][:5], "none of these": pixels["test"][:2]}
    of = analysis.Explored(
        "any/set",
        manifest,
        replace(FACTS, **facts),
        pixels if images else {},
        rows if pictures else {},
        ShapeAlone("all files have the same shape.", len(manifest)),
        audit or {},
        alike,
    )
    return analysis.write(folder, of).read_text()


@pytest.fixture(scope="module")
def whole(manifest, tmp_path_factory):
    """The folder and the page of a set of which there is everything to show."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, write(folder, manifest, audit=AUDIT)


@pytest.fixture
def undrawn(monkeypatch):
    """The names of the figures that are asked for; drawing them takes time."""
    names = []
    monkeypatch.setattr(analysis, "save_both", lambda make, path: names.append(path.name))
    return names


def test_the_verdict_comes_first_and_pairs_are_shown_side_by_side(
    manifest, whole, undrawn, tmp_path
):
    folder, page = whole
    verdict = page.index('class="verdict suspected"')
    assert verdict < page.index("<h2")
    assert "1 group of 2 files; 1 across splits" in page[verdict : page.index("<h2")]
    assert "numbers may be shared" in page
    assert (folder / "alike.svg").is_file()
    assert page.index("i0, i3") < page.index("i1, i2")
    assert "alike, correlation 0.91, mirrored" in page
    hidden = write(tmp_path, manifest, audit=AUDIT, alike=False)
    assert "grey_levels" in undrawn
    assert "alike" not in undrawn
    assert "i0, i3" in hidden


def test_the_mean_grey_level_alone_has_the_auc_of_a_model_of_it(manifest, whole):
    folder, page = whole
    lines = grey.with_levels(manifest, pixels_of(manifest))
    expected = roc_auc_score(lines["target:Mass"], lines["mean"])
    assert expected < 0.1
    numbers = pd.read_csv(folder / "statistics.csv")
    row = numbers[(numbers["table"] == "grey") & (numbers["finding"] == "Mass")].iloc[0]
    assert row["value"] == pytest.approx(expected)
    assert row["low"] <= row["value"] <= row["high"]
    assert row["images"] == len(manifest)
    assert 'href="statistics.csv"' in page


def test_mean_images_are_means_of_enough_patients(manifest):
    pixels = pixels_of(manifest)
    found = grey.mean_images(manifest, pixels, "Mass")
    lines = pd.concat([manifest[manifest["split"] == s] for s in pixels])
    every = np.concatenate(list(pixels.values())).astype(float)
    positive = lines["target:Mass"].to_numpy(bool)
    np.testing.assert_allclose(found.positive, every[positive].mean(0))
    np.testing.assert_allclose(found.negative, every[~positive].mean(0))
    assert (found.n_positive, found.n_negative) == (positive.sum(), (~positive).sum())
    few = manifest.assign(**{"target:Mass": (manifest["patient_id"].isin(["1", "2"])).astype(int)})
    assert grey.mean_images(few, pixels, "Mass") is None


def test_samples_show_a_finding_alone_first_and_no_image_twice():
    targets = {"A": [1, 1, 0, 1, 0, 0], "B": [1, 0, 1, 1, 0, 0]}
    columns = {f"target:{f}": values for f, values in targets.items()}
    lines = pd.DataFrame(columns | {f"labelled:{f}": [1] * 6 for f in targets})
    assert samples(lines, ["A", "B"], 2) == {"A": [1, 0], "B": [2, 3], "none of these": [4, 5]}
    assert list(samples(lines, ["A"], 9)) == ["A", "no A"]
    assert samples(lines, [], 2) == {"images": [0, 1]}


def test_the_page_leads_back_to_a_site_beside_it(tmp_path):
    folder = tmp_path / "local" / "eda" / "any-set"
    assert way_back(folder) == []
    (tmp_path / "report" / "rows").mkdir(parents=True)
    (tmp_path / "report" / "index.html").write_text("")
    (link,) = way_back(folder)
    assert link.target == "../../../report/index.html"
    (link,) = way_back(tmp_path / "report" / "eda" / "any-set")
    assert link.target == "../../index.html"


def test_a_finding_that_images_were_chosen_by_is_named():
    targets = {"A": [1, 0, 1, 0], "B": [0, 1, 1, 0], "C": [1, 1, 1, 0]}
    columns = {f"target:{f}": values for f, values in targets.items()}
    chosen = pd.DataFrame(columns | {f"labelled:{f}": [1] * 4 for f in targets})
    assert always_together(chosen, list(targets)) == [
        "Every image with any other finding also has C."
    ]
    assert counted_together(chosen, list(targets)).tolist() == [[2, 1, 2], [1, 2, 2], [2, 2, 3]]


def test_every_figure_is_there_as_png_and_svg_and_the_page_needs_nothing_else(whole):
    folder, page = whole
    for name in re.findall(r'(?:src|srcset|href)="([^"#]+)"', page):
        assert (folder / name).stat().st_size > 400
    drawn = ["samples", "labels", "cooccurrence", "metadata", "effects", "grey_levels", "sizes",
             "mean_images", "grey_by_class", "grey_by_group", "patients", "age_and_sex",
             "alike"]  # fmt: skip
    assert all((folder / f"{name}.{form}").exists() for name in drawn for form in ("png", "svg"))
    assert "Content-Security-Policy" in page
    assert "://" not in page
    numbers = pd.read_csv(folder / "statistics.csv")
    assert set(numbers["table"]) == {"counts", "associations", "grey"}


def test_the_same_set_gives_the_same_files(manifest, whole, tmp_path):
    folder, _ = whole
    write(tmp_path, manifest, audit=AUDIT)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in folder.iterdir()}
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


def test_names_from_data_stay_text(manifest, tmp_path):
    evil = '<script>alert("$x_1$")</script>\u202e\x00 消失 ' + "long " * 20
    renamed = manifest.rename(columns=lambda c: c.replace("Mass", evil))
    page = write(tmp_path, renamed, findings=[evil, "Edema"], citation="<b>&", pictures=False)
    assert "<script>" not in page
    assert "\x00" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;&amp;" in page


@pytest.mark.usefixtures("undrawn")
def test_a_set_that_may_not_be_passed_on_says_so(manifest, whole, tmp_path):
    assert "must stay local" in " ".join(write(tmp_path, manifest, redistributable=False).split())
    assert "must stay" not in whole[1]


@pytest.mark.usefixtures("undrawn")
def test_a_part_of_a_set_says_so(manifest, tmp_path):
    page = write(tmp_path, manifest, listed=112_120, fraction=0.00892)
    assert "0.9% of the 112,120 images" in page
    assert "A part of the set" not in write(tmp_path, manifest, listed=400, fraction=1.0)


def test_a_set_without_metadata_findings_or_pictures_has_a_page(manifest, tmp_path):
    bare = manifest.assign(age=-1, sex="", view="", width=100)
    page = write(tmp_path, bare, images=False, pictures=False, findings=[])
    assert "does not tell age" in page
    assert "All images have 100 x 100 px." in page
    assert re.findall(r'<img src="(\w+)', page) == ["patients"]

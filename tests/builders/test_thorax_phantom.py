"""The simulated radiographs: reproducible, persistent per patient, right where illness shows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tfds_builders import splits
from tfds_builders.thorax_phantom import thorax_phantom_dataset_builder as builder_file
from tfds_builders.thorax_phantom.patients import FINDINGS, draw_patient, draw_visit
from tfds_builders.thorax_phantom.simulation import simulate
from tfds_builders.thorax_phantom.solids import Ellipsoid, Stack, common, without
from tfds_builders.thorax_phantom.tubes import along, render


def film(name: str, *findings: str, size: int = 96, view: str = "PA", index: int = 0, **given):
    return simulate(draw_patient(5, name, findings=findings, **given), index, size, view=view)


def test_the_same_film_twice_is_the_same_bits_whatever_came_between():
    first = film("p1", "Edema")
    film("p2", "Effusion", view="L")
    film("p1", index=2, size=64)
    again = film("p1", "Edema")
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.lung_mask, again.lung_mask)


@pytest.mark.parametrize("view", ["PA", "AP", "L"])
@pytest.mark.parametrize("size", [32, 75, 128])
def test_shapes_and_types(view, size):
    made = film("p3", *FINDINGS, view=view, size=size)
    assert made.pixels.shape == made.lung_mask.shape == (size, size)
    assert made.pixels.dtype == np.uint8
    assert made.lung_mask.dtype == bool
    assert np.ptp(made.pixels.astype(int)) > 120
    assert made.view == view
    assert set(made.findings) <= set(FINDINGS)
    assert all(0 < severity <= 1 for severity in made.findings.values())


def test_twelve_bits_are_the_same_film_in_finer_steps():
    patient = draw_patient(5, "p4")
    coarse, fine = simulate(patient, 0, 64), simulate(patient, 0, 64, bits=12)
    assert fine.pixels.dtype == np.uint16
    assert 255 < fine.pixels.max() <= 4095
    assert np.abs(fine.pixels / 4095 - coarse.pixels / 255).max() < 0.003


def test_a_larger_film_shows_the_same_body():
    small, large = film("p5", size=64), film("p5", size=256)
    reduced = large.pixels.reshape(64, 4, 64, 4).mean((1, 3))
    assert np.corrcoef(reduced.ravel(), small.pixels.ravel())[0, 1] > 0.98


def test_a_patient_looks_more_like_himself_than_like_others():
    """Pose, breath and exposure change; ribs, vessels and heart stay: compared lung by lung."""
    people = [draw_patient(9, f"q{i}", age=50, sex="M", findings=()) for i in range(8)]
    films = np.array(
        [[simulate(p, i, 64, view="PA").pixels.ravel() for i in (0, 1)] for p in people], float
    )
    films -= films.mean(axis=(0, 1))
    films /= np.linalg.norm(films, axis=2, keepdims=True)
    alike = films[:, 0] @ films[:, 1].T
    others = alike[~np.eye(8, dtype=bool)]
    assert alike.diagonal().mean() > others.mean() + 0.15


@pytest.mark.parametrize("view", ["PA", "AP", "L"])
def test_the_lung_mask_is_dark_lung_inside_the_body(view):
    made = film("p6", size=128, view=view)
    rows, columns = np.nonzero(made.lung_mask)
    assert 0.08 < made.lung_mask.mean() < 0.45
    assert rows.min() > 6
    assert rows.max() < 121
    if view != "L":
        assert columns.min() > 6
        assert columns.max() < 121
        middle = made.pixels[40:90, 56:72].mean()
        assert made.pixels[made.lung_mask].mean() < middle - 60


def changed(name: str, finding: str, view: str = "PA", size: int = 128) -> tuple:
    """Absolute change of the picture by one finding, the lungs, and the signed change."""
    healthy, ill = film(name, view=view, size=size), film(name, finding, view=view, size=size)
    change = ill.pixels.astype(float) - healthy.pixels
    return np.abs(change), healthy.lung_mask, change


@pytest.mark.parametrize("finding", FINDINGS)
def test_each_finding_changes_the_lungs_more_than_the_rest(finding):
    for name in ("r1", "r2", "r3", "r4"):
        size, lungs, _ = changed(name, finding)
        assert size.max() > 8
        outside = (size[:, :8].mean() + size[:, -8:].mean()) / 2
        assert size[lungs].mean() > outside


def test_what_opens_up_darkens_and_what_fills_brightens():
    for name in ("r1", "r2", "r3"):
        for finding in ("Consolidation", "Effusion", "Edema", "Nodule", "Lung Metastasis"):
            size, lungs, change = changed(name, finding)
            assert change[lungs & (size > 8)].mean() > 0, finding
        size, lungs, change = changed(name, "Pneumothorax")
        upper = np.arange(128)[:, None] < 64
        assert change[lungs & upper].min() < -8


def test_places_are_where_a_radiologist_looks():
    """Centre of mass of the change: fluid at the base, air at the apex, the heart in the middle."""

    def centre(finding: str) -> float:
        rows = []
        for name in ("r1", "r2", "r3", "r4", "r5"):
            size, lungs, _ = changed(name, finding)
            size = size * lungs
            inside = np.nonzero(lungs)[0]
            row = (size.sum(1) @ np.arange(128)) / size.sum()
            rows.append((row - inside.min()) / np.ptp(inside))
        return float(np.mean(rows))

    assert centre("Effusion") > 0.7
    assert centre("Pneumothorax") < 0.5
    assert centre("Cardiomegaly") > centre("Edema") > centre("Pneumothorax")


def heart_width(name: str, *findings: str, view: str = "PA") -> float:
    """Widest gap between the two lungs in the lower half of the chest, as a share of the chest."""
    lungs = film(name, *findings, size=128, view=view).lung_mask
    rows = np.nonzero(lungs.any(1))[0]
    best = 0.0
    for row in range((rows[0] + rows[-1]) // 2, int(rows[0] * 0.25 + rows[-1] * 0.75)):
        where = np.nonzero(lungs[row])[0]
        best = max(best, np.diff(where).max() / np.ptp(where))
    return best


def test_a_big_heart_is_wider_and_bedside_films_enlarge_it():
    names = [f"h{i}" for i in range(6)]
    normal = np.mean([heart_width(name) for name in names])
    large = np.mean([heart_width(name, "Cardiomegaly") for name in names])
    bedside = np.mean([heart_width(name, view="AP") for name in names])
    assert 0.35 < normal < 0.52
    assert large > normal + 0.08
    assert bedside > normal


def test_findings_are_absent_unless_the_patient_has_them():
    patient = draw_patient(5, "p7", findings=())
    assert all(not draw_visit(patient, index).findings for index in range(6))
    ill = draw_patient(5, "p7", findings=("Nodule",))
    assert set(draw_visit(ill, 0).findings) == {"Nodule"}
    assert (ill.age, ill.sex, ill.n_images) == (patient.age, patient.sex, patient.n_images)


@pytest.mark.parametrize(
    ("wrong", "named"), [({"size": 16}, "16"), ({"bits": 7}, "7"), ({"view": "PP"}, "PP")]
)
def test_impossible_films_are_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        simulate(draw_patient(1, "x"), 0, **{"size": 64, **wrong})


def test_an_unknown_finding_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="Pneumothorax"):
        draw_patient(1, "x", findings=("Pneumothroax",))


def test_chords_agree_with_counting_along_the_ray():
    """Against brute force: sample points along each ray and count those inside."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    ball = Ellipsoid((0.5, -0.3, 1.0), (3.0, 2.0, 4.0), axes)
    across, level = np.meshgrid(np.linspace(-5, 5, 21), np.linspace(-5, 5, 21))
    along_ray = np.linspace(-8, 8, 3201)
    for beam, order in ((2, (0, 1, 2)), (0, (2, 1, 0))):
        points = np.stack(np.broadcast_arrays(across[..., None], level[..., None], along_ray), -1)
        local = (points[..., list(order)] - ball.centre) @ axes.T / ball.radii
        counted = ((local**2).sum(-1) < 1).sum(-1) * (along_ray[1] - along_ray[0])
        assert np.allclose(common(ball.interval(across, level, beam)), counted, atol=0.02)


def test_overlaps_are_taken_away_once():
    level = np.linspace(-4, 4, 9)[:, None]
    across = np.linspace(-4, 4, 9)[None, :]
    one = np.ones_like(level)
    room = Stack(0 * one, 0 * one, 3 * one, 3 * one, 2.5).interval(across, level, 2)
    first = Ellipsoid((0.0, 0.0, 1.0), (2.0, 2.0, 2.0)).interval(across, level, 2)
    second = Ellipsoid((0.5, 0.0, -1.0), (2.0, 2.0, 2.0)).interval(across, level, 2)
    depth = np.linspace(-5, 5, 4001)
    within = [
        (depth > near[..., None]) & (depth < far[..., None]) for near, far in (room, first, second)
    ]
    counted = (within[0] & ~within[1] & ~within[2]).sum(-1) * (depth[1] - depth[0])
    assert np.allclose(without(room, first, second), counted, atol=0.02)


def test_a_tube_has_the_chord_of_a_cylinder():
    radius, pixel, size = 1.5, 0.1, 160
    tube = along(np.array([[-20.0, 0, 0], [20.0, 0, 10.0]]), radius)
    column = tube.points[:, 0] / pixel + size / 2
    row = tube.points[:, 1] / pixel + size / 2
    drawn = render([(column, row, tube.length, radius)], size, pixel)[:, size // 2]
    distance = (np.arange(size) - size / 2) * pixel
    slant = np.hypot(40, 10) / 40
    exact = 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0)) * slant
    clear = np.abs(np.abs(distance) - radius) > 0.2
    assert np.allclose(drawn[clear], exact[clear], atol=0.03)


def cohort(config) -> dict[str, list]:
    """Findings of every image by split and patient, without simulating a pixel."""
    found: dict[str, list] = {split: [] for split in builder_file.FRACTIONS}
    for name in config.names:
        patient = draw_patient(config.seed, name)
        split = splits.assign(name, builder_file.SALT, builder_file.FRACTIONS)
        found[split].append([set(draw_visit(patient, i).findings) for i in range(patient.n_images)])
    return found


def test_every_split_of_the_default_cohort_holds_enough_of_each_finding():
    found = cohort(builder_file.Builder.builder_configs["default"])
    assert len(found["test"]) >= 150
    assert 550 <= sum(map(len, found.values())) <= 650
    for split, patients in found.items():
        for finding in FINDINGS:
            positive = sum(any(finding in image for image in images) for images in patients)
            assert positive >= 10, (split, finding)
            assert len(patients) - positive >= 10, (split, finding)


def test_findings_occur_together_as_in_heart_failure():
    images = [image for people in cohort(builder_file.Builder.builder_configs["default"]).values()
              for images in people for image in images]  # fmt: skip

    def share(finding: str, given: str | None = None) -> float:
        among = [image for image in images if given is None or given in image]
        return sum(finding in image for image in among) / len(among)

    assert share("Effusion", "Edema") > 1.3 * share("Effusion")
    assert share("Edema", "Cardiomegaly") > 1.3 * share("Edema")
    assert share("Nodule", "Lung Metastasis") == 0


@pytest.fixture(scope="module")
def small(phantom, prepare):
    return prepare("thorax_phantom", "small", phantom[1], None)


def test_the_prepared_set_is_what_the_simulation_says(small, stored):
    seen: dict[str, set] = {}
    config = small.builder_config
    for split in builder_file.FRACTIONS:
        for number, row in enumerate(stored(small, split)):
            patient = row["patient_id"].decode()
            seen.setdefault(patient, set()).add(split)
            if number < 3:
                index = int(row["image_id"].decode().split("_")[1])
                made = simulate(draw_patient(config.seed, patient), index, config.size)
                assert np.array_equal(Image.open(io.BytesIO(row["image"])), made.pixels)
                assert row["findings"].tolist() == [f in made.findings for f in FINDINGS]
                assert row["sex"].decode() == made.sex
                assert row["view"].decode() == made.view
                assert row["age"] == made.age
    assert len(seen) == config.patients
    assert all(len(where) == 1 for where in seen.values())


def test_the_metadata_says_that_it_is_simulated(small):
    facts = small.info.metadata
    assert facts["simulated"] is True
    assert facts["redistributable"] is True
    assert facts["findings"] == list(FINDINGS)
    assert facts["original_size"] == small.builder_config.size
    assert small.EMBEDDED is True

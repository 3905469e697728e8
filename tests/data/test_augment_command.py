"""The sheet of examples that `cxr-bench augment` draws."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tiny_sets import grey_images, store

from benchmark.cli import main
from benchmark.commands import augment


@pytest.fixture
def prepared(tiny, monkeypatch):
    """The tiny set, taken for one that is prepared."""
    found = SimpleNamespace(**vars(tiny), facts=SimpleNamespace(redistributable=True))
    monkeypatch.setattr(augment, "prepared_or_made", lambda *_: found)
    return found


def drawn(*arguments):
    return CliRunner().invoke(main, ["augment", "tiny/default", *map(str, arguments)])


def test_the_sheet_has_a_row_an_image_and_grows_with_it(prepared, tmp_path):
    few, many = tmp_path / "few.png", tmp_path / "many.png"
    for path, n in ((few, 2), (many, 4)):
        done = drawn("--policy", "strong", "--size", 24, "--n", n, "--out", path)
        assert done.exit_code == 0, done.output
        assert done.output == f"Figure: {path}\n"
    with Image.open(few) as small, Image.open(many) as large:
        assert small.width == large.width > 1000
        assert small.height < large.height


def test_what_is_shown_is_what_training_would_see(prepared, monkeypatch, tmp_path):
    sheet = {}
    monkeypatch.setattr(
        "benchmark.report.drawing.augmented.draw_sheet",
        lambda names, originals, draws, heading: sheet.update(locals()),
    )
    monkeypatch.setattr("benchmark.report.drawing.style.save", lambda *_, **__: None)
    assert drawn("--policy", "flip", "--size", 24, "--n", 5).exit_code == 0
    originals = sheet["originals"] / np.float32(255)
    assert sheet["draws"].shape == (5, augment.EPOCHS, 24, 24)
    assert sheet["names"] == prepared.manifest()["image_id"][:5].tolist()
    assert "tiny/default at 24 px" in sheet["heading"]
    mirrored = 0
    for original, draws in zip(originals, sheet["draws"], strict=True):
        for draw in draws:
            same = (draw == original).all()
            assert same != (draw == original[:, ::-1]).all()
            mirrored += not same
    assert 5 < mirrored < 25


def test_a_set_with_fewer_images_shows_all_of_them(prepared, tmp_path):
    prepared.path = store(tmp_path / "three", {"train": grey_images(3, 1)}).path
    path = tmp_path / "sheet.png"
    assert drawn("--policy", "none", "--size", 8, "--n", 50, "--out", path).exit_code == 0
    assert path.exists()


def test_of_data_under_agreement_it_says_that_the_sheet_stays_local(prepared, tmp_path):
    prepared.facts.redistributable = False
    done = drawn("--policy", "none", "--size", 8, "--n", 1, "--out", tmp_path / "sheet.png")
    assert "must stay local" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--policy", "stong"], "Did you mean 'strong'? Choices: flip, geometric, none"),
        (["--policy", "strong", "--out", "sheet.jpg"], "must end in .png"),
        (["--policy", "strong", "--n", "0"], "--n"),
        ([], "--policy"),
    ],
)
def test_mistakes_are_explained_before_anything_is_read(options, message, monkeypatch):
    monkeypatch.setattr(augment, "prepared_or_made", None)
    done = drawn(*options)
    assert done.exit_code == 2
    assert message in done.output

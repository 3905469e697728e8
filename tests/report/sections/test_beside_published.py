"""Published cells beside what was measured: what is context, and what is compared."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from benchmark.models import discover
from benchmark.report.export.leaderboard import write
from benchmark.report.gathering.gather import gather
from benchmark.report.sections.beside_published import SCHEMES, beside_published, published
from tests.report.made_rows import protocol

OFFICIAL = protocol("kermany_pneumonia/official")
THEIRS = {"weights": "imagenet", "scheme": "finetune", "preprocessing": "center_crop"}
"""How the published networks were trained."""


@pytest.fixture
def beside(results, add_seeds):
    """What the published matrix stands beside, with three seeds of a model."""

    def found(model, shared=OFFICIAL, **spec):
        add_seeds(model, shared=shared, spec=spec)
        return beside_published(gather(results))

    return found


def test_the_same_is_compared(beside):
    (found,) = beside("densenet121", **THEIRS)
    theirs = found.published
    assert (theirs.name, theirs.size, theirs.auc) == ("DenseNet-121", 64, pytest.approx(0.9719))
    assert theirs.differs_in(found.ours) == []
    assert found.difference == pytest.approx(found.measured.mean - 0.9719)


@pytest.mark.parametrize(
    ("model", "changes", "differing"),
    [
        ("densenet121", {"weights": "random", "scheme": "scratch"}, ["weights"]),
        ("densenet121", {"preprocessing": "raw"}, ["images"]),
        ("densenet121", {"augmentation": "strong"}, ["augmentation"]),
        ("densenet169", {}, ["architecture"]),
        ("resnet50", {}, ["architecture"]),
    ],
)
def test_what_is_not_the_same_is_context(beside, model, changes, differing):
    (found,) = beside(model, **THEIRS | changes)
    assert found.published.differs_in(found.ours) == differing
    assert found.difference is None


def test_another_split_is_context(beside):
    (found,) = beside("densenet121", protocol("chestxray14/fourteen"), **THEIRS)
    assert found.published.dataset == "ChestMNIST"
    assert found.difference is None
    assert "split" in found.published.differs_in(found.ours)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("cnn", {}),
        ("densenet121", {"resolution": 32}),
        ("densenet121", {"scheme": "random_frozen"}),
    ],
)
def test_other_families_sizes_and_schemes_stand_beside_nothing(beside, model, changes):
    assert beside(model, **THEIRS | changes) == []


def test_validation_chooses_of_several_and_ranked_ones_alone(results, add, add_seeds):
    add_seeds("densenet121", shared=OFFICIAL, spec=THEIRS, strength=1.0)
    add_seeds("densenet169", shared=OFFICIAL, spec=THEIRS, strength=3.0)
    add("densenet121", shared=OFFICIAL, spec=THEIRS | {"imbalance": "x"}, strength=9.0)
    (found,) = beside_published(gather(results))
    assert found.ours.spec.model == "densenet169"


def test_it_stands_in_the_files(results, beside):
    (found,) = beside("densenet121", **THEIRS)
    path = write(results)
    text = path.read_text()
    assert "## Beside the nearest published matrix" in text
    assert "| AUC here | Difference | Not the same |" in text
    (line,) = json.loads(path.with_name("leaderboard.json").read_text())["beside_published"]
    assert line["difference"] == found.difference
    assert line["published"]["auc"] == pytest.approx(0.9719)


def test_there_is_no_column_of_differences_where_nothing_is_the_same(results, beside):
    beside("densenet169", **THEIRS)
    assert "| AUC here | Not the same |" in write(results).read_text()


def test_the_published_matrix_is_whole():
    cells = published()
    models = discover()
    for each in cells:
        assert {*each.family, *filter(None, [each.model])} <= models.keys()
        assert each.scheme in SCHEMES
        assert 0.5 < each.auc < 1
    sizes = [each.size for each in cells]
    assert all(b > a or b == min(sizes) for a, b in pairwise(sizes))

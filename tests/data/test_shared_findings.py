"""Which findings two sets share: by the table, by equal names of own sets, by what is told."""

from __future__ import annotations

import pytest

from benchmark.data.shared_findings import parse_map, shared_findings
from benchmark.errors import UnknownName, UserError

OWN, OTHER = "image_folder/mine", "image_folder/theirs"


def test_sets_of_the_table_are_linked_by_it():
    ours, theirs = shared_findings(
        "padchest/x", ["pleural effusion", "nipple shadow"], "chestxray14/y", ["Effusion"]
    )
    assert (ours, theirs) == ({"Effusion": ("pleural effusion",)}, {"Effusion": ("Effusion",)})


@pytest.mark.parametrize(
    "said", ["Pneumonia", "PNEUMONIA", "pneumonia ", "1_pneumonia", "01 Pneumonia"]
)
def test_an_own_set_is_linked_with_a_built_in_one_by_equal_names(said):
    ours, theirs = shared_findings(OWN, [said, "Rare"], "chestxray14/y", ["Pneumonia", "Mass"])
    assert (ours, theirs) == ({"Pneumonia": (said,)}, {"Pneumonia": ("Pneumonia",)})
    back = shared_findings("chestxray14/y", ["Pneumonia", "Mass"], OWN, [said, "Rare"])
    assert back == (theirs, ours)


def test_own_sets_are_linked_by_their_names_however_spelled():
    ours, theirs = shared_findings(OWN, ["Lung Opacity", "TB"], OTHER, ["lung_opacity", "COVID"])
    assert (ours, theirs) == (
        {"Lung Opacity": ("Lung Opacity",)},
        {"Lung Opacity": ("lung_opacity",)},
    )


def test_what_is_told_links_any_two():
    ours, theirs = shared_findings(
        OWN, ["TB", "Mass"], OTHER, ["Tuberculosis", "Mass"], {"TB": "Tuberculosis"}
    )
    assert ours == {"Mass": ("Mass",), "TB": ("TB",)}
    assert theirs == {"Mass": ("Mass",), "TB": ("Tuberculosis",)}
    with pytest.raises(UnknownName, match="Did you mean 'Tuberculosis'"):
        shared_findings(OWN, ["TB"], OTHER, ["Tuberculosis"], {"TB": "Tuberculose"})
    with pytest.raises(UserError, match=r"share no finding.*--map"):
        shared_findings(OWN, ["TB"], OTHER, ["Tuberculosis"])


@pytest.mark.parametrize("said", [["TB"], ["TB="], ["A=B", "A=C"], ["A=B", "C=B"]])
def test_a_map_is_written_in_one_way(said):
    with pytest.raises(UserError, match="write A=B, each finding once"):
        parse_map(said)
    assert parse_map([" A = B c "]) == {"A": "B c"}

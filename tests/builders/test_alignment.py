"""The alignment table: what the file says, and what a broken one leads to."""

from __future__ import annotations

import pytest

import tfds_builders
from tfds_builders import alignment
from tfds_builders.alignment import AlignmentError

FOURTEEN = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia"),
    *("Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening"),
    "Hernia",
)
GOOD = """
[[finding]]
name = "Effusion"
one = ["Effusion"]
two = ["pleural effusion", "loculated"]
reason = "the same"
"""


def test_the_fourteen_come_first_in_canonical_order():
    table = alignment.load()
    names = [f.name for f in table.known_by("chestxray14")]
    assert names == [*FOURTEEN, "No Finding"]
    for name in names:
        assert table.labels("chestxray14", name) == (name,)
    assert [f.name for f in table.shared("padchest", "chestxray14")] == names


def test_every_finding_has_a_reason_and_a_label_means_what_it_should():
    table = alignment.load()
    for finding in table.findings:
        assert len(finding.reason) > 60
        assert finding.labels
    shared = {
        label
        for f in table.findings
        for label in f.labels.get("padchest", ())
        if sum(label in g.labels.get("padchest", ()) for g in table.findings) > 1
    }
    assert shared == {"hydropneumothorax"}


def test_names_are_those_of_the_builders():
    table = alignment.load()
    for dataset in set(table.datasets) & set(tfds_builders.BUILDERS):
        cls = tfds_builders.BUILDERS[dataset]
        config = cls.BUILDER_CONFIGS[0].name
        findings = cls(config=config, data_dir="/nowhere").info.metadata["findings"]
        for name in findings:
            assert table.common_name(dataset, name) in {f.name for f in table.findings}


def test_common_names():
    table = alignment.load()
    assert table.common_name("padchest", "pleural effusion") == "Effusion"
    assert table.common_name("padchest", "Effusion") == "Effusion"
    assert table.common_name("kermany_pneumonia", "Viral pneumonia") == "Pneumonia"
    assert table.common_name("padchest", "normal") == table.common_name("chestxray14", "No Finding")
    assert [f.name for f in table.shared("kermany_pneumonia", "chestxray14")] == [
        "Pneumonia",
        "No Finding",
    ]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda t: t.known_by("padchst"), "Did you mean 'padchest'"),
        (lambda t: t.shared("padchest", "nih"), "no data set 'nih'"),
        (lambda t: t.labels("padchest", "Efusion"), "Did you mean 'Effusion'"),
        (lambda t: t.labels("kermany_pneumonia", "Effusion"), "there are: No Finding, Pneumonia"),
        (lambda t: t.common_name("padchest", "pneumonias"), "Did you mean 'pneumonia'"),
        (lambda t: t.common_name("padchest", "hydropneumothorax"), "Effusion and Pneumothorax"),
    ],
)
def test_questions_without_an_answer_are_named(ask, said):
    with pytest.raises(AlignmentError, match=said):
        ask(alignment.load())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("finding = [", "not a TOML file"),
        (GOOD + "\n# é", "not a TOML file: no text in UTF-8: line .* has the byte 0xE9"),
        ("", "must hold"),
        ("finding = 3", "must hold"),
        ("finding = [3]", "is no table"),
        (GOOD + "\n[other]\n", "must hold"),
        (GOOD.replace('name = "Effusion"', ""), "number 1 has no name"),
        (GOOD.replace('"the same"', '" "'), "has no reason"),
        (GOOD.replace('"loculated"', "3"), "two must be a list"),
        (GOOD.replace('"loculated"', '"pleural effusion"'), "two must be a list"),
        (GOOD.replace('["Effusion"]', "[]"), "one must be a list"),
        (GOOD + GOOD, "more than one"),
        ('[[finding]]\nname = "A"\nreason = "b"\n', "names no data set"),
    ],
)
def test_a_broken_table_is_a_named_error(tmp_path, content, said):
    path = tmp_path / "table.toml"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(AlignmentError, match=said):
        alignment.load(path)


def test_a_good_table(tmp_path):
    path = tmp_path / "table.toml"
    path.write_text(GOOD)
    table = alignment.load(path)
    assert table.datasets == ("one", "two")
    assert table.labels("two", "Effusion") == ("pleural effusion", "loculated")

"""Every family of protocols keeps to the interface, and names are understood by one of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.errors import UnknownName
from benchmark.protocols import SplitProtocol, families, find, of_row
from benchmark.protocols.legacy import PROTOCOLS as LEGACY
from benchmark.protocols.own_split import LEAKING
from benchmark.spec import PUBLISHED
from tests.records.rows import a_protocol, a_row, a_spec

NAMES = [PUBLISHED, *LEGACY, LEAKING, "without:Viral pneumonia", "probe:sex", "probe:*"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_of_one_family_and_stays_as_it_is_written(name):
    found = [family for family in families().values() if family.parse(name)]
    assert len(found) == 1
    protocol = find(name)
    assert isinstance(protocol, SplitProtocol)
    assert protocol.name == name
    assert protocol == find(name)
    assert protocol.title("toy/set").startswith("toy/set")


def test_every_family_says_how_its_names_are_written_and_has_a_protocol_here():
    assert sorted(families()) == ["legacy", "own_split", "probe", "published", "screening"]
    for family in families().values():
        assert family.NAMES
        assert any(family.parse(name) for name in NAMES)


@pytest.mark.parametrize(
    ("name", "near"),
    [("legcy_s3", "legacy_s3"), ("publishd", PUBLISHED), ("witout:finding", "without:<finding>")],
)
def test_an_unknown_name_lists_the_choices_and_suggests_the_nearest(name, near):
    with pytest.raises(UnknownName, match=f"Did you mean '{near}'") as error:
        find(name)
    assert all(choice in str(error.value) for choice in (*LEGACY, "probe:<sex|view|age|source>"))


def test_only_what_repeats_faults_may_leak_and_goes_unranked():
    for protocol in map(find, NAMES):
        assert protocol.allows_leak == (protocol.name in (*LEGACY, LEAKING))
        assert protocol.ranked != protocol.allows_leak


def test_attributes_stand_in_the_order_in_which_they_are_listed():
    names = [f"probe:{field}" for field in ("sex", "view", "age", "source")]
    assert [find(name).place for name in names] == [0, 1, 2, 3]
    assert [find(name).attribute for name in names[:2]] == ["sex", "view"]
    assert find(PUBLISHED).attribute is None


def test_what_changes_images_or_targets_has_a_version():
    assert {name for name in NAMES if find(name).version is None} == {PUBLISHED}


def test_weights_are_safe_for_published_test_images_where_the_splits_are_those_of_the_set():
    kept = {name for name in NAMES if find(name).splits == PUBLISHED}
    assert kept == {PUBLISHED, "probe:sex", "probe:*"}


def test_only_own_tasks_do_not_ask_for_the_findings_of_the_set():
    others = {name for name in NAMES if not find(name).asks_findings}
    assert others == {"without:Viral pneumonia", "probe:sex", "probe:*"}
    assert find("without:Viral pneumonia").withheld == "Viral pneumonia"
    assert find(PUBLISHED).withheld is None


@pytest.mark.parametrize(
    ("told", "unlike"),
    [
        ({}, {}),
        ({"probe": "device"}, {"attribute": "device", "asks_findings": False}),
        ({"withheld": "Mass"}, {"withheld": "Mass", "asks_findings": False}),
        (
            {"legacy": True, "legacy_name": "legacy_s9", "rule": dict(LEGACY["legacy_s3"].rule)},
            {"ranked": False, "may_choose_on_test": True},
        ),
    ],
)
def test_the_protocol_of_a_row_from_another_release_is_as_its_facts_say(told, unlike):
    spec = a_spec(protocol="from_elsewhere")
    found = of_row(a_row(spec, protocol=a_protocol(spec, **told)))
    usual = {"ranked": True, "attribute": None, "withheld": None, "asks_findings": True,
             "may_choose_on_test": False}  # fmt: skip
    assert {name: getattr(found, name) for name in usual} == usual | unlike
    assert found.title("toy/set") == "toy/set under from_elsewhere"


def test_the_protocol_of_a_row_is_the_one_of_its_name():
    for name in NAMES:
        assert of_row(a_row(a_spec(protocol=name))) == find(name)


def test_protocols_are_found_without_a_framework():
    code = (
        "import sys; from benchmark.protocols import find\n"
        f"print(len([find(name) for name in {NAMES!r}]))\n"
        "print([n for n in ('keras', 'tensorflow', 'jax', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(len(NAMES)), "[]"]

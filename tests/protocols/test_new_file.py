"""A protocol is one file: a suite names it, a plan has it, and its rows have their own table."""

from __future__ import annotations

import sys

import pytest

from benchmark import protocols
from benchmark.errors import UnknownName
from benchmark.records.store import Results
from benchmark.report.gathering.gather import gather
from benchmark.spec import PUBLISHED
from benchmark.suites import load_suite
from tests.ensembles.conftest import Workbench

NAME = "thorax_phantom/small"
FILE = '''
"""Half of the training images."""

from dataclasses import replace

import numpy as np

from benchmark.protocols.base import SplitProtocol, own_splits

NAMES = ("half",)


class Half(SplitProtocol):
    version = 3
    watermark = "half of the training images"

    def data(self, spec, prepared):
        data = own_splits(prepared)
        train = data["train"]
        return data | {"train": train.take(np.arange(0, len(train.part), 2))}


def parse(name):
    return Half(name) if name == "half" else None
'''
SUITE = f"""
title = "T"
description = "D."
[matrix]
datasets = ["{NAME}@half", "{NAME}"]
models = ["constant"]
resolutions = [32]
"""


@pytest.fixture
def half(tmp_path, monkeypatch):
    """The file in a folder that protocols are found in; returns a suite that names it."""
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "half.py").write_text(FILE)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "halves.toml").write_text(SUITE)
    folders = [*protocols.__path__, str(tmp_path / "protocols")]
    with monkeypatch.context() as patch:
        patch.setattr(protocols, "__path__", folders)
        yield load_suite("halves", tmp_path / "suites")
    sys.modules.pop("benchmark.protocols.half")
    del protocols.half


def test_a_suite_a_plan_and_a_table_have_the_new_protocol(half, phantom, tmp_path):
    assert half.datasets == [(NAME, "half"), (NAME, PUBLISHED)]
    bench = Workbench(phantom, tmp_path / "results")
    plan = bench.plan(half)
    assert [p.spec.protocol for p in plan.specs] == ["half", PUBLISHED]
    assert bench.run(plan) == {"done": 2}
    assert bench.plan(half).to_run() == []
    rows = {row.spec.protocol: row for row in bench.results.rows()}
    whole = rows[PUBLISHED].counts["train"].images
    assert rows["half"].counts["train"].images == (whole + 1) // 2
    assert rows["half"].code["protocol"] == "3"
    tables = gather(Results(tmp_path / "results"))
    assert len(tables) == 2
    (halved,) = (table for table in tables if table.split_protocol.name == "half")
    assert halved.protocol.split.endswith("; half")
    assert halved.watermarks == ("half of the training images",)
    assert halved.name == f"{NAME} under half"


def test_the_file_is_gone_and_so_is_the_protocol():
    with pytest.raises(UnknownName, match="unknown protocol 'half'"):
        protocols.find("half")

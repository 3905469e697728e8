"""What a spec is expected to take of memory, by rows of others like it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from benchmark.planning.memory import BYTES_PER_PARAMETER, START_MB, expected_mb
from tests.records.rows import a_row, a_spec

SPEC = a_spec(resolution=64, recipe={"batch_size": 32, "epochs": 2})


def took(peak_mb, parameters=0, **changes):
    """A row of a spec that is like :data:`SPEC` but for the changes."""
    row = a_row(replace(SPEC, seed=7, **changes), peak_memory_mb=peak_mb)
    return replace(row, model=replace(row.model, parameters=parameters))


def test_nothing_is_expected_of_what_nothing_is_known_of():
    others = {"model": "mlp"}, {"scheme": "frozen"}, {"precision": "mixed_bfloat16"}
    assert expected_mb(SPEC, [took(1000, **other) for other in others]) is None
    assert expected_mb(SPEC, [took(None)]) is None


def test_other_seeds_and_data_sets_tell_and_the_smallest_peak_does():
    rows = [took(4000), took(1100), took(1200, dataset="toy/other")]
    assert expected_mb(SPEC, rows) == 1100


@pytest.mark.parametrize(
    "changes",
    [{"resolution": 128}, {"recipe": {"batch_size": 128, "epochs": 2}}],
)
def test_what_grows_with_the_pixels_is_scaled(changes):
    parameters = 2**20
    fixed = START_MB + BYTES_PER_PARAMETER
    larger = replace(SPEC, **changes)
    assert expected_mb(larger, [took(fixed + 100, parameters)]) == fixed + 400
    assert expected_mb(SPEC, [took(fixed + 400, parameters, **changes)]) == fixed + 100


def test_a_row_with_as_many_pixels_tells_more_than_others():
    assert expected_mb(SPEC, [took(700, resolution=32), took(5000)]) == 5000


def test_parts_of_a_batch_are_what_is_in_memory():
    halved = {"batch_size": 64, "accumulate": 2, "epochs": 2}
    assert expected_mb(SPEC, [took(900, recipe=halved)]) == 900


def test_what_trains_no_network_takes_what_it_took():
    plain = {"resolution": 0, "recipe": {}, "precision": ""}
    assert expected_mb(replace(SPEC, **plain), [took(640, **plain)]) == 640

"""What a suite would take, by what past rows took."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from click.testing import CliRunner

from benchmark.cli import main
from benchmark.commands.plan import _operations, _room, _time
from benchmark.models import discover
from benchmark.planning.forecast import (
    Hardware,
    forecast,
    memory_mb,
    rates,
    result_bytes,
    supposed_counts,
    view_bytes,
    work_of,
)
from benchmark.records.run_facts import Accelerator, History, Speed
from tests.execution.conftest import make_suite, write_row

FILES = discover()
CARD = Accelerator(name="NVIDIA A100", count=1, memory_gb=40.0, driver="1")


def work(models=("linear", "cnn", "constant"), images=1000, **suite):
    made = make_suite(list(models), size=64, **suite)
    counts = supposed_counts(images)
    return work_of(made, FILES, "thorax_phantom/small", counts, masks=False)


@pytest.fixture
def rows(bench):
    """A row on a GPU that took ten times its nominal price, of the linear model."""

    def make(model="linear", seconds=100.0, **changes):
        (planned,) = bench.plan(make_suite([model])).specs
        row = write_row(bench.results, planned)
        environment = msgspec.structs.replace(row.environment, accelerator=CARD)
        return msgspec.structs.replace(
            row,
            environment=environment,
            history=History(best_epoch=0, loss=[1.0, 1.0], val_auc=[0.5, 0.5]),
            phases={"train": seconds},
            **changes,
        )

    return make


def gpus(count):
    return Hardware(name="GPUs", device=CARD.name, count=count)


def test_where_nothing_was_measured_nothing_is_made_up(rows):
    known = rates([rows()], FILES)
    found = forecast(work(), Hardware(name="x", device="Another card"), known)
    assert (found.hours, found.longest, found.bound) == (None, None, "not measured")


def test_hours_are_prices_times_what_rows_took_of_theirs(rows):
    row = rows()
    known = rates([row], FILES)
    linear = work(["linear"])
    found = forecast(linear, gpus(1), known)
    factor, own = known[CARD.name, None].of("linear")
    assert own
    assert found.hours == pytest.approx(linear[0].price * factor / 3600)
    assert found.measured == 1.0
    twice = rates([msgspec.structs.replace(row, phases={"train": 200.0})], FILES)
    assert forecast(linear, gpus(1), twice).hours == pytest.approx(2 * found.hours)


def test_a_model_that_was_not_run_goes_by_its_multiply_adds(rows):
    found = forecast(work(["linear", "cnn"]), gpus(1), rates([rows()], FILES))
    assert 0 < found.measured < 1


def test_a_training_that_ended_early_is_not_taken_for_a_fast_one(rows):
    whole = rows()
    early = msgspec.structs.replace(
        whole, history=History(best_epoch=0, loss=[1.0], val_auc=[0.5]), phases={"train": 55.0}
    )
    linear = work(["linear"])
    hours = [forecast(linear, gpus(1), rates([row], FILES)).hours for row in (whole, early)]
    assert hours[1] > hours[0] / 2 * 0.9


def test_more_devices_help_until_the_dearest_spec_bounds_it(rows):
    known, many = rates([rows()], FILES), work(["linear", "cnn"], seeds=range(16))
    one, eight, lots = (forecast(many, gpus(n), known) for n in (1, 8, 1000))
    assert one.hours / 8.01 <= eight.hours < one.hours / 4
    assert lots.hours == lots.longest == one.longest
    assert "more devices do not help" in lots.bound
    assert one.bound == "computing"


def test_waiting_for_images_is_named_where_it_bounds(rows):
    slow = rows(profile={"input": 9.0, "steps": 1.0})
    assert forecast(work(), gpus(1), rates([slow], FILES)).bound == "waiting for images"


def test_rows_of_shared_devices_are_no_measure(rows):
    assert rates([rows(speed=Speed(sharing=2))], FILES) == {}


def test_disk_counts_a_view_once_and_weights_of_every_spec():
    one, two = work(["linear"]), work(["linear", "mlp"], seeds=(0, 1))
    assert view_bytes(one) == view_bytes(two) == 1000 * 64**2
    assert result_bytes(two) > 2 * result_bytes(one)


def test_memory_is_that_of_rows_or_unknown(bench):
    (planned,) = bench.plan(make_suite(["linear"], size=64)).specs
    row = write_row(bench.results, planned, peak_memory_mb=900)
    peak, unknown = memory_mb(work(recipe={"epochs": 2, "batch_size": 16}), [row])
    assert peak >= 900
    assert unknown == ["cnn"]


def test_a_budget_holds_here_too():
    limited = replace(make_suite(["linear", "cnn"], size=224), budget_minutes=0.5)
    kept = work_of(limited, FILES, "x/y", supposed_counts(100_000), masks=False)
    assert {each.spec.model for each in kept} <= {"linear"}


def test_the_command_says_what_is_supposed_and_what_is_not_measured(tmp_path, phantom):
    folders = ["--results", str(tmp_path), "--data-dir", str(phantom[1])]
    names = ["reference", "--dataset", "chestxray14/fourteen"]
    told = CliRunner().invoke(main, ["plan", *names, *folders])
    assert "is not prepared here. Say --images N" in told.output
    told = CliRunner().invoke(main, ["plan", *names, "--images", "112120", *folders])
    assert told.exit_code == 0, told.output
    assert "multiply-adds at most" in told.output
    assert told.output.count("not measured") == 5  # memory, this machine, 1, 8 and 64 GPUs


@pytest.mark.parametrize(
    ("hours", "size", "told"),
    [
        (0.02, 2e6, ("2 min", "2 MB")),
        (0.99, 999e6, ("60 min", "999 MB")),
        (1.04, 1.04e9, ("1.0 h", "1.0 GB")),
        (1234.5, 2e12, ("1,234.5 h", "2,000.0 GB")),
        (None, 0, ("-", "0 MB")),
    ],
)
def test_a_small_suite_is_told_in_minutes_and_megabytes(hours, size, told):
    assert (_time(hours), _room(size)) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "1 x 10^0"), (5.504e12, "5.5 x 10^12"), (999.7e12, "1 x 10^15"), (8.22e16, "82.2 x 10^15"),
     (1.18e17, "118 x 10^15")],
)  # fmt: skip
def test_multiply_adds_have_an_exponent_that_fits(number, told):
    assert _operations(number) == f"{told} multiply-adds at most"


def test_a_suite_without_networks_is_told_no_multiply_adds(tmp_path, phantom):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'title = "T"\ndescription = "D"\n[matrix]\ndatasets = ["thorax_phantom/small"]\n'
        'models = ["constant"]\nresolutions = [64]\n'
    )
    folders = ["--results", str(tmp_path), "--data-dir", str(phantom[1])]
    told = CliRunner().invoke(main, ["plan", str(suite), *folders])
    assert "\n1 spec, no multiply-adds known.\n" in f"\n{told.output}"


def test_hardware_may_be_described(tmp_path, phantom):
    file = tmp_path / "mine.toml"
    file.write_text('name = "Mine"\ndevice = "A card"\ncount = 3\ndisk_gb = 0.001\n')
    folders = ["--results", str(tmp_path), "--data-dir", str(phantom[1])]
    told = CliRunner().invoke(main, ["plan", "phantom", "--hardware", str(file), "--dataset",
                                     "thorax_phantom/small", *folders])  # fmt: skip
    assert "Mine" in told.output
    assert "the disk, which has 1 MB free" in told.output
    file.write_text("devise = 1\n")
    told = CliRunner().invoke(main, ["plan", "phantom", "--hardware", str(file), *folders])
    assert told.exit_code == 2
    assert "TOML file with name, device" in told.output
    file.write_text('name = "Mine"\ndevice = "A card"\nthreads = "4"\n')
    told = CliRunner().invoke(main, ["plan", "phantom", "--hardware", str(file), *folders])
    assert "Expected a whole number or nothing, got text - at `$.threads`" in told.output
    file.write_bytes('name = "Müller"'.encode("latin-1"))
    told = CliRunner().invoke(main, ["plan", "phantom", "--hardware", str(file), *folders])
    assert (told.exit_code, "line 1 has the byte 0xFC" in told.output) == (2, True)

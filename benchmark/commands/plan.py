"""`cxr-bench plan`: what suites would take of time, memory and disk, on which hardware."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from benchmark.errors import UserError
from benchmark.records.door import in_words
from tfds_builders.encodings import utf8_text

if TYPE_CHECKING:
    from benchmark.models import ModelFile
    from benchmark.planning.forecast import Hardware, Rates, Work
    from benchmark.suites import Suite

SIZES = (1, 8, 64)
"""GPUs that are planned for."""
THIS = "this"


@dataclass(frozen=True)
class Known:
    """What a forecast goes by; ``peak_mb`` is 0 where no spec like these was run."""

    work: list[Work]
    rates: dict[tuple, Rates]
    peak_mb: int


def plan_suites(
    names: Sequence[str | Path],
    *,
    datasets: Sequence[str],
    images: int | None,
    hardware: str,
    results: Path,
    data_dir: Path,
    models_dirs: Sequence[Path],
) -> None:
    """Print the forecast."""
    from dataclasses import replace

    from benchmark.models import discover
    from benchmark.planning.forecast import memory_mb, rates, result_bytes, view_bytes
    from benchmark.planning.resolve import dataset_names
    from benchmark.records.store import Results
    from benchmark.report.blocks.text import counted
    from benchmark.suites import load_suite

    files = discover(models_dirs)
    suites = [load_suite(name) for name in names]
    if datasets:
        suites = [replace(s, matrix=s.matrix | {"datasets": list(datasets)}) for s in suites]
    dataset_names(suites, data_dir)  # an unknown one is told
    work = [each for suite in suites for each in _work(suite, files, data_dir, images)]
    rows = list(Results(results).rows())
    peak, unknown = memory_mb(work, rows)
    known = Known(work, rates(rows, files), peak or 0)
    operations = _operations(1e9 * sum(each.multiply_adds for each in work))
    click.echo(f"{counted(len(work), 'spec')}, {operations}.")
    click.echo(
        f"Disk: {_room(view_bytes(work))} of decoded images, "
        f"{_room(result_bytes(work))} of weights and predictions."
    )
    click.echo(f"Memory of the largest spec: {f'{peak:,} MB' if peak else 'not measured'}.")
    if unknown:
        click.echo(f"Not run yet, so of unknown memory: {', '.join(unknown)}.")
    click.echo("")
    for line in _lines(known, _hardware(hardware, results, known)):
        click.echo(line)


def _work(
    suite: Suite, files: dict[str, ModelFile], data_dir: Path, images: int | None
) -> Iterator[Work]:
    from benchmark.data.prepared import NotPrepared, load_prepared
    from benchmark.planning.forecast import supposed_counts, work_of

    for name, _ in suite.datasets:
        try:
            prepared = load_prepared(name, data_dir)
        except NotPrepared:
            if images is None:
                click.echo(f"Left out: {name} is not prepared here. Say --images N to suppose it.")
                continue
            masks, counts = name.startswith("lung_masks/"), supposed_counts(images)
        else:
            masks, counts = prepared.holds_masks, prepared.counts
        yield from work_of(suite, files, name, counts, masks=masks)


def _hardware(asked: str, results: Path, known: Known) -> list[Hardware]:
    """What a file describes; else this machine, and GPUs of every kind that rows were made on."""
    import tomllib

    from benchmark.planning.forecast import Hardware

    if asked != THIS:
        try:
            return [msgspec.convert(tomllib.loads(utf8_text(Path(asked).read_bytes())), Hardware)]
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else in_words(str(error))
            raise UserError(
                f"--hardware {asked}: {said}. It is 'this', or a TOML file with name, device (as "
                "rows name it) and count; also threads, memory_mb and disk_gb."
            ) from None
    kinds = sorted(device for device, threads in known.rates if device and threads is None)
    many = [
        Hardware(name=f"{n} x {kind}", device=kind, count=n)
        for kind in kinds or ["GPU"]
        for n in SIZES
    ]
    return [_this(results), *many]


def _this(results: Path) -> Hardware:
    from benchmark.machine.environment import current, environment_facts
    from benchmark.machine.memory import available_memory_mb
    from benchmark.planning.forecast import Hardware, device_of
    from benchmark.records.disk import free_bytes

    facts = environment_facts(current())
    device, threads = device_of(facts)
    return Hardware(
        name=f"this machine ({device}, {facts.threads} threads)",
        device=device or "",
        threads=threads,
        count=facts.accelerator.count if facts.accelerator else 1,
        memory_mb=available_memory_mb(),
        disk_gb=free_bytes(results) / 1e9,
    )


def _lines(known: Known, hardware: Sequence[Hardware]) -> Iterator[str]:
    from benchmark.planning.forecast import forecast, result_bytes, view_bytes

    yield f"{'Hardware':<44} {'Time':>10} {'Longest':>10}  Bound by"
    need_gb = (view_bytes(known.work) + result_bytes(known.work)) / 1e9
    for each in hardware:
        found = forecast(known.work, each, known.rates)
        bound = found.bound
        if each.memory_mb is not None and known.peak_mb > each.memory_mb:
            bound += f"; memory, of which {each.memory_mb:,} MB are free"
        if each.disk_gb is not None and need_gb > each.disk_gb:
            bound += f"; the disk, which has {_room(1e9 * each.disk_gb)} free"
        yield f"{each.name:<44} {_time(found.hours):>10} {_time(found.longest):>10}  {bound}"
        if found.hours is not None:
            own = f"{found.measured:.0%} by rows of the same models, the rest by multiply-adds"
            yield f"{'':<44} {own}"
    yield "Times are at most: a training that stops early takes less."


def _operations(number: float) -> str:
    """With an exponent in thousands; of models that count none, or whose card says none, so."""
    if not number:
        return "no multiply-adds known"
    digits, _, exponent = f"{number:.2e}".partition("e")
    thousands, rest = divmod(int(exponent), 3)
    return f"{float(digits) * 10**rest:.3g} x 10^{3 * thousands} multiply-adds at most"


def _time(hours: float | None) -> str:
    if hours is None:
        return "-"
    return f"{hours:,.1f} h" if hours >= 1 else f"{math.ceil(60 * hours)} min"


def _room(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{math.ceil(size / 1e6)} MB"

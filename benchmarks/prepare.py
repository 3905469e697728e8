"""Memory and speed of preparing a set of many images, run by hand; writes PREPARE.md.

A few hundred simulated films are cut and turned into as many images as are asked for. Each number
of images is prepared in a fresh process, which says its peak memory after the builder and after the
manifest and the audit::

    python -m benchmarks.prepare                        # 5,000 and 20,000 images
    python -m benchmarks.prepare --images 500 --out /tmp/some.md
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.records.files import write_atomic

NAME = "image_folder/many"
FILMS = 300
FINDINGS = ((), ("Effusion",))
LIMIT_MIB = 2048
SAME = 0.05
"""Peaks that differ by less than this share count as equal: libraries are mapped anew each time."""


@dataclass(frozen=True)
class Measured:
    """One preparation.

    Attributes:
        images: how many.
        megabytes: of their files, 10^6 bytes.
        read_s: seconds to read all files once, from the system's cache.
        decode_s: seconds to decode all of them once, on all cores.
        build_s: seconds in the builder: read, check, write, put into order, write again.
        audit_s: seconds for manifest, 64 px views and the search for copies.
        copies_s: of these, for the views, for the search and for the comparison of its pairs.
        pairs: pairs of images that were compared.
        idle_mib: peak memory once the libraries are loaded, before the first image.
        build_mib: peak memory after the builder.
        peak_mib: peak memory at the end.
        load: processes that ran or waited in the minute before.
    """

    images: int
    megabytes: float
    read_s: float
    decode_s: float
    build_s: float
    audit_s: float
    copies_s: dict[str, float]
    pairs: int
    idle_mib: float
    build_mib: float
    peak_mib: float
    load: float

    @property
    def line(self) -> str:
        """As a line of the table."""
        specs = (
            f"{self.images:,}",
            f"{self.megabytes:,.0f}",
            f"{self.read_s:.1f}",
            f"{self.decode_s:.1f}",
            f"{self.build_s:.1f}",
            f"{self.build_s / self.read_s:.1f}",
            f"{self.build_s / self.decode_s:.1f}",
            f"{self.images / self.build_s:,.0f}",
            f"{self.audit_s:.0f}",
            *(f"{self.copies_s[phase]:.0f}" for phase in ("views", "search", "compare")),
            f"{self.pairs:,}",
            f"{self.idle_mib:,.0f}",
            f"{self.build_mib:,.0f}",
            f"{self.peak_mib:,.0f}",
        )
        return "| " + " | ".join(specs) + " |"


HEADER = (
    "images",
    "MB",
    "read s",
    "decode s",
    "build s",
    "build / read",
    "build / decode",
    "images / s",
    "audit s",
    "views s",
    "search s",
    "compare s",
    "pairs",
    "MiB idle",
    "MiB builder",
    "MiB all",
)


def films(size: int) -> list[np.ndarray]:
    """Simulated films, every other one with a finding."""
    from tfds_builders.thorax_phantom.simulation import draw_patient, simulate

    return [
        simulate(draw_patient(number, f"p{number}", findings=FINDINGS[number % 2]), 0, size).pixels
        for number in range(FILMS)
    ]


def write(folder: Path, made: list[np.ndarray], count: int) -> int:
    """Write so many images, four to a patient; returns their bytes."""
    for finding in ("EFFUSION", "NORMAL"):
        (folder / finding).mkdir(parents=True)
    total = 0
    for number in range(count):
        data = jpeg(made[number % len(made)], np.random.default_rng(number))
        finding = ("NORMAL", "EFFUSION")[number % 2]
        (folder / finding / f"{number // 4:06d}_{number}.jpeg").write_bytes(data)
        total += len(data)
    return total


def jpeg(film: np.ndarray, rng: np.random.Generator) -> bytes:
    """Some part of a film, turned in one of eight ways: another image to every check."""
    side = len(film) * 2 // 3
    top, left = rng.integers(0, len(film) - side, 2)
    part = np.rot90(film[top : top + side, left : left + side], rng.integers(4))
    buffer = io.BytesIO()
    Image.fromarray(part if rng.integers(2) else part.T).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def measure(raw: Path, data_dir: Path) -> dict[str, Any]:
    """Read, decode and prepare in this process: seconds, and MiB at the peak so far."""
    import tensorflow as tf
    import tensorflow_datasets  # noqa: F401  # seconds that have nothing to do with the images

    from benchmark.data.allocation import return_large_blocks
    from benchmark.data.audit.copies import stored_copies
    from benchmark.data.building import build
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from tfds_builders.image_folder.options import Options
    from tfds_builders.parallel import in_order

    def decoded(path: Path) -> None:
        tf.io.decode_image(path.read_bytes(), channels=1, expand_animations=False)

    paths = sorted(raw.rglob("*.jpeg"))
    decoded(paths[0])
    return_large_blocks()  # as `prepare` does, of which `build` is the first half
    clock, idle = [time.perf_counter()], peak()
    for path in paths:
        path.read_bytes()
    clock.append(time.perf_counter())
    for _ in in_order(decoded, paths):
        pass
    clock.append(time.perf_counter())
    dataset = replace(find_dataset(NAME), options=Options(patient_pattern="^([0-9]+)_"))
    build(dataset, data_dir, raw)
    clock.append(time.perf_counter())
    built = peak()
    copies = stored_copies(prepare(dataset, data_dir, raw))
    clock.append(time.perf_counter())
    read_s, decode_s, build_s, audit_s = np.diff(clock).tolist()
    return {
        "read_s": read_s,
        "decode_s": decode_s,
        "build_s": build_s,
        "audit_s": audit_s,
        "copies_s": copies.seconds,
        "pairs": copies.candidates,
        "idle_mib": idle,
        "build_mib": built,
        "peak_mib": peak(),
    }


def peak() -> float:
    """Peak resident memory of this process, MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def run(count: int, made: list[np.ndarray]) -> Measured:
    """Measure so many images in a process of their own."""
    with tempfile.TemporaryDirectory(prefix="cxr-bench-") as folder:
        raw = Path(folder) / "raw"
        total = write(raw, made, count)
        command = [sys.executable, "-m", "benchmarks.prepare", "--one"]
        command += [str(raw), str(Path(folder) / "data")]
        load = os.getloadavg()[0]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Measured(images=count, megabytes=total / 1e6, load=load, **found)


def page(rows: list[Measured], size: int) -> str:
    """The Markdown page."""
    from tfds_builders.parallel import cores

    few, many, side = rows[0], rows[-1], size * 2 // 3
    lines = [
        "# Preparing many images",
        "",
        f"Made by `python -m benchmarks.prepare` on {cores()} cores, TensorFlow "
        f"{version('tensorflow')}: JPEG files of {side} x {side} px cut from {FILMS} simulated "
        "films, each number of them prepared by a fresh process. The load of the system just "
        f"before was {', '.join(f'{row.load:.1f}' for row in rows)}: what else ran makes times "
        "upper bounds. What the columns are is said in that file, at `Measured`.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "--:|" * len(HEADER),
        *(row.line for row in rows),
        "",
        f"- Peak memory below {LIMIT_MIB:,} MiB: {yes(many.peak_mib < LIMIT_MIB)}.",
        *(
            f"- Peak of {what} of {more.images:,} images no larger than of {few.images:,}, within "
            f"{SAME:.0%}: {yes(high <= (1 + SAME) * low)} ({high - low:+,.0f} MiB)."
            for more in rows[1:]
            for what, low, high in (
                ("the builder", few.build_mib, more.build_mib),
                ("builder, manifest and audit", few.peak_mib, more.peak_mib),
            )
        ),
        f"- The builder takes {many.build_s / many.read_s:.1f} times as long as reading the same "
        f"bytes once from the system's cache, and {many.build_s / many.decode_s:.1f} times as long "
        "as decoding them once on all cores: every image is decoded to be checked, written, and "
        "read and written again to be put into its order.",
        "- Images, hashes and views stay on disk and are read block by block. The manifest is held "
        "in memory, 0.2 KB an image, and so are the audit's list of pairs and, for a while, the "
        "lines of the test split. Importing TensorFlow takes what stands under `MiB idle`.",
        "- The audit compares hashes of all pairs of images, so its search grows with the square "
        "of their number, and then registers the best pairs. Cuttings of the same films have more "
        "of these than radiographs of as many patients have: there about two an image.",
    ]
    return "\n".join(lines) + "\n"


def yes(said: bool) -> str:
    """A verdict in words."""
    return "yes" if said else "**no**"


def main() -> None:
    """Measure each number of images, say each row as it is known, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument("--size", type=int, default=480, help="of a film; two thirds are cut out")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("PREPARE.md"))
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    made, rows = films(given.size), []
    for count in given.images:
        rows.append(run(count, made))
        print(json.dumps(asdict(rows[-1])), flush=True)
    write_atomic(given.out, page(rows, given.size).encode())


if __name__ == "__main__":
    main()

"""Memory and speed of preparing a set of many images, run by hand.

A few hundred simulated films are cut and turned into as many images as are asked for. Each number
of images is prepared in a fresh process, which says its peak memory after the builder and after the
manifest and the audit. Speed is given as the ratio to reading the same bytes once.

    PYTHONPATH=. python benchmarks/prepare.py --images 5000 20000

Reached on two cores, TensorFlow 2.21, while other programs ran at five times the load that they
can bear (so the times are upper bounds; reading is from the cache of the system)::

    images     MB   read s  build s  ratio  audit s  peak MiB: builder  all
      5000    174      0.7     13.7   19.6    156.6                887 1014
     20000    697      1.8     52.0   29.0    888.0                890 1059

The builder alone took 6 and 25 s before, on a quiet machine. Importing TensorFlow counts for 650 to
800 MiB, by how much of its libraries the system maps in this run, so only peaks of one run compare.
The 45 MiB that 20,000 images take more are at least partly memory that is free but kept by the C
library: with MALLOC_TRIM_THRESHOLD_=100000 the manifest's share of them vanishes. While the audit
still held images and hashes in memory it was 200 MiB (1104 and 1303, from 650). The audit compares
all pairs: its search grows with the square of the images, a third of its time for 20,000; the rest
goes into the partners of each image, of which cuttings of 300 films have four each.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

NAME = "image_folder/many"
FILMS = 300
FINDINGS = ((), ("Effusion",))


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


def reading(folder: Path) -> float:
    """Seconds to read every file once."""
    start = time.perf_counter()
    for path in sorted(folder.rglob("*.jpeg")):
        path.read_bytes()
    return time.perf_counter() - start


def measure(raw: Path, data_dir: Path) -> dict[str, float]:
    """Prepare in this process: seconds, and MiB at the peak so far."""
    import tensorflow  # noqa: F401  # seconds that have nothing to do with the images
    import tensorflow_datasets  # noqa: F401

    from benchmark.data.building import build
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepare import prepare
    from tfds_builders.image_folder.options import Options

    dataset = replace(find_dataset(NAME), options=Options(patient_pattern="^([0-9]+)_"))
    start = time.perf_counter()
    build(dataset, data_dir, raw)
    built = time.perf_counter()
    peak_built = peak()
    prepare(dataset, data_dir, raw)
    return {
        "build_s": built - start,
        "audit_s": time.perf_counter() - built,
        "peak_build_mib": peak_built,
        "peak_mib": peak(),
    }


def peak() -> float:
    """Peak resident memory of this process, MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main() -> None:
    """Parse the arguments, measure each size in a process of its own, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument("--size", type=int, default=480, help="of a film; two thirds are cut out")
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(*given.one)))
        return
    made = films(given.size)
    print("images     MB   read s  build s  ratio  audit s  peak MiB: builder  all")
    for count in given.images:
        with tempfile.TemporaryDirectory(prefix="cxr-bench-") as folder:
            raw = Path(folder) / "raw"
            total = write(raw, made, count)
            read = reading(raw)
            command = [sys.executable, __file__, "--one", str(raw), str(Path(folder) / "data")]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{count:6d} {total / 1e6:6.0f} {read:8.1f} {found['build_s']:8.1f} "
                f"{found['build_s'] / read:6.1f} {found['audit_s']:8.1f} "
                f"{found['peak_build_mib']:18.0f} {found['peak_mib']:4.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""A small world of every kind of state file, commands that read them, and what they may say."""

from __future__ import annotations

import json
import re
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from msgspec.structs import replace

from benchmark.cli import main
from benchmark.data.prepared import Prepared, load_prepared
from benchmark.data.views import open_view
from benchmark.hashing import sha256
from benchmark.models import discover
from benchmark.records.files import write_atomic
from benchmark.records.mask_counts import MaskCounts, pack_masks
from benchmark.records.row import Made, Row
from benchmark.records.run_facts import TrainedOn
from benchmark.records.store import Results
from benchmark.scoring.publishing import check, publish
from benchmark.spec import NETWORK, requirement
from benchmark.task import Task
from tests.records.rows import a_row, a_spec, counts_of
from tests.report.made_rows import add_row, predictions, protocol

DATASET = "thorax_phantom/small"
KINDS = {
    "row": "results/rows/*.json",
    "row of another set": "results/cross/rows/*.json",
    "predictions": "results/**/predictions/*.csv.gz",
    "scores": "results/**/scores/*.json",
    "influences": "results/**/influences/*.json",
    "intervals": "results/**/intervals/*.json",
    "comparisons": "results/comparisons/*.json",
    "leaderboard": "results/*.*",
    "weights": "results/weights/*",
    "masks": "results/masks/*",
    "claim": "results/claims/*",
    "prepared.json": "data/**/prepared.json",
    "manifest": "data/**/manifest.csv",
    "shapes.json": "data/**/shapes.json",
    "metadata": "data/**/metadata.json",
    "features": "data/**/features.json",
    "TFDS facts": "data/**/dataset_info.json",
    "view facts": "cache/views/*/view.json",
    "view": "cache/views/*/*.npy",
    "external CSV": "external/theirs.csv",
    "external NPZ": "external/theirs.npz",
}
"""Kind of state file -> where such files are."""
NETWORKS = ("row", "weights")
"""What decides which network is built."""
OF_DATA = (
    "prepared.json", "manifest", "shapes.json", "metadata", "features", "TFDS facts", "view facts",
    "view",
)  # fmt: skip
LONGEST_ANSWER = 60
"""Seconds that a command may take; a pipe that is waited for takes for ever."""
LONGEST_LINE = 5000
MOST_MEMORY = 3 << 30
"""Bytes that it may take beside what was taken before."""
ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What does something to a terminal."""


@dataclass(frozen=True)
class Command:
    """A command line.

    Attributes:
        words: of it, but for folders.
        writes: whether it writes the leaderboard.
    """

    words: tuple[str, ...]
    writes: bool = False


class World:
    """Folders with one or more of every kind of file, all as they were written.

    Args:
        folder: empty; ``original`` in it stays as it is, ``now`` is changed and restored.
        prepared: the data set, in ``data_dir``.
    """

    def __init__(self, folder: Path, prepared: Prepared, data_dir: Path):
        self.folder, self.kept = folder / "now", folder / "original"
        self.results = Results(self.folder / "results")
        self.recompute = Command(("leaderboard", "--recompute"), writes=True)
        shutil.copytree(prepared.path, self.folder / "data" / prepared.path.relative_to(data_dir))
        self._fill()
        self.usual = {}
        for command in self._all():
            self.run(command)  # what is derived is there from now on
        for name in ("merged", "out.csv", "x.keras"):
            path = self.folder / "results" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.folder, self.kept, symlinks=True)
        for command in self._all():
            self.usual[command] = self.told(command)
            self.restore()

    def _fill(self) -> None:
        trained = [add_row(self.results, m, s) for m in ("cnn", "linear") for s in range(3)]
        add_row(self.results, "constant", strength=0.0)
        add_row(self.results, "mlp", failed="it crashed")
        self.row, self.other = trained[0], trained[3]
        self.crossed = self._crossed(self.row)
        self.masks = self._masks()
        self._weights(self.row)
        write_atomic(self.results.folder / "claims" / self.row.spec_id, b"{}")
        ids = np.array(["a", "b"])
        packed = pack_masks(ids, np.ones((2, 8, 8), bool))
        write_atomic(self.results.masks_path(self.masks.spec_id), packed)
        self._external()
        prepared = load_prepared(DATASET, self.folder / "data")
        open_view(prepared, "test", 32, "raw", self.folder / "cache")

    def _masks(self) -> Row:
        n, of = 30, np.random.default_rng(0)
        content = MaskCounts(
            split=np.repeat(["train", "validation", "test"], n // 3),
            image_id=np.array([f"images/{i:03d}.jpeg" for i in range(n)]),
            patient_id=np.array([f"{i // 2:03d}" for i in range(n)]),
            pairing=np.resize(["unique", "01", ""], n),
            counts=of.integers(0, 200, (n, 4)),
        )
        spec = a_spec(kind="masks", model="unet")
        row = a_row(spec, ("lung",), "segmentation", counts=counts_of(content))
        return publish(self.results, row, check(content, row.protocol))

    def _crossed(self, home: Row) -> Row:
        """The row's network on another set."""
        shared = protocol("toy/other", cross=True)
        spec = replace(
            home.spec,
            kind="external_validation",
            dataset=shared.dataset,
            scheme="",
            weights="",
            recipe={},
            requires={NETWORK: requirement(home.spec)},
        )
        content = predictions(shared, 1.0, 7, "binary")
        same = {"pneumonia": ["pneumonia"]}
        made = Made(spec_id=home.spec_id, predictions_sha256=home.predictions_sha256)
        row = replace(
            home,
            spec=spec,
            spec_id=spec.spec_id,
            config_id=spec.config_id,
            protocol=shared,
            counts=counts_of(content),
            made_from={NETWORK: made},
            trained_on=TrainedOn(
                dataset=home.spec.dataset,
                scheme=home.spec.scheme,
                weights=home.spec.weights,
                findings=(same, same),
            ),
        )
        return publish(self.results.cross, row, check(content, shared))

    def _weights(self, row: Row) -> None:
        from benchmark.training.network import encode_weights, fresh_model

        network = fresh_model(row.spec, discover()[row.spec.model], Task(("pneumonia",), "binary"))
        data = encode_weights(network)
        write_atomic(self.results.weights_path(row.spec_id), data)
        self.results.write_row(replace(row, weights_sha256=sha256(data)))

    def _external(self) -> None:
        """Predictions of another tool, as CSV and as NPZ."""
        prepared = load_prepared(DATASET, self.folder / "data")
        test = prepared.part("test")
        chance = np.random.default_rng(0)
        columns = {"image_id": test.image_id.astype(str)}
        columns |= {f"logit:{f}": chance.normal(size=len(test)) for f in prepared.task.findings}
        folder = self.folder / "external"
        folder.mkdir()
        np.savez(folder / "theirs.npz", **columns)
        lines = zip(*(values.tolist() for values in columns.values()), strict=True)
        text = [",".join(columns), *(",".join(map(str, line)) for line in lines)]
        (folder / "theirs.csv").write_text("\n".join(text) + "\n")

    # --- files -----------------------------------------------------------------------------------

    def files(self, kind: str) -> list[Path]:
        """Those of a kind, relative to the world."""
        found = sorted(p.relative_to(self.kept) for p in self.kept.glob(KINDS[kind]))
        assert found, kind
        return [path for path in found if (self.kept / path).is_file()]

    def restore(self, kind: str = "") -> None:
        """Put everything back; where only a file of this kind was changed, what it lies in."""
        for name in ("results", "external"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(self.kept / name, self.folder / name, symlinks=True)
        if kind and kind not in OF_DATA:
            return
        for path in self._in_two(self.folder):
            kept = self.kept / path.relative_to(self.folder)
            if not kept.exists():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for kept in self._in_two(self.kept):
            path = self.folder / kept.relative_to(self.kept)
            if kept.is_file() and not _same(path, kept):
                if path.is_symlink() or path.exists():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                shutil.copyfile(kept, path)

    def _in_two(self, folder: Path) -> list[Path]:
        """What is in the large folders, the deepest first."""
        return sorted((p for n in ("data", "cache") for p in (folder / n).rglob("*")), reverse=True)

    # --- commands --------------------------------------------------------------------------------

    def commands(self, kind: str, *, recompute: bool) -> list[Command]:
        """Those that read a kind of file.

        Args:
            recompute: also the one that computes all anew, which takes seconds, as building a
                network does.
        """
        if kind.startswith("external"):
            return [each for each in self._of_others() if kind[-3:].lower() in each.words[2]]
        found = self._of_data() if kind in OF_DATA else self._of_results()
        slow = {"--recompute": recompute, "evaluate": kind in NETWORKS, "weights": kind in NETWORKS}
        return [c for c in found if all(wanted for w, wanted in slow.items() if w in c.words)]

    def _all(self) -> list[Command]:
        return [*self._of_results(), *self._of_data(), *self._of_others()]

    def _of_others(self) -> list[Command]:
        paths = sorted((self.folder / "external").iterdir())
        return [Command(("score", "--check", str(p), "--dataset", DATASET)) for p in paths]

    def _of_results(self) -> list[Command]:
        row, config, other = self.row.spec_id, self.row.config_id, self.other.config_id
        out = str(self.folder / "results" / "out.csv")
        return [
            Command(("leaderboard",), writes=True),
            self.recompute,
            Command(("show", config)),
            Command(("show", row, "--json")),
            Command(("show", self.masks.spec_id)),
            Command(("compare", config, other)),
            Command(("export",)),
            Command(("export", "--format", "csv")),
            Command(("report", "--out", str(self.folder / "site"))),
            Command(("predictions", row, "--out", out)),
            Command(("merge", str(self.folder / "results"), "INTO"), writes=True),
            Command(("weights", "export", row, "--out", str(self.folder / "results" / "x.keras"))),
            Command(("evaluate", row, "--on", DATASET)),
            Command(("reproduce", config)),
            Command(("plan", "phantom")),
            Command(("masks", self.masks.spec_id)),
            Command(("run", "--dry-run", "--suite", "phantom", "--dataset", DATASET)),
            Command(("doctor", "--quick", "--suite", "phantom")),
        ]

    def _of_data(self) -> list[Command]:
        return [
            Command(("list", "datasets")),
            Command(("doctor", "--quick", "--suite", "phantom")),
            Command(("audit", DATASET, "--no-images")),
            Command(("run", "--dry-run", "--suite", "phantom", "--dataset", DATASET)),
            Command(("plan", "phantom", "--dataset", DATASET)),
            Command(
                ("score", "--check", str(self.kept / "external/theirs.csv"), "--dataset", DATASET)
            ),
            Command(("cache", "ls")),
            Command(("cache", "verify")),
        ]

    def run(self, command: Command) -> Result:
        """Run it on the world as it is."""
        words = [w.replace("INTO", "--results") for w in command.words]
        into = [str(self.folder / "results" / "merged")] if "INTO" in command.words else []
        folders = {
            "--results": self.folder / "results",
            "--data-dir": self.folder / "data",
            "--cache-dir": self.folder / "cache",
        }
        taken = _options(command.words)
        given = [w for name, path in folders.items() if name in taken for w in (name, str(path))]
        with _bounded():
            return CliRunner().invoke(main, [*words, *into, *given])

    def told(self, command: Command) -> tuple[int, str, dict]:
        """How it ends, what it says, and the numbers of the leaderboard that it writes."""
        done = self.run(command)
        return done.exit_code, steady(done.output), self.numbers(command) if command.writes else {}

    def board(self, command: Command) -> Path:
        """The leaderboard that a command writes."""
        folder = self.folder / "results" / ("merged" if "merge" in command.words else "")
        return folder / "leaderboard.json"

    def numbers(self, command: Command) -> dict:
        """What that says."""
        path = self.board(command)
        return json.loads(path.read_text()) if path.is_file() else {}


def _same(path: Path, kept: Path) -> bool:
    """Whether a file is as it was; what is no file is not read."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != kept.stat().st_size:
        return False
    return path.read_bytes() == kept.read_bytes()


def _options(words: tuple[str, ...]) -> list[str]:
    """Which folders a command takes."""
    command = main.commands[words[0]]
    if words[0] in ("weights", "cache"):
        command = command.commands[words[1]]
    options = {name for parameter in command.params for name in parameter.opts}
    return sorted(options - ({"--results"} if "INTO" in words else set()))


_PROGRESS = re.compile(r"^Report: .* of .* pages\n|^.* examples, .* a second\n", re.MULTILINE)


def steady(text: str) -> str:
    """Without free space and lines of progress, which are of the machine."""
    return _PROGRESS.sub("", re.sub(r"[\d.]+ GB free", "GB free", text))


@contextmanager
def _bounded() -> Iterator[None]:
    """In bounded time and memory: a device that is read as a file takes all there is."""

    def late(*_):
        raise TimeoutError(f"no answer in {LONGEST_ANSWER} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_ANSWER)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(
        resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, limits[1])
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

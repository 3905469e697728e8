"""The benchmark from Python: a few functions, for notebooks and scripts. See docs/api.md.

Each does what a command does. Folders left out are those of the command line: ``results`` here,
``TFDS_DATA_DIR`` and ``CXR_BENCH_CACHE`` or their usual places. Mistakes are
:class:`benchmark.errors.UserError`, whose text says what to do.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from benchmark.arguments import (
    check_folders,
    check_images,
    check_paths,
    check_table,
    check_texts,
    write_table,
)
from benchmark.errors import UnknownModel, UserError
from benchmark.machine.paths import CACHE_DIR, DATA_DIR, usual_folder
from benchmark.task import Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    from pandas import DataFrame

    from benchmark.data.prepared import Prepared

PathLike = str | os.PathLike[str]
RESULTS = Path("results")
_TEXT = ("protocol_id", "config_id", "dataset", "dataset_version", "withheld", "model", "seeds",
         "specs", "edited_seeds", "improving_seeds", "stalled_seeds")  # fmt: skip
"""Columns of names and lists: also where all that they hold looks like numbers."""
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ASKED_FOR = _LEVEL in os.environ
"""Whether TensorFlow is to talk: it is told before it is imported, or it does anyway."""
os.environ.setdefault(_LEVEL, "2")

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def _quietly(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Keep what TensorFlow says as it starts for the log of libraries, unless it is asked for."""

    @wraps(function)
    def called(*given: _Given.args, **named: _Given.kwargs) -> _Found:
        from benchmark.commands.terminal import libraries_logged

        with nullcontext() if _ASKED_FOR else libraries_logged():
            return function(*given, **named)

    return called


def load_results(results: PathLike = RESULTS) -> DataFrame:
    """The leaderboard of a results folder; what cannot be used is left out, and logged.

    Returns:
        A line a configuration, in the order of the leaderboard; columns as in ``leaderboard.csv``
        (docs/columns.md), numbers unrounded and NaN where undefined.

    Raises:
        UserError: there is no such folder.
    """
    import pandas as pd

    from benchmark.records.spreadsheets import read_back
    from benchmark.records.store import Results
    from benchmark.report.export.csv_and_json import exports
    from benchmark.report.leaderboard.board import Leaderboard

    check_paths(results=results)
    if not Path(results).is_dir():
        raise UserError(f"there is no results folder {os.fspath(results)}")
    held = b"".join(exports(Leaderboard.of(Results(Path(results))), cost=True)["leaderboard.csv"])
    if not held.strip():
        return pd.DataFrame()
    text = dict.fromkeys(_TEXT, str)
    # Nothing but an empty cell is missing: a model may be called null.
    frame = pd.read_csv(io.BytesIO(held), dtype=text, keep_default_na=False, na_values=[""])
    return read_back(frame)


def load_predictions(row: str, results: PathLike = RESULTS) -> DataFrame:
    """What a row, or every seed of a configuration, said of each image.

    Args:
        row: id of a spec or a configuration, or the start of one.

    Returns:
        A line an image and row: spec_id, seed, split, image_id, patient_id, age, sex, view and for
        each finding target (NaN where unlabelled), logit and probability.

    Raises:
        UserError: there is no such row, or its prediction file is missing or damaged.

    Warns:
        UserWarning: a prediction file was changed after its run; it is given as it is.
    """
    from benchmark.records.store import Results
    from benchmark.report.blocks.text import one_line
    from benchmark.report.comparing.lookup import find
    from benchmark.report.gathering.predictions import changed, predictions_frame

    check_texts(row=row)
    check_paths(results=results)
    store = Results(Path(results))
    rows = find(store, row).done
    frame = predictions_frame(store, rows)
    for each in changed(store, rows):
        warnings.warn(one_line(each), stacklevel=2)
    return frame


def compare(a: str, b: str, *, finding: str = "", results: PathLike = RESULTS) -> dict[str, Any]:
    """How far two rows or configurations of one protocol are apart, and whether that is chance.

    Args:
        a, b: ids, as of :func:`load_predictions`.
        finding: whose AUC is compared, too, of several.

    Returns:
        What ``cxr-bench compare A B --json`` prints: ``A``, ``B``, ``difference`` by metric
        (difference, se, interval, p, note ...) and ``auc_of_finding`` by finding.

    Raises:
        UserError: there is no such row, or the two are not measured under one protocol.
    """
    from benchmark.records.store import Results
    from benchmark.report.comparing.compared import Compared
    from benchmark.report.comparing.lookup import find

    check_texts(a=a, b=b, finding=finding)
    check_paths(results=results)
    store = Results(Path(results))
    return Compared.of(store, find(store, a), find(store, b), finding).as_json()


@_quietly
def load_dataset(
    name: str,
    split: str = "train",
    size: int = 224,
    *,
    preprocessing: str = "raw",
    batch_size: int = 32,
    data_dir: PathLike | None = None,
    cache_dir: PathLike | None = None,
) -> tf.data.Dataset:
    """The images of a prepared set as models of the benchmark see them, in the manifest's order.

    Returns:
        Batches (x, y): x float32 (B, size, size, 1) in [0, 1]; y float32 (B, F), 0 or 1, -1 where
        a finding is not labelled.

    Raises:
        UnknownName: there is no such set, split or preprocessing.
        UserError: the set is not prepared, the images cannot be made so, or the cache cannot be
            written.
    """
    check_texts(name=name, split=split, preprocessing=preprocessing)
    check_folders(data_dir=data_dir, cache_dir=cache_dir)
    check_images(size, preprocessing, batch_size)
    import tensorflow as tf

    from benchmark.data.pipeline import evaluation_batches
    from benchmark.data.views import open_view

    prepared = _prepared(name, data_dir)
    cache = usual_folder(CACHE_DIR, cache_dir)
    view = open_view(prepared, split, size, preprocessing, cache)
    x = evaluation_batches(view.images, batch_size)
    y = tf.data.Dataset.from_tensor_slices(prepared.part(split).masked_targets).batch(batch_size)
    return tf.data.Dataset.zip(x, y)


@_quietly
def build_model(
    name: str,
    size: int,
    task: Task | str,
    *,
    normalisation: str = "own",
    weights: str | tuple[str, ...] | None = None,
    models_dirs: Sequence[PathLike] = (),
    data_dir: PathLike | None = None,
) -> keras.Model:
    """A model of the benchmark, normalisation included, untrained.

    Args:
        name: of its file.
        size: image side in px.
        task: findings and kind, or the name of a prepared set that has them.
        normalisation: ``unit``, ``standardise``, ``imagenet`` or ``own`` (the model's).
        weights: file or files for its backbone; None draws them at random.
        models_dirs: folders with model files of one's own.

    Returns:
        float32 (B, size, size, 1) in [0, 1] -> float32 logits (B, F).

    Raises:
        UnknownName: there is no such model, normalisation or set.
        UserError: the model does not apply to the size, its file is at fault, or there is no such
            task.
    """
    from benchmark.models import create, discover
    from benchmark.suites.axes import check_resolution

    check_texts(name=name, normalisation=normalisation)
    check_folders(models_dirs, data_dir=data_dir)
    check_resolution(size)
    known = discover([Path(folder) for folder in models_dirs])
    if name not in known:
        raise UnknownModel("model", name, known)
    asked = _prepared(task, data_dir).task if isinstance(task, str) else task
    if not isinstance(asked, Task):
        raise UserError(
            "a task is the name of a prepared set or e.g. benchmark.Task(('Effusion',), 'binary'), "
            f"not {task!r}"
        )
    return create(known[name], size, asked, normalisation, weights)


@_quietly
def score(
    predictions: DataFrame, dataset: str, *, data_dir: PathLike | None = None
) -> dict[str, Any]:
    """The scores of predictions of any model, as if its row stood in the leaderboard.

    Args:
        predictions: ``image_id``, ``split`` where there is more than test, and for each finding
            ``logit:<finding>`` or ``probability:<finding>``; see docs/external.md.
        dataset: prepared, whose images they are of, all and only these; or ``DATASET@PROTOCOL``.

    Returns:
        ``splits`` (by split ``metrics``, ``per_finding`` ...), ``thresholds``, ``gap``,
        ``intervals`` and the rest of a file of scores, also what such a file leaves out as it has
        its usual value. Nothing is written.

    Raises:
        UserError: there is no such set, or these are not predictions of its images.

    Warns:
        UserWarning: something may be wrong with them; ``cxr-bench score`` says the same.
    """
    from benchmark.kinds.external_run import Origin, read_entry, seen_under
    from benchmark.records.facts import every_field
    from benchmark.report.blocks.text import one_line

    check_table(predictions)
    check_texts(dataset=dataset)
    check_folders(data_dir=data_dir)
    protocol, prepared = seen_under(dataset, usual_folder(DATA_DIR, data_dir))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        write_table(predictions, path)
        try:
            entry = read_entry(path, 0, prepared, Origin("given"), protocol.name)
        except UserError as error:  # nobody else knows of the file
            raise UserError(str(error).replace(str(path), "predictions")) from None
    for each in entry.warnings:
        warnings.warn(one_line(each), stacklevel=3)  # 2 is what keeps it quiet
    return every_field(entry.checked.scores)


@_quietly
def run(
    suite: PathLike,
    *,
    results: PathLike = RESULTS,
    data_dir: PathLike | None = None,
    cache_dir: PathLike | None = None,
    models_dirs: Sequence[PathLike] = (),
    limit_images: int | None = None,
    jobs: int | None = None,
) -> DataFrame:
    """Train and score what is missing of a suite, as ``cxr-bench run --suite`` does.

    Args:
        suite: its name, or the path of a file of one's own.
        limit_images: of each split at most; such rows are watermarked.
        jobs: specs side by side.

    Returns:
        :func:`load_results` of the folder. What failed is a row there, and says why.

    Raises:
        UserError: the suite cannot be read, a value cannot be, or the machine cannot run it.
    """
    import click

    from benchmark.cli.running import run as command
    from benchmark.commands.surroundings import system_errors_told

    check_paths(suite=suite, results=results)
    check_folders(models_dirs, data_dir=data_dir, cache_dir=cache_dir)
    words = ["--suite", os.fspath(suite), "--results", os.fspath(results)]
    given = {"--data-dir": data_dir, "--cache-dir": cache_dir, "--limit-images": limit_images,
             "--jobs": jobs}  # fmt: skip
    for option, value in given.items():
        words += [] if value is None else [option, str(value)]
    for folder in models_dirs:
        words += ["--models-dir", os.fspath(folder)]
    try:
        with suppress(SystemExit), system_errors_told():  # whether a spec failed, rows say
            command.main(words, prog_name="run", standalone_mode=False)
    except click.ClickException as error:
        raise UserError(error.format_message()) from None
    return load_results(results)


def _prepared(name: str, data_dir: PathLike | None) -> Prepared:
    from benchmark.data.discovery import find_dataset
    from benchmark.data.prepared import load_prepared

    folder = usual_folder(DATA_DIR, data_dir)
    return load_prepared(find_dataset(name, folder).name, folder)

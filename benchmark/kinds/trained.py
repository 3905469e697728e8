"""The network that a row left: whether there is one, and that it is the one."""

from __future__ import annotations

import shlex
from pathlib import Path

from benchmark.errors import UserError
from benchmark.kinds.code import is_current
from benchmark.models import ModelFile
from benchmark.records.row import Row
from benchmark.records.store import Results
from benchmark.spec import MATRIX, PUBLISHED
from benchmark.training.schemes import why_no_network
from benchmark.training.starting_weights import check_saved_weights


def trained_weights(row: Row, model_file: ModelFile, results: Results) -> Path:
    """The saved weights of a classifier, to predict other images with.

    Raises:
        UserError: the row has no network of its own that sees images, the code behind it has
            changed, the weights are not here, or they are not those that it saved.
    """
    check_has_network(row)
    if not is_current(row, model_file):
        raise UserError(
            f"the code behind {row.spec.model} has changed since row {row.spec_id} was "
            f"trained; run it again: {again(row, results)}"
        )
    path = results.weights_path(row.spec_id)
    if not path.is_file():
        raise UserError(
            f"{path}: the weights are not here; they are not published with a row. Train it again: "
            f"{again(row, results)}"
        )
    check_saved_weights(row, path)
    return path


def check_has_network(row: Row) -> None:
    """Refuse a row that has no network of its own that sees images and predicts findings.

    Raises:
        UserError: it is another one, or did not finish.
    """
    spec = row.spec
    if not row.done or row.holds_masks:
        raise UserError(f"row {row.spec_id} is not a finished classifier")
    if spec.kind != "classifier":
        raise UserError(
            f"row {row.spec_id} ({spec.model}) has no network of its own that sees images; name a "
            "model that does"
        )
    if why := why_no_network(spec.scheme):
        raise UserError(f"row {row.spec_id} ({spec.model}) cannot be evaluated: {why}")


def again(row: Row, results: Results) -> str:
    """The command that trains this row again, and no other, in the same results folder."""
    spec = row.spec
    suite = "with the options of then" if row.suite == MATRIX else f"--suite {row.suite}"
    own = "" if spec.protocol == PUBLISHED else f"@{spec.protocol}"
    words = ["--dataset", f"{spec.dataset}{own}", "--precision", spec.precision]
    words += ["--limit-images", str(spec.limit)] if spec.limit else []
    words += ["--no-test"] if spec.no_test else []
    words += ["--rerun", "all", "--filter", f"id={spec.spec_id}", "--results", str(results.folder)]
    return f"cxr-bench run {suite} {shlex.join(words)}"

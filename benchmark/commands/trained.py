"""`cxr-bench predict` and `weights export`: what a row's network says, and the network itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.commands.evaluate import finished, model_file_of, start_framework
from benchmark.commands.predictions import ENDINGS, frame_bytes
from benchmark.errors import UserError

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.kinds.unlabelled_run import Told
    from benchmark.records.row import Row


def predict_images(
    text: str, folder: Path, out: Path | None, *, results: Path, data_dir: Path,
    models_dirs: Sequence[Path],
) -> None:  # fmt: skip
    """Write what the networks of a row, or of all finished seeds of one, say of a folder.

    Raises:
        UserError: there is no such row or network, the images cannot be prepared as its own were,
            or the file cannot be written.
    """
    import pandas as pd

    from benchmark.data.prepared import load_prepared
    from benchmark.records.store import Results
    from benchmark.report.comparing.lookup import find
    from benchmark.report.files import write_asked

    if out and out.suffix not in ENDINGS:
        raise UserError(f"{out}: name a file that ends in {' or '.join(ENDINGS)}")
    store = Results(results)
    rows = finished(find(store, text))
    model_file = model_file_of(rows[0], models_dirs)
    prepared = load_prepared(rows[0].spec.dataset, data_dir)
    start_framework()
    from benchmark.kinds.unlabelled_run import predict_folder

    told = predict_folder(rows, folder, model_file, store, prepared)
    frames = list(_frames(rows, told))
    for name, why in told.refused.items():
        click.echo(f"Left out: {name}: {why}", err=True)
    data = frame_bytes(pd.concat(frames), out.suffix if out else ".csv")
    if out is None:
        click.echo(data.decode(), nl=False)
        return
    write_asked(out, data)
    click.echo(f"Wrote {out}: {len(told.image_id)} image(s), {len(frames)} network(s).", err=True)


def _frames(rows: Sequence[Row], told: Told) -> Iterator[DataFrame]:
    """Columns as of a prediction file, without what nobody knows of these images."""
    import pandas as pd

    for row, logits, probabilities in zip(rows, told.logits, told.probabilities, strict=True):
        columns = {"spec_id": row.spec_id, "seed": row.spec.seed, "image_id": told.image_id}
        for k, finding in enumerate(row.dataset.task.findings):
            columns[f"logit:{finding}"] = logits[:, k]
            columns[f"probability:{finding}"] = probabilities[:, k]
        yield pd.DataFrame(columns)


def export_weights(
    text: str, out: Path | None, *, results: Path, models_dirs: Sequence[Path]
) -> None:
    """Write the network of a row as a file that plain Keras loads, and say what goes in and out.

    Raises:
        UserError: there is no such row or network, or it has layers of its own.
    """
    from benchmark.kinds.trained import check_has_network
    from benchmark.records.store import Results
    from benchmark.report.comparing.lookup import find

    store = Results(results)
    found = find(store, text)
    check_has_network(found.row)
    if len(found.rows) > 1:
        ids = ", ".join(row.spec_id for row in found.rows)
        raise UserError(f"{text} is a configuration of several networks; name one: {ids}")
    row, model_file = found.row, model_file_of(found.row, models_dirs)
    start_framework()
    from benchmark.kinds.portable_run import save_portable

    path = out or Path(f"{row.spec_id}.keras")
    save_portable(row, model_file, store, path)
    spec, findings = row.spec, ", ".join(row.dataset.task.findings)
    click.echo(
        f"Wrote {path}: keras.saving.load_model reads it.\n"
        f"In: float32 (B, {spec.resolution}, {spec.resolution}, 1), grey values / 255, prepared as "
        f"{spec.preprocessing}.\nOut: probabilities of {findings}."
    )

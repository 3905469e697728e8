"""Commands that read results and write what people look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.cli.group import main
from benchmark.commands import options


@main.command()
@click.option("--no-cost", is_flag=True, help="Leave out training time and hardware.")
@click.option(
    "--recompute",
    is_flag=True,
    help="Believe rows and predictions only, compute all else anew, and say what was not so.",
)
@options.results()
def leaderboard(no_cost: bool, recompute: bool, results: Path) -> None:
    """Write the leaderboard anew from the saved rows and predictions.

    With --recompute it exits with 1 where a number that was stored is not what is computed.
    """
    from benchmark.commands.leaderboard import write_leaderboard
    from benchmark.commands.recompute import recompute_all

    others = recompute_all(results) if recompute else 0
    write_leaderboard(results, cost=not no_cost)
    raise SystemExit(min(others, 1))


@main.command()
@click.option(
    "--out", type=options.FOLDER, help="The site's folder; default: report in the results folder."
)
@click.option(
    "--publish",
    type=options.FOLDER,
    metavar="DIR",
    help="Write a site there that static hosting serves as it is; nothing private is linked.",
)
@click.option(
    "--row", "rows", multiple=True, help="Only this row's page, given as to: show; repeatable."
)
@click.option("--suite", "suites", multiple=True, help="Only the pages of its rows; repeatable.")
@click.option("--no-cost", is_flag=True, help="Leave out training time and hardware.")
@click.option("--gradcam", is_flag=True, help="Also heat maps; needs weights and prepared images.")
@click.option(
    "--private-images", is_flag=True, help="In them also images that may not be passed on."
)
@options.results()
@options.data_dir()
@options.cache_dir()
@options.models_dir()
def report(results: Path, out: Path | None, no_cost: bool, **given: Any) -> None:
    """Write the results as a site: leaderboard, a page a row and a suite, checklists.

    It opens from disk, without a network. Figures are drawn once and kept until what they show
    changes.
    """
    from benchmark.commands.report import write_report

    write_report(results, out, cost=not no_cost, **given)


@main.command()
@click.argument("names", nargs=-1, metavar="[FIGURE]...")
@click.option(
    "--out", type=options.FOLDER, help="Folder to draw into; default: report/figures in results."
)
@click.option("--dataset", default="", help="Only what is about it, e.g. 'kermany_pneumonia'.")
@click.option(
    "--format", "forms", multiple=True, type=click.Choice(["svg", "png"]), help="Default: both."
)
@click.option("--no-cost", is_flag=True, help="Leave out what shows training time.")
@options.results()
def figures(names: tuple[str, ...], no_cost: bool, **given: Any) -> None:
    """Draw the results: one figure a question and data set, on light and on dark ground.

    FIGURE: e.g. forest, size or cost; a name that there is not lists all. Default: whatever the
    results give ground for. The same results give the same SVG.
    """
    from benchmark.commands.figures import draw_figures

    draw_figures(names, cost=not no_cost, **given)


@main.command()
@click.argument("table", default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "latex", "csv"]),
    default="markdown",
    show_default=True,
)
@options.listed("--columns", "names", "By name (see: list columns); default: the ranked table's.")
@click.option("--suite", default="", help="Only rows that this suite made.")
@click.option("--out", type=options.FILE, help="File to write; default: the terminal.")
@options.results()
def export(table: str, **given: Any) -> None:
    """Write tables for a paper or a spreadsheet, with the columns asked for.

    TABLE is a data set, or the start of the id of a protocol; default: every table.

    \b
      cxr-bench export kermany_pneumonia/official --format latex --columns model,test_auc,seeds
    """
    from benchmark.commands.export import export_tables

    export_tables(table, **given)


@main.command()
@click.argument("row")
@options.as_json()
@options.results()
def show(row: str, as_json: bool, results: Path) -> None:
    """Show everything known about a ROW: scores, intervals, thresholds, provenance.

    ROW is the id of a spec or of a configuration (all its seeds), or the start of one, as in the
    leaderboard's CSV and the names of the files in results/rows; or MODEL@DATASET, as in
    googlenet@kermany_pneumonia/internal, with further words where that means several:
    "cnn 64px strong@...".
    """
    from benchmark.commands.show import show_row

    show_row(row, results, as_json=as_json)


@main.command()
@click.argument("first")
@click.argument("second")
@click.option("--finding", default="", help="Test this finding, too, of several.")
@options.as_json()
@options.results()
def compare(first: str, second: str, finding: str, results: Path, as_json: bool) -> None:
    """Compare two rows or configurations: how far apart they are, and whether that is chance.

    They must be measured under one protocol. Ids are given as to: show.
    """
    from benchmark.commands.compare import compare_rows

    compare_rows(first, second, finding, results, as_json=as_json)


@main.command()
@click.argument("row")
@options.listed("--split", "splits", "Only these: train, validation, test.")
@click.option(
    "--out", type=options.FILE, required=True, help="File to write, by its name CSV or Parquet."
)
@options.results()
def predictions(row: str, **given: Any) -> None:
    """Write what a ROW, given as to: show, said of every image, with ids and targets."""
    from benchmark.commands.predictions import write_predictions

    write_predictions(row, **given)


@main.command()
@click.argument("row")
@options.out("masks")
@options.results()
@options.data_dir()
@options.cache_dir()
def masks(row: str, **given: Path) -> None:
    """Draw the five best and the five worst masks of a segmentation ROW, given as to: show."""
    from benchmark.commands.masks import draw_row

    draw_row(row, **given)


@main.command("anomaly-map")
@click.argument("row")
@options.out("anomaly_maps")
@options.results()
@options.data_dir()
@options.cache_dir()
def anomaly_map(row: str, **given: Path) -> None:
    """Draw where an anomaly screen ROW, given as to: show, finds images unlike normal ones."""
    from benchmark.commands.anomaly_map import draw_row

    draw_row(row, **given)

"""The options of `prepare` for a set of the user's own."""

from __future__ import annotations

import csv

import click

from benchmark.commands.options import Decorator, together
from benchmark.errors import quoted


def _listed(context: click.Context, option: click.Parameter, said: str) -> tuple[str, ...]:
    """Names with commas between them; one that has a comma itself stands in double quotes."""
    try:
        names = next(csv.reader([said], skipinitialspace=True), [])
    except csv.Error as error:
        raise click.BadParameter(f"{quoted(said)}: {error}") from None
    return tuple(name.strip() for name in names if name.strip())


_OPTIONS = [
    click.option("--name", "own_name", default="", help="What to call a set of your own."),
    click.option(
        "--check", "only_check", is_flag=True, help="Say what would be read; write nothing."
    ),
    click.option("--force", is_flag=True, help="Make a new version of it where it is prepared."),
    click.option("--csv", default="", help="Its table; without one, folders named like classes."),
    click.option("--image-column", default="", help="Column of the table with the file names."),
    click.option(
        "--finding-columns",
        default="",
        callback=_listed,
        help="Columns of 1 and 0: 'a,b,\"c, d\"'.",
    ),
    click.option("--class-column", default="", help="Or: column with the names of findings."),
    click.option("--label-separator", default="", help="Between several in a cell, e.g. '|'."),
    click.option(
        "--uncertain", default="", help="Labels of -1: ignore (default), positive, negative."
    ),
    click.option("--missing", default="", help="Empty labels: ignore (default), negative."),
    click.option("--patient-column", default="", help="Column with the patients."),
    click.option("--patient-pattern", default="", help="Or: regex, its group is the patient's id."),
    click.option(
        "--patients", default="", help="Or: 'header' of DICOM files; 'unknown', to split by image."
    ),
    click.option("--split-column", default="", help="Column with train, validation, test."),
    click.option("--sex-column", default="", help="Column with F and M, or such words."),
    click.option("--age-column", default="", help="Column with years, or e.g. 058Y."),
    click.option("--view-column", default="", help="Column with PA, AP, lateral, ..."),
    click.option(
        "--box-columns",
        default="",
        callback=_listed,
        help="Four, of a row a box: 'x,y,width,height', or 'xmin,ymin,xmax,ymax'.",
    ),
    click.option("--within", default="", help="Sub-folder of the class folders; '.', '*' for all."),
    click.option("--splits", default="", help="Folders that are splits: 'train=A,test=B'."),
    click.option("--normal-class", default="", help="Class that means normal, or 'none'."),
    click.option("--split-fractions", default="", help="Of train, validation, test: '70,10,20'."),
    click.option("--split-seed", type=click.IntRange(min=0), default=0, help="Of another split."),
    click.option("--resplit", is_flag=True, help="Leave its own split aside and split anew."),
    click.option("--keep-split", is_flag=True, help="Keep its own split, even if that leaks."),
]


def own_set() -> Decorator:
    """How to read a set of the user's own: fields of ``image_folder``'s Options, and a name."""
    return together(*_OPTIONS)

"""The published files, where people have them: archives, Kaggle's folders or one flat folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tfds_builders import pipeline
from tfds_builders.archives import Content, Folder, Source, Tar, Zip, open_source
from tfds_builders.errors import DatasetError, LayoutError, Unreadable
from tfds_builders.ingest_report import Item
from tfds_builders.listing import listing, opened

DATASET = "chestxray14"
DATA_ENTRY = {"v2020": "Data_Entry_2017_v2020.csv", "v2017": "Data_Entry_2017.csv"}
BOXES = "BBox_List_2017.csv"
TRAIN_VAL, TEST = "train_val_list.txt", "test_list.txt"
SMALL = {"train": "train-small.csv", "validation": "valid-small.csv", "test": "test.csv"}
SAMPLE = "sample_labels.csv"
_ARCHIVE = re.compile(r"images_[0-9]{2,3}\.(tar\.gz|tgz|tar|zip)")
_ALMOST = re.compile(rf"(?!{_ARCHIVE.pattern}$)images_[0-9]{{2,3}}.*")
_NO_ARCHIVE = re.compile(rf"(?!{_ARCHIVE.pattern}).+")
_ANY = re.compile(".+")


@dataclass(frozen=True)
class Layout:
    """One of the three ways in which images of the set are published.

    Attributes:
        tree: the layout, to be shown to people.
        roots: where below the manual directory it may begin.
        images: pattern of the names of folders that hold images.
    """

    tree: str
    roots: tuple[str, ...]
    images: re.Pattern[str]


MAIN = Layout(
    tree="""\
    Data_Entry_2017_v2020.csv    labels of all configs without _v2017
    Data_Entry_2017.csv          labels of the configs with _v2017
    train_val_list.txt           fourteen and fourteen_v2017 only
    test_list.txt                fourteen and fourteen_v2017 only
    BBox_List_2017.csv           boxes for localisation checks; may be missing
    and the images, all or some of them, in one of these ways:
        images_001.tar.gz ... images_012.tar.gz, here or in images/, not unpacked
        images_001/images/*.png ... images_012/images/*.png   (Kaggle)
        images/*.png
    or all of this in one zip file, not unpacked (Kaggle's archive.zip)
""",
    roots=("", "CXR8", "ChestXray-NIHCC", "ChestX-ray14", "data"),
    images=re.compile(r"images(_[0-9]{2,3})?", re.IGNORECASE),
)
TEACHING = Layout(
    tree="""\
    nih/train-small.csv
    nih/valid-small.csv
    nih/test.csv
    nih/images-small/*.png       all or some of them
    The manual directory is the folder that holds nih/, or nih/ itself.
""",
    roots=("nih", ""),
    images=re.compile("images-small", re.IGNORECASE),
)
KAGGLE_SAMPLE = Layout(
    tree="""\
    sample_labels.csv
    images/*.png                 all or some of them
    BBox_List_2017.csv           may be missing
    or the same below sample/, or Kaggle's zip file, not unpacked
""",
    roots=("", "sample", "sample/sample"),
    images=re.compile("images", re.IGNORECASE),
)


@dataclass(frozen=True)
class Copy:
    """Somebody's copy of the set.

    Attributes:
        tables: folder or zip file that holds the tables.
        prefix: what stands before their names there.
        images: folders and archives with images, each with the pattern of its images' names.
        strays: files that are named nearly like an archive, as unfinished downloads are.
    """

    tables: Source
    prefix: str
    images: tuple[tuple[Source, re.Pattern[str]], ...]
    strays: tuple[str, ...] = ()

    def has(self, table: str) -> bool:
        """True if the table is there."""
        if isinstance(self.tables, Folder):
            return (self.tables.path / table).is_file()
        return self.prefix + table in self.tables.names()

    def read(self, table: str) -> bytes:
        """Content of a table.

        Raises:
            DatasetError: it cannot be read.
        """
        try:
            return self.tables.read(self.prefix + table)
        except Unreadable as error:
            raise DatasetError(f"{DATASET}: {self.tables.path / table}: {error}") from error

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Content]]:
        """All image folders and archives in one pass, one file in memory at a time.

        Args:
            wanted: asked for every file, as ``images_001.tar.gz/images/00000001_000.png``; those
                it turns down are passed over.

        Yields:
            File and content, or ``Unreadable`` for what is refused or damaged.
        """
        for source, pattern in self.images:
            origin = source.path.name

            def asked(name: str, pattern: re.Pattern = pattern, origin: str = origin) -> bool:
                return bool(pattern.fullmatch(name)) and wanted(f"{origin}/{name}")

            for name, content in source.stream(asked):
                # A damaged archive reports itself, under its own name.
                yield (origin if name == origin else f"{origin}/{name}"), content

    def contents(self, items: Iterable[Item]) -> Iterator[tuple[Item, Content]]:
        """Files that :meth:`stream` has met before, each once; others are passed over.

        Args:
            items: named like the files there, those of one folder or archive together.
        """
        sources = {source.path.name: source for source, _ in self.images}
        for origin, together in groupby(items, _origin):
            named = {item.name.removeprefix(f"{origin}/"): item for item in together}
            for name, content in sources[origin].files(named):
                yield named[name], content

    def parts(self, items: Iterable[Item]) -> list[Sequence[Item]]:
        """The same items in groups that are cheap to read together: a tar file is one."""
        found: list[Sequence[Item]] = []
        tars = {source.path.name for source, _ in self.images if isinstance(source, Tar)}
        for origin, together in groupby(items, _origin):
            group = list(together)
            found += [group] if origin in tars else pipeline.cut(group)
        return found

    def missing(self, needed: tuple[str, ...]) -> list[str]:
        """What a config needs and is not there."""
        absent = [table for table in needed if not self.has(table)]
        return absent + ([] if self.images else ["images"])


def _origin(item: Item) -> str:
    return item.name.partition("/")[0]


def locate(manual_dir: Path, layout: Layout, needed: tuple[str, ...], config: str) -> Copy:
    """The copy in a folder.

    Args:
        manual_dir: what the user pointed at.
        layout: how it should look.
        needed: tables that have to be there.
        config: for the advice in messages.

    Raises:
        LayoutError: the folder is missing, empty, or lacks something; says what.
    """
    manual_dir = Path(manual_dir)
    if not manual_dir.is_dir():
        raise LayoutError(DATASET, f"there is no folder {manual_dir}.", layout.tree, [])
    copies = list(_candidates(manual_dir, layout))
    copies.sort(key=lambda copy: len(copy.missing(needed)))
    if not copies[0].missing(needed):
        return copies[0]
    problem = f"{manual_dir} lacks {' and '.join(copies[0].missing(needed))}."
    advice = _advice(copies[0], needed, config)
    raise LayoutError(DATASET, problem + advice, layout.tree, listing(manual_dir))


def _advice(copy: Copy, needed: tuple[str, ...], config: str) -> str:
    """Another config, where the copy has what that one needs."""
    missing = copy.missing(needed)
    if set(missing) <= {TRAIN_VAL, TEST}:
        other = config.replace("fourteen", "fourteen_random")
        return (
            " These two lists are the published split and come with the images. Without them use "
            f"{DATASET}/{other}, which is another protocol."
        )
    for table, other in (
        (DATA_ENTRY["v2017"], f"{config}_v2017"),
        (DATA_ENTRY["v2020"], config.removesuffix("_v2017")),
    ):
        if set(missing) & set(DATA_ENTRY.values()) and copy.has(table):
            return f" It has {table}, other labels of the same images: use {DATASET}/{other}."
    return ""


def _candidates(manual_dir: Path, layout: Layout) -> Iterator[Copy]:
    for root in layout.roots:
        folder = manual_dir / root
        places = tuple(_image_places(folder, layout))
        yield Copy(Folder(folder), "", places, tuple(_strays(folder, layout)))
    for path in sorted(manual_dir.glob("*.zip")):
        archive = None if _ARCHIVE.fullmatch(path.name) else opened(path)
        if archive is None:
            continue
        for root in layout.roots:
            prefix = f"{root}/" if root else ""
            yield Copy(archive, prefix, tuple(_image_members(archive, prefix, layout)))


def _image_places(folder: Path, layout: Layout) -> Iterator[tuple]:
    below = sorted(folder.iterdir()) if folder.is_dir() else []
    folders = [path for path in below if layout.images.fullmatch(path.name) and path.is_dir()]
    archives = [
        path
        for place in (folder, folder / "images")
        for path in sorted(place.glob("images_*"))
        if layout is MAIN and _ARCHIVE.fullmatch(path.name) and path.is_file()
    ]
    for path in folders:
        yield Folder(path), _NO_ARCHIVE
    for path in archives:
        yield open_source(path), _ANY


def _strays(folder: Path, layout: Layout) -> Iterator[str]:
    for place in (folder, folder / "images") if layout is MAIN else ():
        for path in sorted(place.glob("images_*")):
            if _ALMOST.fullmatch(path.name) and path.is_file():
                yield path.name


def _image_members(archive: Zip, prefix: str, layout: Layout) -> Iterator[tuple]:
    pattern = re.compile(f"{re.escape(prefix)}{layout.images.pattern}/.+", re.IGNORECASE)
    if any(map(pattern.fullmatch, archive.names())):
        yield archive, pattern

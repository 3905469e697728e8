"""Sets whose folders are named like the classes, with or without train/ and test/ around them."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tfds_builders.errors import DatasetError, quoted
from tfds_builders.image_folder import pools
from tfds_builders.image_folder.contents import Contents, Entry, check_findings
from tfds_builders.image_folder.names import (
    is_picture,
    is_service,
    one_spelling,
    spelling,
)
from tfds_builders.image_folder.normal import is_normal, task_of
from tfds_builders.image_folder.options import Options
from tfds_builders.image_folder.patients import NOT_FOUND, ByPattern, refuse_lost

ALL, ITSELF = "*", "."
_MASKS = re.compile("masks?$|segmentations?$|annotations?$|^gt$|^labels?$")
_STRAY = 0.05
"""Share of the images that may lie beside splits, e.g. those of a manual, and are left out."""

_MARKING = re.compile(
    "(.+)[ _-](?:mask|masks|seg|segmentation|label|labels|gt|overlay|heatmap|annotation|contour)"
    "[ _-]?[0-9]*",
    re.IGNORECASE,
)
_COPY = re.compile(r"(.+?)(?:(?:copy|kopie|copie|copia)[0-9]*|\([0-9]+\))+")
_NO_CLASS = {"images", "image", "img", "imgs", "masks", "mask", "annotations", "segmentations"}


@dataclass(frozen=True)
class _Place:
    """Where a file lies: split, class, and what is left of its path."""

    pool: str
    folder: str
    rest: str

    @property
    def folders(self) -> list[str]:
        """The folders within the class's."""
        return self.rest.split("/")[:-1]

    @property
    def marked(self) -> str:
        """The folder of masks that it lies in; "" for none."""
        return next((each for each in self.folders if _MASKS.search(spelling(each))), "")

    @property
    def branch(self) -> str:
        """The folder within the class's; "" where the file lies in that itself."""
        return self.rest.split("/")[0] if "/" in self.rest else ""


def read(
    names: Iterable[str],
    pattern: re.Pattern | None,
    options: Options | None = None,
    pictures: Callable[[str], bool] = is_picture,
) -> Contents:
    """Images of a tree ``CLASS/file`` or ``train/CLASS/file``, classes in alphabetical order.

    Two classes of which one means healthy are a binary task; any others are exclusive classes.

    Args:
        names: every file below the folder.
        pattern: finds the patient in a name or path; None where patients are unknown.
        options: which splits, sub-folders and normal class are meant.
        pictures: tells file names that promise an image.

    Returns:
        The contents, without findings where there are fewer than two classes, or only test
        folders; which folders were taken for one stands in its notes.

    Raises:
        DatasetError: it has to be said what a folder is; or the pattern leaves a class without
            patients.
    """
    options = options or Options()
    names = sorted(name for name in names if not is_service(name))
    images = [name for name in names if pictures(name)]
    told = pools.parse(options.splits)
    pools.refuse_absent(told, {p for n in images for p in n.split("/")[:-1]}, "no folder")
    placed = _placed(names, images, told)
    holding = [placed[name].folder for name in images if name in placed]
    called, notes = one_spelling(holding)
    classes = sorted(set(called.values()))
    used = {placed[name].pool for name in images if name in placed}
    if len(classes) < 2 or (used - {""} and "train" not in used):
        return Contents((), "", notes=notes)
    _refuse_no_classes(classes)
    _refuse_copies(classes)
    check_findings(classes)
    by_pattern = ByPattern(pattern, [name for name in images if name in placed])
    _refuse_mixed(images, placed, options, by_pattern)
    contents = Contents(*task_of(classes, options.normal_class), notes=[*notes, *by_pattern.notes])
    tree = _Tree(placed, called, _markings(images), options.within, pictures, by_pattern)
    kept, lost = _fill(contents, [name for name in names if tree.of_interest(name)], tree)
    if pattern:
        refuse_lost(kept, lost, pattern.pattern)
    if gone := [name for name in classes if not kept[name]]:
        raise DatasetError(
            f"image_folder: no image of {', '.join(gone)} is left within {options.within}/."
        )
    return contents


@dataclass(frozen=True)
class _Tree:
    """What is known of all files together, before each is judged."""

    placed: Mapping[str, _Place]
    called: Mapping[str, str]
    marks: Mapping[str, str]
    within: str
    pictures: Callable[[str], bool]
    by_pattern: ByPattern

    def finding(self, name: str) -> str:
        """The class that a file lies in; "" where in none."""
        place = self.placed.get(name)
        return "" if place is None else self.called.get(place.folder, "")

    def of_interest(self, name: str) -> bool:
        """Whether a person would miss the file: an image, or in a class folder."""
        return bool(self.finding(name)) or self.pictures(name)

    def refusal(self, name: str) -> str:
        """Why a file is no image of the set; "" where it is one."""
        if not self.finding(name):
            return "not in a class folder"
        by_folder = self.by_pattern.reads_folder(name)
        if not _is_within(self.placed[name], self.within, by_folder=by_folder):
            return f"not within {self.within}/"
        if not self.pictures(name):
            return "no image of a kind that is read"
        return self.marks.get(name, "")


def _fill(contents: Contents, names: list[str], tree: _Tree) -> tuple[Counter[str], Counter[str]]:
    """Take or refuse each file; how many of each class are kept, and have no patient."""
    kept: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for name in names:
        finding = tree.finding(name)
        if why := tree.refusal(name):
            contents.refuse(name, why)
        elif (patient := tree.by_pattern(name)) is None:
            contents.refuse(name, NOT_FOUND)
            lost[finding] += 1
        else:
            findings = tuple(int(finding == each) for each in contents.findings)
            pool = tree.placed[name].pool
            contents.entries.append(Entry(name, patient, findings, (1,) * len(findings), pool))
            kept[finding] += 1
    return kept, lost


def _placed(names: list[str], images: list[str], told: Mapping[str, str]) -> dict[str, _Place]:
    """Where the files lie that are in a class folder."""
    above = _wrapper(images, told)
    below = {name: name[len(above) :] for name in names if name.startswith(above)}
    tops = {top for name in images if (top := below[name].split("/")[0]) != below[name]}
    deep = {top for top in tops if any(_depth(below[n]) > 2 for n in images if _in(below[n], top))}
    as_splits = {top for top in deep if pools.pool(top, told)}
    strange = {top for top in deep - as_splits if pools.looks_like_one(top)}
    if as_splits or (strange and len(strange) == len(deep) > 1):
        pools.refuse_unknown((deep if as_splits else strange) - as_splits, "a folder beside others")
    if as_splits:
        _refuse_without_classes(tops - deep, below, images, told)
        split = {n: rest.split("/", 2) for n, rest in below.items() if _depth(rest) > 2}
        return {
            name: _Place(pools.pool(top, told), folder, rest)
            for name, (top, folder, rest) in split.items()
            if top in as_splits
        }
    parted = {name: rest.split("/", 1) for name, rest in below.items() if _depth(rest) > 1}
    return _inner_splits({n: _Place("", *each) for n, each in parted.items()}, images, told)


def _inner_splits(
    placed: dict[str, _Place], images: list[str], told: Mapping[str, str]
) -> dict[str, _Place]:
    """The same where each class folder holds train/ and test/."""
    branches = {placed[name].branch for name in images if name in placed}
    meant = {branch for branch in branches if branch and pools.pool(branch, told)}
    if meant and all(meant | {b} == meant or pools.looks_like_one(b) for b in branches):
        pools.refuse_unknown(branches - meant, "a folder beside others in each class")
    if branches and all(map(pools.is_no_class, branches)) and len(branches) > 1:
        pools.refuse_unknown(branches - meant, "a folder in each class")
    if not branches or branches != meant:
        return placed
    return {
        name: _Place(pools.pool(place.branch, told), place.folder, place.rest.split("/", 1)[1])
        for name, place in placed.items()
        if place.branch
    }


def _wrapper(images: list[str], told: Mapping[str, str]) -> str:
    """The folder or folders around everything, ``"a/b/"``: as archives are unpacked."""
    above = ""
    while images:
        tops = {name[len(above) :].split("/")[0] for name in images}
        top = next(iter(tops))
        deep = all(_depth(name[len(above) :]) > 2 for name in images)
        if len(tops) > 1 or not deep or is_normal(top) or pools.pool(top, told):
            return above
        above += f"{top}/"
    return above


def _depth(name: str) -> int:
    return name.count("/") + 1


def _in(name: str, top: str) -> bool:
    return name.startswith(f"{top}/")


def _is_within(place: _Place, within: str, *, by_folder: bool) -> bool:
    if within == ITSELF:
        return not place.marked and (by_folder or not place.branch)
    return within in ("", ALL) or spelling(within) in map(spelling, place.folders)


def _markings(images: list[str]) -> dict[str, str]:
    """Images that are drawn upon another of the same folder, ``7_mask.png`` beside ``7.png``."""
    films = {name.rpartition(".")[0] for name in images}
    marks = {name: _MARKING.fullmatch(name.rpartition(".")[0]) for name in images}
    return {
        name: f"a mask or marking of {match[1]}"
        for name, match in marks.items()
        if match and match[1] in films
    }


def _refuse_without_classes(
    tops: set[str], below: Mapping[str, str], images: list[str], told: Mapping[str, str]
) -> None:
    """Stop where a folder beside train/ holds images in no class folder: nobody's labels."""
    for top in sorted(tops):
        here = sum(_in(below[name], top) for name in images)
        split = pools.pool(top, told)
        if split or here > _STRAY * len(images):
            what = f"is {split}, but" if split else "is no split, and"
            raise DatasetError(
                f"image_folder: the folder {top} lies beside folders that are splits. It {what} "
                f"holds {here} images that lie in no class folder. Move it away, or sort them."
            )


def _refuse_no_classes(classes: list[str]) -> None:
    if odd := [n for n in classes if spelling(n) in _NO_CLASS or pools.is_no_class(n)]:
        raise DatasetError(
            f"image_folder: the folders {', '.join(classes)} would be the classes, but "
            f"{', '.join(odd)} is no name of a finding. Give --manual-dir the folder whose "
            "sub-folders are the classes, or a table (--csv FILE --image-column ...). Parts of one "
            "set are put together by --splits train=A,train=B."
        )


def _refuse_copies(classes: list[str]) -> None:
    known = {spelling(name): name for name in classes}
    for name in classes:
        match = _COPY.fullmatch(spelling(name))
        if match and match[1] in known:
            raise DatasetError(
                f"image_folder: the folder {quoted(name)} is called like a copy of "
                f"{quoted(known[match[1]])}. Remove it, or put the images of both into one."
            )


def _refuse_mixed(
    images: list[str], placed: Mapping[str, _Place], options: Options, by_pattern: ByPattern
) -> None:
    """Ask what sub-folders of a class are, unless they are patients, with no masks inside."""
    if options.within:
        return
    branches: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name in images:
        if name in placed:
            place = placed[name]
            branch = place.marked if by_pattern.reads_folder(name) else place.branch
            branches[place.pool, place.folder][branch] += 1
    for (_, folder), found in sorted(branches.items()):
        if len(found) > 1:
            shown = ", ".join(
                f"{count} in {branch + '/' if branch else 'the folder itself'}"
                for branch, count in found.most_common(6)
            )
            likely = sorted(
                found, key=lambda each: (bool(_MASKS.search(spelling(each))), -found[each])
            )
            inner = likely[0] or ITSELF
            raise DatasetError(
                f"image_folder: the class folder {folder} holds images in several places: {shown}. "
                f"Which are radiographs? --within {shlex.quote(inner)} takes those of one place "
                f"only; --within '{ALL}' takes all, where sub-folders are e.g. patients. Where "
                "these are the classes, give --manual-dir the folder that holds them."
            )

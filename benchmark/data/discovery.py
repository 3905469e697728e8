"""Which data sets exist, and in what state each one is on this machine."""

from __future__ import annotations

import contextlib
import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.data.prepared import FACTS, NotPrepared, load_prepared
from benchmark.errors import UnknownName, UserError
from benchmark.records.door import RecordError

if TYPE_CHECKING:
    from tfds_builders.shapes import Shape

_MOST_LOOKED_AT = 30


@dataclass(frozen=True)
class Dataset:
    """A builder and one of its configs.

    Attributes:
        name: ``<builder>/<config>``.
        builder_class: the TFDS builder.
        config: name of the config.
        options: how to read a set of the user's own, where the builder asks; None: as the file in
            its folder says.
        version: of a set of the user's own, as :attr:`options`; None: the builder's first.
        copies: groups of its images that show the same.
    """

    name: str
    builder_class: Any
    config: str
    options: Any = None
    version: str | None = None
    copies: tuple[tuple[str, ...], ...] = ()

    @property
    def embedded(self) -> bool:
        """True where the set needs no files from outside."""
        return getattr(self.builder_class, "EMBEDDED", False)

    @property
    def description(self) -> str:
        """One line about the config."""
        if self.own:
            return "a set of your own"
        return self.builder_class.builder_configs[self.config].description

    @property
    def own(self) -> bool:
        """True for a set of the user's own: a config that the builder makes on demand."""
        return not self.builder_class.builder_configs

    @property
    def how_to_get(self) -> str:
        """What the user has to do to have the raw files."""
        return self.builder_class.MANUAL_DOWNLOAD_INSTRUCTIONS or ""

    def folder(self, data_dir: Path) -> Path:
        """Where its version is, or will be, in a data folder."""
        return Path(data_dir) / self.name / str(self.version or self.builder_class.VERSION)

    def locate(self, manual_dir: Path | None) -> Any:
        """The raw files in the user's folder.

        Raises:
            UserError: no folder was given.
            tfds_builders.errors.DatasetError: the folder does not hold the expected tree; names the
                folder beside it that does.
        """
        from tfds_builders.errors import DatasetError, LayoutError

        if manual_dir is None:
            raise UserError(
                f"{self.name} needs your copy of the raw files: give it with --manual-dir DIR.\n"
                f"{self.how_to_get.strip()}"
            )
        if self.own:
            return self.builder_config(manual_dir)
        try:
            return self.builder_class.locate(Path(manual_dir), self.config)
        except LayoutError as error:
            place = self._nearby(Path(manual_dir), str(error))
            raise DatasetError(f"{error}{place}") from None

    def _nearby(self, folder: Path, expected: str) -> str:
        """The folder that was meant: one level down, or up where the name is one of the tree's."""
        from tfds_builders.errors import DatasetError

        below = sorted(path for path in folder.glob("*") if path.is_dir())[:_MOST_LOOKED_AT]
        for place in [folder.resolve().parent] * (f"{folder.name}/" in expected) + below:
            with contextlib.suppress(DatasetError, OSError):
                self.builder_class.locate(place, self.config)
                return f"\n{place} does hold it: give that one with --manual-dir."
        return ""

    def original_shapes(self, manual_dir: Path | None) -> dict[str, Shape]:
        """Image id -> the shape it had before it was resized, where published tables say it.

        Raises:
            tfds_builders.errors.DatasetError: a table is not as published.
        """
        known = getattr(self.builder_class, "original_shapes", None)
        return known(manual_dir, self.config) if known and manual_dir else {}

    def builder_config(self, manual_dir: Path | None) -> Any:
        """What to construct the builder with: the name of a config, or one made for the folder."""
        if self.own and manual_dir is not None:
            return self.builder_class.configure(
                Path(manual_dir), self.config, self.options, self.version, self.copies
            )
        return self.config


def datasets(data_dir: Path | None = None) -> dict[str, Dataset]:
    """Every data set by name, with the user's own that are prepared in a data folder.

    Imports no TensorFlow.
    """
    import tfds_builders

    return {
        f"{builder}/{config}": Dataset(f"{builder}/{config}", builder_class, config)
        for builder, builder_class in sorted(tfds_builders.BUILDERS.items())
        for config in builder_class.builder_configs or _prepared_configs(builder, data_dir)
    }


def _prepared_configs(builder: str, data_dir: Path | None) -> list[str]:
    if data_dir is None:
        return []
    return sorted({facts.parents[1].name for facts in (data_dir / builder).glob(f"*/*/{FACTS}")})


def find_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """The data set of a name; the config may be left out where the builder has only one.

    A builder of the user's own sets has one of every name, prepared or not. Those that are prepared
    in ``data_dir`` are among the choices.

    Raises:
        UnknownName: there is none; lists the choices.
    """
    import tfds_builders

    known = datasets(data_dir)
    if name in known:
        return known[name]
    builder, _, config = name.partition("/")
    builder_class = tfds_builders.BUILDERS.get(builder)
    if builder_class and not builder_class.builder_configs and re.fullmatch("[a-z]\\w*", config):
        return Dataset(name, builder_class, config)
    of_builder = {key: d for key, d in known.items() if key.split("/")[0] == builder}
    if len(of_builder) == 1 and not config:
        return next(iter(of_builder.values()))
    if builder_class and not (builder_class.builder_configs or of_builder or config):
        raise UserError(
            f"none of your own sets is prepared there; {builder} is what prepares them: "
            f"cxr-bench prepare {builder} --name my_set --manual-dir DIR"
        )
    near = (
        [key for key in known if builder and builder in key.partition("/")[0]]
        or [key for key in known if name in key]
        or difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    )
    some = of_builder or near or tfds_builders.BUILDERS
    raise UnknownName("dataset", name, some, all_by="cxr-bench list datasets")


def state(dataset: Dataset, data_dir: Path, manual_dir: Path | None = None) -> str:
    """``"prepared"``, ``"damaged"`` (prepared, but its facts cannot be used), ``"embedded"`` (made
    when needed), ``"available"`` (raw files found in ``manual_dir``) or ``"missing"``.
    """
    from tfds_builders.errors import DatasetError

    try:
        load_prepared(dataset.name, data_dir)
        return "prepared"
    except NotPrepared:
        if dataset.embedded:
            return "embedded"
    except RecordError:
        return "damaged"
    try:
        dataset.locate(manual_dir)
        return "available"
    except (UserError, DatasetError):
        return "missing"

"""What `cxr-bench run` is asked for; every name in it is checked before anything is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UserError, check_names

if TYPE_CHECKING:
    from benchmark.models import ModelFile
    from benchmark.planning.shards import Shard
    from benchmark.suites import Suite


@dataclass(frozen=True)
class Matrix:
    """Axes of a matrix that are given on the command line."""

    models: tuple[str, ...] = ()
    resolutions: tuple[int, ...] = ()
    preprocessing: tuple[str, ...] = ()
    augmentation: tuple[str, ...] = ()
    scheme: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    recipe: str = ""

    @property
    def asked(self) -> bool:
        """Whether any is given."""
        return self != Matrix()

    def suite(self, datasets: Sequence[str]) -> Suite:
        """What is asked for, on these data sets.

        Raises:
            UserError: a value cannot be, or models, sizes or data sets are not given.
        """
        from benchmark.suites import matrix_suite

        axes = {"datasets": datasets, **asdict(self)}
        recipe = axes.pop("recipe")
        options = {"models": "--models", "resolutions": "--sizes", "datasets": "--dataset"}
        if missing := [option for axis, option in options.items() if not axes[axis]]:
            raise UserError(f"a matrix of your own needs {', '.join(missing)}, too")
        return matrix_suite(axes, recipe)


@dataclass(frozen=True)
class Wish:
    """What is to be run.

    Attributes:
        wanted: what a filter keeps.
        models: every model file by name.
        datasets: the sets that are needed.
        named: whether suites or data sets were named, so that they are missed where they are not.
    """

    suites: list[Suite]
    wanted: Mapping[str, set[str]]
    models: Mapping[str, ModelFile]
    datasets: list[str]
    shard: Shard | None
    named: bool


def read_wish(
    names: Sequence[str | Path],
    matrix: Matrix,
    *,
    datasets: Sequence[str],
    filters: Sequence[str],
    shard: str,
    executor: str,
    data_dir: Path,
    models_dirs: Sequence[Path],
) -> Wish:
    """Read what is asked for, before anything is made.

    Raises:
        UserError: something of it there is not, or makes no sense.
    """
    from benchmark.data.discovery import find_dataset
    from benchmark.models import discover
    from benchmark.planning.resolve import dataset_names
    from benchmark.planning.shards import parse_shard
    from benchmark.planning.wanted import check_wanted
    from benchmark.scheduling import executors
    from benchmark.suites import parse_filter

    check_names("executor", [executor], executors.names())
    wanted, models = parse_filter(",".join(filters)), discover(models_dirs)
    suites = [matrix.suite(datasets)] if matrix.asked else _chosen(names, datasets)
    suites = [
        suite.with_datasets(lambda name: find_dataset(name, data_dir).name) for suite in suites
    ]
    needed = dataset_names(suites, data_dir)
    check_wanted(wanted, suites, models)
    named = bool(names or datasets)
    return Wish(suites, wanted, models, needed, parse_shard(shard), named)


def _chosen(names: Sequence[str | Path], datasets: Sequence[str]) -> list[Suite]:
    """The suites of these names, or all that ``--all`` means, on other data sets if any are given.

    Raises:
        UserError: one cannot be read, or two have one name.
    """
    from benchmark.suites import load_suite, suites

    loaded = [load_suite(name) for name in dict.fromkeys(names) or suites()]
    twice = [name for name, n in Counter(suite.name for suite in loaded).items() if n > 1]
    if twice:
        raise UserError(f"two suite files are called {twice[0]}; rename one")
    chosen = loaded if names else [suite for suite in loaded if suite.run_all]
    if not datasets:
        return chosen
    return [replace(s, matrix={**s.matrix, "datasets": list(datasets)}) for s in chosen]

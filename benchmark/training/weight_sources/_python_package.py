"""A weight file that an installed Python package holds; nothing of the package is imported.

For networks that have an index of Python packages and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from benchmark.training.weight_files import MissingWeights, digest


def file_of_package(model: str, name: str, package: Mapping[str, str]) -> Path:
    """The file, if it is the published one.

    Args:
        model: whose weights these are, for the message.
        name: of the file, wherever it lies in the package.
        package: ``distribution``, its name on the index; ``install``, how to get it; ``sha256`` of
            the file.

    Raises:
        MissingWeights: the package is not installed, lacks the file or holds another one.
    """
    wanted, install = package["distribution"], package["install"]
    try:
        files = distribution(wanted).files or []
    except PackageNotFoundError:
        raise MissingWeights(
            f"the weights of {model} are in the Python package {wanted}, which is not installed: "
            f"{install}"
        ) from None
    paths = [
        path for file in files if file.name == name and (path := Path(file.locate())).is_file()
    ]
    if not paths:
        raise MissingWeights(f"{name} is not in the installed package {wanted}; {_again(wanted)}")
    if digest(paths[:1]) != package["sha256"]:
        raise MissingWeights(
            f"{paths[0]} is not the file that was published: its SHA-256 is {digest(paths[:1])}, "
            f"not {package['sha256']}; {_again(wanted)}"
        )
    return paths[0]


def _again(wanted: str) -> str:
    return f"install it anew: pip install --force-reinstall --no-deps {wanted}"

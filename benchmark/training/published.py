"""Where the weight files that Keras publishes come from, and the hashes published with them.

Facts of ``keras.applications`` (Keras 3.15), for backbones without a classifier, trained on
ImageNet. A file is only downloaded on the user's word: ``cxr-bench fetch-weights``.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import UserError

_HOST = "https://storage.googleapis.com/"
_KERAS = f"{_HOST}tensorflow/keras-applications/"
PUBLISHED = {
    # file: its folder, its MD5 or (longer) SHA-256; "" where Keras publishes none
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        f"{_KERAS}resnet/",
        "4d473c1dd8becc155b73f8504c6f6626",
    ),
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        f"{_KERAS}vgg16/",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5": (
        f"{_KERAS}mobilenet_v2/",
        "",
    ),
    "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        f"{_KERAS}densenet/",
        "30ee3e1110167f948a6b9946edeeb738",
    ),
    "densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        f"{_KERAS}densenet/",
        "b8c4d4c20dd625c148057b9ff1c1176b",
    ),
    "efficientnetb0_notop.h5": (
        f"{_HOST}keras-applications/",
        "50bc09e76180e00e4465e1a485ddc09d",
    ),
    "efficientnetb6_notop.h5": (
        f"{_HOST}keras-applications/",
        "9ecce42647a20130c1f39a5d4cb75743",
    ),
    "efficientnetb7_notop.h5": (
        f"{_HOST}keras-applications/",
        "cbcfe4450ddf6f3ad90b1b398090fe4a",
    ),
    "efficientnetv2-b0_notop.h5": (
        f"{_KERAS}efficientnet_v2/",
        "893217f2bb855e2983157299931e43ff",
    ),
    "convnext_tiny_notop.h5": (
        f"{_KERAS}convnext/",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
}


def is_as_published(path: Path) -> bool | None:
    """Whether a file has the hash published with its name; None where none is."""
    _, published = PUBLISHED.get(path.name, ("", ""))
    if not published:
        return None
    with path.open("rb") as file:
        method = "sha256" if len(published) == 64 else "md5"
        return hashlib.file_digest(file, method).hexdigest() == published


def fetch(names: Sequence[str], folder: Path) -> list[Path]:
    """Download weight files and check their hashes; what is there already stays.

    Raises:
        UserError: nothing is known about where a file comes from, the download failed, or another
            file of that name is there; says what to do.
    """
    for name in names:
        if name not in PUBLISHED:
            raise UserError(
                f"{name} is none of the files that can be downloaded from here. The model's file "
                f"says where it comes from; put it into {folder} under this name."
            )
    return [_fetched(name, folder) for name in names]


def _fetched(name: str, folder: Path) -> Path:
    path = folder / name
    if not path.is_file():
        _download(PUBLISHED[name][0] + name, path, PUBLISHED[name][1])
    elif is_as_published(path) is False:
        raise UserError(f"{path} is not the file that Keras publishes; remove or rename it first.")
    return path


def _download(url: str, path: Path, published: str) -> None:
    import keras

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download-") as temporary:
            got = keras.utils.get_file(
                path.name, url, cache_subdir=temporary, file_hash=published or None
            )
            Path(got).replace(path)
    except Exception as error:  # whatever urllib, the system or Keras' check of the hash raise
        raise UserError(
            f"could not download {url}: {error}. Download it where there is a network and put it "
            f"into {path.parent}."
        ) from error

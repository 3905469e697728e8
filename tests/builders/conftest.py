"""Preparing a builder in a test and reading it back."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow_datasets as tfds

import tfds_builders


@pytest.fixture(scope="session")
def prepare():
    """Function (name, config, data_dir, manual_dir) -> prepared builder.

    A set of the user's own is configured as the file in its folder says.
    """
    tfds.disable_progress_bar()

    def run(name: str, config: str, data_dir: Path, manual_dir: Path | None):
        cls = tfds_builders.BUILDERS[name]
        made = config if cls.builder_configs else cls.configure(manual_dir, config)
        builder = cls(config=made, data_dir=data_dir)
        download = tfds.download.DownloadConfig(manual_dir=manual_dir)
        builder.download_and_prepare(download_config=download)
        return builder

    return run


@pytest.fixture(scope="session")
def stored():
    """Function (builder, split) -> every example in the order on disk, images as bytes."""
    reading = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)

    def run(builder, split: str) -> list[dict]:
        skip = {"image": tfds.decode.SkipDecoding()}
        data = builder.as_dataset(split=split, decoders=skip, read_config=reading)
        return list(tfds.as_numpy(data))

    return run

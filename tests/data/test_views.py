"""Views: the right pixels in the right order, whatever happens to the files."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import shutil
import threading
import time
import weakref

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_sets import grey_images, store

from benchmark.data import preprocessing, view_building, view_facts, views
from benchmark.data.decode import decode_image, raw_examples
from benchmark.data.views import list_views, open_view, prune_views, verify_view
from benchmark.errors import UnknownName, UserError
from tests.data.damage import damaged_bytes, damaged_json
from tests.encoded import encoded


def by_hand(image: np.ndarray, size: int) -> np.ndarray:
    """Area average of float pixels by explicit overlap weights."""

    def weights(length):
        edges = np.arange(size + 1) * length / size
        pixels = np.arange(length)
        overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return np.clip(overlap, 0, None) * size / length

    return weights(image.shape[0]) @ image @ weights(image.shape[1]).T


def test_view_holds_every_image_of_the_split_in_manifest_order(tiny, tmp_path):
    view = open_view(tiny, "train", 32, "raw", tmp_path)
    assert view.images.shape == (70, 32, 32)
    assert view.images.dtype == np.uint8
    assert isinstance(view.images, np.memmap)
    manifest = tiny.manifest()
    assert list(view.image_ids) == list(manifest.image_id[manifest.split == "train"])
    stored = raw_examples(tiny.path, "train").as_numpy_iterator()
    for image, example in zip(view.images, stored, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(example["image"])), float)
        assert np.abs(image - by_hand(pixels, 32)).max() <= 0.5 + 1e-3


def test_pixels_are_the_same_bits_when_built_again(tiny, tmp_path):
    first = open_view(tiny, "train", 40, "clahe", tmp_path / "a")
    second = open_view(tiny, "train", 40, "clahe", tmp_path / "b")
    np.testing.assert_array_equal(first.images, second.images)
    assert first.path.name == second.path.name


def test_second_opening_decodes_nothing(tiny, tmp_path, monkeypatch):
    first = open_view(tiny, "test", 32, "raw", tmp_path)
    monkeypatch.setattr(views, "build_views", lambda *a: pytest.fail("built again"))
    assert open_view(tiny, "test", 32, "raw", tmp_path).path == first.path


PLAIN = sorted(
    n for n, v in preprocessing.discover().items() if not (v.needs_lungs or v.before_resize)
)


@pytest.mark.parametrize("variant", PLAIN)
def test_preprocessing_in_a_view_equals_the_eager_call(tiny, tmp_path, variant):
    raw = open_view(tiny, "test", 32, "raw", tmp_path).images
    made = open_view(tiny, "test", 32, variant, tmp_path).images
    apply = preprocessing.find(variant).load()
    np.testing.assert_array_equal(made, [apply(np.array(image)) for image in raw])


def test_what_the_pixels_depend_on_makes_another_view(tiny, tmp_path, monkeypatch):
    paths = {open_view(tiny, "test", 32, "raw", tmp_path).path}
    paths.add(open_view(tiny, "train", 32, "raw", tmp_path).path)
    paths.add(open_view(tiny, "test", 33, "raw", tmp_path).path)
    paths.add(open_view(tiny, "test", 32, "equalise", tmp_path).path)
    changed = copy.copy(tiny)
    changed.manifest_sha256 = "1" * 64
    paths.add(open_view(changed, "test", 32, "raw", tmp_path).path)
    monkeypatch.setattr(views, "DECODE_VERSION", 999)
    paths.add(open_view(tiny, "test", 32, "raw", tmp_path).path)
    assert len(paths) == 6


def test_progress_counts_to_the_end(tiny, tmp_path):
    seen = []
    open_view(tiny, "train", 32, "raw", tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(32, 70), (64, 70), (70, 70)]


# Decoding


def decoded(pixels: np.ndarray, size: int, form: str = "PNG", dtype=tf.uint8) -> np.ndarray:
    return decode_image(tf.constant(encoded(pixels, form)), size, dtype).numpy()[..., 0]


def test_eight_bit_pixels_are_used_as_they_are():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16) // 2
    np.testing.assert_array_equal(decoded(pixels, 16), pixels)


def test_eight_bit_pixels_are_averaged_with_the_bits_of_float32():
    pixels = np.random.default_rng(0).integers(0, 256, (301, 257), np.uint8)
    average = tf.image.resize(pixels[..., None].astype(np.float32), (64, 64), method="area")
    np.testing.assert_array_equal(decoded(pixels, 64), tf.round(average).numpy()[..., 0])


def test_jpeg_is_read_as_pillow_reads_it():
    y, x = np.mgrid[:64, :64]
    jpeg = encoded((2 * (x + y)).astype(np.uint8), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(jpeg))).astype(int)
    assert np.abs(decode_image(tf.constant(jpeg), 64).numpy()[..., 0] - expected).max() <= 1


def test_sixteen_bit_pixels_are_scaled_by_their_own_range():
    pixels = np.array([[1000, 1000, 2000], [1500, 1500, 1500], [3000, 3040, 1000]], np.uint16)
    expected = np.rint((pixels.astype(float) - 1000) / 2040 * 255)
    np.testing.assert_array_equal(decoded(pixels, 3, dtype=tf.uint16), expected)


def test_a_constant_sixteen_bit_image_is_black_not_nan():
    pixels = np.full((8, 8), 777, np.uint16)
    np.testing.assert_array_equal(decoded(pixels, 8, dtype=tf.uint16), np.zeros((8, 8)))


def test_sixteen_bit_views(tmp_path):
    ramp = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    prepared = store(tmp_path / "data", {"test": [("a", encoded(ramp))]}, np.uint16)
    image = open_view(prepared, "test", 64, "raw", tmp_path).images[0]
    np.testing.assert_array_equal(image, np.rint(ramp / 4095.0 * 255))


def test_colour_and_alpha_become_grey():
    random = np.random.default_rng(0)
    grey = random.integers(0, 256, (20, 30, 1), np.uint8)
    rgba = np.concatenate([np.repeat(grey, 3, -1), np.full_like(grey, 255)], -1)
    assert np.abs(decoded(rgba, 20).astype(int) - decoded(grey[..., 0], 20)).max() <= 1


def test_tall_images_are_squashed_not_cropped():
    pixels = np.zeros((64, 32), np.uint8)
    pixels[:32] = 200
    image = decoded(pixels, 32)
    assert (image[:16] == 200).all()
    assert (image[16:] == 0).all()


# Damage


def damage_truncated(path):
    os.truncate(path / "images.npy", 1000)


def damage_shorter_header(path):
    np.save(path / "images.npy", np.zeros((9, 16, 16), np.uint8))


def damage_longer(path):
    with (path / "images.npy").open("ab") as file:
        file.write(b"x")


def damage_no_description(path):
    (path / "view.json").unlink()


def damage_description(path):
    (path / "view.json").write_text('{"made_of": [')


def damage_other_description(path):
    text = json.loads((path / "view.json").read_text())
    text["made_of"]["size"] = 31
    (path / "view.json").write_text(json.dumps(text))


@pytest.mark.parametrize(
    "damage",
    [
        damage_truncated,
        damage_shorter_header,
        damage_longer,
        damage_no_description,
        damage_description,
        damage_other_description,
    ],
)
def test_a_damaged_view_is_named_and_built_again(tiny, tmp_path, caplog, damage):
    view = open_view(tiny, "test", 32, "raw", tmp_path)
    pixels = np.array(view.images)
    damage(view.path)
    assert [stored.problem != "" for stored in list_views(tmp_path)] == [True]
    assert verify_view(view.path)
    with caplog.at_level(logging.WARNING):
        again = open_view(tiny, "test", 32, "raw", tmp_path)
    assert str(view.path) in caplog.text
    np.testing.assert_array_equal(again.images, pixels)
    assert verify_view(view.path) == ""


def test_verify_finds_one_changed_pixel(tiny, tmp_path):
    view = open_view(tiny, "test", 32, "raw", tmp_path)
    assert verify_view(view.path) == ""
    writable = np.load(view.path / "images.npy", mmap_mode="r+")
    writable[3, 4, 5] ^= 1
    writable.flush()
    assert "changed" in verify_view(view.path)


def flipped(path):
    """Change one pixel of a view, and the file's time."""
    writable = np.load(path / "images.npy", mmap_mode="r+")
    writable[3, 4, 5] ^= 1
    writable.flush()
    os.utime(path / "images.npy", (1, 1))


def test_a_view_with_changed_pixels_is_built_again_and_said(tiny, tmp_path, caplog):
    view = open_view(tiny, "test", 32, "raw", tmp_path)
    pixels = np.array(view.images)
    flipped(view.path)
    assert [stored.problem for stored in list_views(tmp_path)] == [""], "pixels are not read"
    again = open_view(tiny, "test", 32, "raw", tmp_path)
    assert f"{view.path} is damaged (images.npy has changed)" in caplog.text
    np.testing.assert_array_equal(again.images, pixels)


def test_a_process_reads_a_view_once_and_again_when_it_was_changed(tiny, tmp_path, monkeypatch):
    read, hashed = [], view_facts.sha256_of_file
    monkeypatch.setattr(view_facts, "sha256_of_file", lambda path: read.append(1) or hashed(path))
    view = open_view(tiny, "test", 32, "raw", tmp_path)
    assert len(read) == 1, "what was written is read back"
    open_view(tiny, "test", 32, "raw", tmp_path)
    assert len(read) == 1
    os.utime(view.path / "images.npy", (1, 1))
    open_view(tiny, "test", 32, "raw", tmp_path)
    assert len(read) == 2
    verify_view(view.path)
    assert len(read) == 3


def test_a_cache_that_does_not_keep_what_is_written_is_named(tiny, tmp_path, monkeypatch):
    build = views.build_views

    def on_a_bad_disk(recipes, batches, cache, is_sound):
        build(recipes, batches, cache, is_sound)
        flipped(cache / recipes[0].key)

    monkeypatch.setattr(views, "build_views", on_a_bad_disk)
    with pytest.raises(UserError, match="damaged while it was written"):
        open_view(tiny, "test", 32, "raw", tmp_path)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_whatever_happened_to_its_files_a_view_has_its_pixels(tiny, tmp_path_factory, data):
    cache = tmp_path_factory.mktemp("cache")
    view = open_view(tiny, "test", 32, "equalise", cache)
    pixels = np.array(view.images)
    path = view.path / data.draw(st.sampled_from(["view.json", "images.npy"]))
    whole = path.read_bytes()
    ways = [damaged_bytes(whole)]
    ways += [damaged_json(whole)] if path.name == "view.json" else []
    path.write_bytes(data.draw(st.one_of(ways)))
    damaged = verify_view(view.path)
    assert bool(damaged) == (path.read_bytes() != whole) or path.name == "view.json"
    assert len(list_views(cache)) == 1
    again = open_view(tiny, "test", 32, "equalise", cache)
    np.testing.assert_array_equal(again.images, pixels)
    assert verify_view(again.path) == ""


def test_a_view_of_another_version_of_its_preprocessing_is_another(tiny, tmp_path, monkeypatch):
    before = open_view(tiny, "test", 32, "raw", tmp_path)
    monkeypatch.setattr(preprocessing.Variant, "version", 2)
    assert open_view(tiny, "test", 32, "raw", tmp_path).path != before.path


@pytest.mark.parametrize("file", ["dataset_info.json", "features.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"type": 1}'])
def test_damaged_files_of_tfds_are_an_error_for_people(tmp_path, file, text):
    prepared = store(tmp_path / "data", {"test": grey_images(2, 5)})
    (prepared.path / file).write_text(text)
    with pytest.raises(UserError, match=r"1\.0\.0"):
        open_view(prepared, "test", 32, "raw", tmp_path)


def test_images_that_are_not_the_manifests_are_refused(tiny, tmp_path):
    wrong = copy.copy(tiny)
    manifest = tiny.manifest().copy()
    manifest.loc[manifest.index[-1], "image_id"] = "somebody else"
    wrong.manifest = lambda: manifest
    with pytest.raises(UserError, match="manifest lists somebody else"):
        open_view(wrong, "test", 32, "raw", tmp_path)
    wrong.manifest = lambda: manifest.iloc[:-1]
    with pytest.raises(UserError, match="lists nothing"):
        open_view(wrong, "test", 32, "raw", tmp_path)
    assert list_views(tmp_path) == []
    assert list((tmp_path / "views").iterdir()) == []


def test_an_image_that_cannot_be_decoded_is_an_error_for_people(tmp_path):
    broken = [("good", grey_images(1, 5)[0][1]), ("bad", b"\x89PNG not really")]
    prepared = store(tmp_path / "data", {"test": broken})
    with pytest.raises(UserError, match="cannot read the test images of tiny/default"):
        open_view(prepared, "test", 32, "raw", tmp_path)


def test_unknown_names_list_the_choices(tiny, tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'equalise'"):
        open_view(tiny, "test", 32, "equalize", tmp_path)
    with pytest.raises(UnknownName, match="train"):
        open_view(tiny, "trian", 32, "raw", tmp_path)


def test_a_folder_without_a_data_set_is_an_error_for_people(tiny, tmp_path):
    lost = copy.copy(tiny)
    lost.path = tmp_path / "nowhere"
    with pytest.raises(UserError, match="nowhere"):
        open_view(lost, "test", 32, "raw", tmp_path)


def test_a_cache_that_cannot_be_written_is_named(tiny, tmp_path):
    (tmp_path / "views").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="views"):
        open_view(tiny, "test", 32, "raw", tmp_path)


def test_a_full_disk_is_named_and_leaves_nothing(tiny, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(view_building.os, "fsync", full)
    with pytest.raises(UserError, match=r"No space left on device.*MB"):
        open_view(tiny, "test", 32, "raw", tmp_path)
    assert list((tmp_path / "views").iterdir()) == []


# Several sizes in one pass


def passes(monkeypatch) -> list:
    """The sizes of each pass over the files from now on."""
    seen, decoded_once = [], views.decoded

    def counted(prepared, split, sizes, *rest, **more):
        seen.append(list(sizes))
        return decoded_once(prepared, split, sizes, *rest, **more)

    monkeypatch.setattr(views, "decoded", counted)
    return seen


@pytest.mark.parametrize("variant", ["raw", "clahe"])
def test_sizes_that_will_be_asked_for_are_made_in_the_same_pass(
    tiny, tmp_path, monkeypatch, variant
):
    seen = passes(monkeypatch)
    together = tmp_path / "together"
    first = open_view(tiny, "train", 32, variant, together, further_sizes=(48, 32, 16))
    assert seen == [[32, 48, 16]]
    for size in (16, 32, 48):
        made = open_view(tiny, "train", size, variant, together)
        alone = open_view(tiny, "train", size, variant, tmp_path / "alone")
        assert made.path.name == alone.path.name
        for name in ("images.npy", "view.json"):
            assert (made.path / name).read_bytes() == (alone.path / name).read_bytes()
    assert seen[1:] == [[16], [32], [48]], "all of them of the folder where each was made alone"
    assert first.images.shape == (70, 32, 32)


def test_of_further_sizes_only_what_is_missing_is_made(tiny, tmp_path, monkeypatch):
    open_view(tiny, "test", 16, "raw", tmp_path)
    seen = passes(monkeypatch)
    open_view(tiny, "test", 16, "raw", tmp_path, further_sizes=(48,))
    assert seen == [], "what was asked for is there: 48 px are made when they are"
    open_view(tiny, "test", 32, "raw", tmp_path, further_sizes=(16, 48))
    assert seen == [[32, 48]]


def test_a_full_disk_leaves_no_view_of_any_size(tiny, tmp_path, monkeypatch):
    synced, sync = [], os.fsync

    def full(file):
        synced.append(file)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(view_building.os, "fsync", full)
    with pytest.raises(UserError, match=r"No space left on device.*MB"):
        open_view(tiny, "test", 32, "raw", tmp_path, further_sizes=(48,))
    kept = [path.name for path in (tmp_path / "views").iterdir()]
    assert not [name for name in kept if name.startswith(view_building.BUILDING)]
    assert all(not verify_view(tmp_path / "views" / name) for name in kept)
    monkeypatch.undo()
    assert open_view(tiny, "test", 48, "raw", tmp_path).images.shape[1:] == (48, 48)


def test_many_sizes_take_no_more_memory_than_a_batch_of_each(tiny, tmp_path, monkeypatch):
    held = []

    def batches():
        for _ in range(50):
            batch = [np.zeros((32, size, size), np.uint8) for size in (64, 32)]
            held.append([weakref.ref(images) for images in batch])
            alive = sum(ref() is not None for refs in held for ref in refs)
            assert alive <= 4, "of this batch and the one before"
            yield batch

    recipes = [
        views._recipe(tiny, "test", size, np.array(["a"] * 1600), {"contents": "zeros"})
        for size in (64, 32)
    ]
    view_building.build_views(recipes, batches(), tmp_path, lambda found, recipe: True)
    assert len(list(tmp_path.iterdir())) == 2
    assert len(held) == 50


# Several processes, one cache


def test_the_loser_of_a_race_takes_the_winners_view(tiny, tmp_path):
    opened = []
    threads = [
        threading.Thread(
            target=lambda: opened.append(open_view(tiny, "train", 32, "raw", tmp_path))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 3
    assert len({view.path for view in opened}) == 1
    assert len(list((tmp_path / "views").iterdir())) == 1
    for view in opened[1:]:
        np.testing.assert_array_equal(view.images, opened[0].images)


def test_a_view_found_sound_at_the_end_is_kept(tiny, tmp_path, monkeypatch):
    """The slower of two builders does not replace what the faster one published."""
    renamed = view_building._publish

    def winner_first(temporary, folder, is_sound):
        shutil.copytree(temporary, folder)
        winner.append(folder.stat().st_ino)
        renamed(temporary, folder, is_sound)

    winner = []
    monkeypatch.setattr(view_building, "_publish", winner_first)
    view = open_view(tiny, "test", 32, "raw", tmp_path)
    assert [view.path.stat().st_ino] == winner


def test_a_view_that_cannot_be_removed_is_named(tiny, tmp_path, monkeypatch):
    view = open_view(tiny, "test", 32, "raw", tmp_path)

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(views.shutil, "rmtree", refused)
    with pytest.raises(UserError, match=view.path.name):
        prune_views(tmp_path)


def test_list_and_prune(tiny, tmp_path):
    small = open_view(tiny, "test", 32, "raw", tmp_path)
    large = open_view(tiny, "test", 48, "raw", tmp_path)
    listed = {stored.path: stored for stored in list_views(tmp_path)}
    assert listed.keys() == {small.path, large.path}
    assert listed[small.path].made_of.dataset == "tiny/default"
    assert listed[small.path].made_of.contents == "raw"
    assert listed[small.path].bytes > 9 * 32 * 32
    abandoned = tmp_path / "views" / f"{view_building.BUILDING}old"
    fresh = tmp_path / "views" / f"{view_building.BUILDING}new"
    for folder in (abandoned, fresh):
        folder.mkdir()
    os.utime(abandoned, (time.time() - 7200,) * 2)
    removed = {stored.path for stored in prune_views(tmp_path, keep=[small.path.name])}
    assert removed == {large.path, abandoned}
    assert {stored.path for stored in list_views(tmp_path)} == {small.path}
    assert fresh.exists()
    assert list_views(tmp_path / "no cache yet") == []
    assert large.images.sum() > 0  # an open view outlives its files

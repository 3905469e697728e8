"""What the system says is put into sentences with the path; room is asked for beforehand."""

from __future__ import annotations

import errno
import os
import shutil
from types import SimpleNamespace

import pytest

from benchmark.errors import UserError
from benchmark.records.disk import check_room, is_disk_full, is_unusable, told
from benchmark.records.files import replacing, write_atomic, write_in_order


def of_the_system(code: int, *place: str) -> OSError:
    return OSError(code, os.strerror(code), *place)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "/a/b: No space left on device. Free some space, or choose another folder."),
        (errno.EDQUOT, "/a/b: Disk quota exceeded. Free some space, or choose another folder."),
        (errno.EROFS, "/a/b: Read-only file system. Choose a folder that can be written to."),
        (
            errno.EACCES,
            "/a/b: Permission denied. Choose another folder, or change who may use this one.",
        ),
        (errno.ENAMETOOLONG, "/a/b: File name too long. Choose a shorter name."),
        (errno.ENOTDIR, "/a/b: Not a directory."),
    ],
)
def test_an_error_of_the_system_is_a_sentence_with_the_path_and_what_to_do(code, said):
    assert told(of_the_system(code, "/a/b")) == said


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO])
def test_a_server_in_trouble_is_told_as_such(code):
    assert "/a: " in (text := told(of_the_system(code, "/a")))
    assert "Its disk or server is in trouble" in text


def test_a_write_that_fails_says_where(tmp_path, monkeypatch):
    def full(descriptor):
        raise of_the_system(errno.ENOSPC)

    monkeypatch.setattr(os, "fsync", full)
    path, other = tmp_path / "rows" / "x.json", tmp_path / "a"
    with pytest.raises(OSError, match="No space") as caught:
        write_in_order({other: b"1", path: b"2"})
    assert caught.value.filename == str(other)
    with pytest.raises(OSError, match="No space") as caught:
        write_atomic(path, b"2")
    assert caught.value.filename == str(path)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"

    def broken_off():
        with replacing(path) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_takes_nothing_more_is_told_from_one_that_is_not_ours(tmp_path):
    ours = [tmp_path]
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.EIO):
        assert is_unusable(of_the_system(code, str(tmp_path / "rows" / "a")), ours)
        assert is_unusable(of_the_system(code), ours), "nobody says where"
        assert not is_unusable(of_the_system(code, "/elsewhere/a"), ours)
    assert not is_unusable(of_the_system(errno.EACCES, str(tmp_path)), ours)
    wrapped = UserError("cannot write")
    wrapped.__cause__ = of_the_system(errno.EROFS, str(tmp_path))
    assert is_unusable(wrapped, ours)


def test_room_is_asked_for_before_time_is_spent(tmp_path, monkeypatch):
    free = SimpleNamespace(free=2e9)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    check_room(tmp_path / "not" / "yet", 1.9e9, "the weights", "--results")
    said = rf"no room for the weights in {tmp_path}: 2\.1 GB are needed, 2\.0 GB .* --results DIR"
    with pytest.raises(UserError, match=said) as caught:
        check_room(tmp_path, 2.1e9, "the weights", "--results")
    assert is_disk_full(caught.value)
    assert is_unusable(caught.value, [tmp_path])

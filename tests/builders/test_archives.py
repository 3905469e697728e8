"""Archives read in place: the same files from every kind, and nothing bad gets through."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tfds_builders import archives
from tfds_builders.archives import Folder, Tar, Zip, is_junk, open_source, safe_name
from tfds_builders.errors import DatasetError, Unreadable
from tfds_builders.tarstream import inflate

FILES = {
    "b/2.png": b"two" * 700,
    "a/1.png": b"",
    "a/deep/3.png": bytes(range(256)) * 4,
    "a/exact.png": b"\7" * 1024,
}
JUNK = ("a/.DS_Store", "a/._1.png", "__MACOSX/a/1.png")
KINDS = ("folder", "zip", "tar.gz", "tar")


def everything(name: str) -> bool:
    return True


def add(archive: tarfile.TarFile, name: str, data: bytes = b"data", **fields) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data) if not fields else 0
    for field, value in fields.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(data))


def write(kind: str, path: Path, files: dict[str, bytes]) -> Path:
    if kind == "folder":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path
    path = path.with_name(f"{path.name}.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            for name, data in files.items():
                add(archive, name, data)
    return path


def outcome(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """What a stream gives: contents, and reasons of what it does not give."""
    good, bad = {}, {}
    for name, content in open_source(path).stream(everything):
        if isinstance(content, bytes):
            assert name not in good
            good[name] = content
        else:
            bad[name] = str(content)
    return good, bad


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_files(kind, tmp_path):
    path = write(kind, tmp_path / "set", FILES | dict.fromkeys(JUNK, b"junk"))
    before = sorted(tmp_path.rglob("*"))
    source = open_source(path)
    expected = sorted(FILES) if kind == "folder" else list(FILES)
    assert source.names() == expected
    assert source.refused() == []
    assert {name: source.read(name) for name in source.names()} == FILES
    assert [source.size(name) for name in expected] == [len(FILES[name]) for name in expected]
    assert list(source.stream(everything)) == [(name, FILES[name]) for name in expected]
    assert list(source.stream("b/2.png".__eq__)) == [("b/2.png", FILES["b/2.png"])]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", KINDS)
def test_limits_and_missing_names_are_named(kind, tmp_path):
    source = open_source(write(kind, tmp_path / "set", FILES))
    with pytest.raises(Unreadable, match="too large"):
        source.read("b/2.png", limit=2099)
    assert len(source.read("b/2.png", limit=2100)) == 2100
    with pytest.raises(Unreadable):
        source.read("c/4.png")
    with pytest.raises(Unreadable):
        source.size("c/4.png")
    refused = dict(source.stream(everything, limit=1500))["b/2.png"]
    assert "too large: 2100 bytes" in str(refused) or "2100" in str(refused)


def test_other_files_are_no_sources(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DatasetError, match=r"neither a folder nor one of \.zip"):
        open_source(tmp_path / "notes.txt")
    with pytest.raises(DatasetError, match="there is no"):
        open_source(tmp_path / "nothing.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"broken\.zip is damaged"):
        open_source(tmp_path / "broken.zip")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.png", "leads out"),
        ("a/../../evil.png", "leads out"),
        ("a\\..\\..\\evil.png", "leads out"),
        ("/etc/evil.png", "absolute"),
        ("C:\\evil.png", "absolute"),
        ("./", "no file name"),
        ("a/\x1b[31m.png", "control characters"),
        ("a\nb.png", "control characters"),
        ("n" * 1001, "a name of 1001 characters"),
        ("a/\udcff.png", "UTF-8"),
    ],
)
def test_names_that_lead_out_are_refused(name, reason, tmp_path):
    with pytest.raises(Unreadable, match=reason):
        safe_name(name)
    if reason != "leads out" and not name.startswith("/"):
        return
    for kind in ("zip", "tar.gz"):
        path = write(kind, tmp_path / "x", {name: b"evil", "good.png": b"good"})
        good, bad = outcome(path)
        assert good == {"good.png": b"good"}
        assert [reason in why for why in bad.values()] == [True]
        assert open_source(path).refused()[0]["file"] == next(iter(bad))
    assert not list(tmp_path.parent.rglob("evil.png"))


def test_names_that_are_refused_can_be_shown(tmp_path):
    path = write("zip", tmp_path / "x", {"a\x1b[31m.png": b"red", "n" * 5000: b"long"})
    assert [each["file"] for each in open_source(path).refused()] == ["a\ufffd[31m.png", "n" * 1000]


def test_names_are_tidied():
    assert safe_name("./a//b/./c.png") == "a/b/c.png"
    assert safe_name("a\\b.png") == "a/b.png"
    assert safe_name("Class: normal/x.png") == "Class: normal/x.png"
    assert is_junk("x/Thumbs.db")
    assert not is_junk("x/thumb.png")


def test_links_devices_and_second_members_of_a_tar_are_refused(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        add(archive, "good.png", b"first")
        add(archive, "link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "hard.png", type=tarfile.LNKTYPE, linkname="good.png")
        add(archive, "null.png", type=tarfile.CHRTYPE)
        add(archive, "pipe.png", type=tarfile.FIFOTYPE)
        add(archive, "./good.png", b"second")
    good, bad = outcome(tmp_path / "x.tar.gz")
    assert good == {"good.png": b"first"}
    assert [why.split(";")[0] for why in bad.values()] == [
        "a link",
        "a link",
        "a device",
        "a device",
        "a second member of this name",
    ]
    refused = Tar(tmp_path / "x.tar.gz").refused()
    assert {entry["file"]: entry["reason"] for entry in refused} == bad


def test_links_encrypted_and_second_members_of_a_zip_are_refused(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.png", b"first")
        archive.writestr("secret.png", b"secret")
        archive.writestr(zipfile.ZipInfo("odd.png"), b"bzip", compress_type=zipfile.ZIP_BZIP2)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("good.png", b"second")
        archive.getinfo("secret.png").flag_bits |= 1
    good, bad = outcome(path)
    assert good == {"good.png": b"first"}
    assert {name: why.split(" (")[0] for name, why in bad.items()} == {
        "link.png": "a link",
        "secret.png": "encrypted",
        "odd.png": "compressed by an unusual method",
        "good.png": "a second member of this name; the first one is used",
    }


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_are_refused_by_what_they_declare(kind, tmp_path):
    path = write(kind, tmp_path / "x", {"bomb.png": bytes(40 * 2**20)})
    _, bad = outcome(path)
    assert "bomb" in bad["bomb.png"]
    with pytest.raises(Unreadable, match="too large"):
        open_source(path).read("bomb.png", limit=2**20)


def test_a_lie_about_the_size_is_seen_by_the_bytes(tmp_path):
    path = write("zip", tmp_path / "x", {"lie.png": bytes(40 * 2**20)})
    data = bytearray(path.read_bytes())
    true, said = (40 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    path.write_bytes(data.replace(true, said))
    _, bad = outcome(path)
    assert bad["lie.png"]
    source = Zip(path)
    source._index[0]["lie.png"][1].file_size = 40 * 2**20  # the member alone tells the truth
    with pytest.raises(Unreadable, match="bomb"):
        source.read("lie.png")


def test_the_bytes_of_a_folder_are_counted(tmp_path):
    (tmp_path / "big.png").write_bytes(b"x" * 100)
    with pytest.raises(Unreadable, match="too large: 100 bytes"):
        Folder(tmp_path).read("big.png", limit=99)
    (tmp_path / "pipe.png").symlink_to("/dev/zero")
    with pytest.raises(Unreadable, match="not a regular file"):
        Folder(tmp_path).read("pipe.png")


def test_linked_folders_are_read_once(tmp_path):
    write("folder", tmp_path / "disk", FILES)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "loop").symlink_to(tmp_path / "disk")
    assert Folder(tmp_path / "set").names() == sorted(f"x/{name}" for name in FILES)
    assert [one["file"] for one in Folder(tmp_path / "set").refused()] == ["x/loop"]


@pytest.mark.parametrize("made", [("a", "b"), ("b", "a")])
def test_the_second_path_to_a_folder_is_refused_and_told(made, tmp_path):
    """Whichever a disk lists first: the order of names decides."""
    write("folder", tmp_path / "disk", FILES)
    (tmp_path / "set").mkdir()
    for name in made:
        (tmp_path / "set" / name).symlink_to(tmp_path / "disk")
    (tmp_path / "set" / "a" / "up").symlink_to(tmp_path / "set")
    source = Folder(tmp_path / "set")
    assert source.names() == sorted(f"a/{name}" for name in FILES)
    why = "a folder that is read already, by another path"
    assert source.refused() == [{"file": name, "reason": why} for name in ("a/up", "b")]


def test_a_folder_that_may_not_be_read_is_told(monkeypatch, tmp_path):
    write("folder", tmp_path, FILES)
    write("folder", tmp_path / "closed", FILES)
    look = archives.os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(archives.os, "scandir", scandir)
    source = Folder(tmp_path)
    assert source.names() == sorted(FILES)
    why = "a folder that cannot be read: Permission denied"
    assert source.refused() == [{"file": "closed", "reason": why}]
    assert Folder(tmp_path / "none").refused() == []


def test_the_order_of_the_disk_does_not_matter(monkeypatch, tmp_path):
    write("folder", tmp_path / "disk", FILES)
    for name in ("x", "y"):
        (tmp_path / name).symlink_to(tmp_path / "disk")
    walk = archives.os.walk

    def other_way(top, **said):
        for folder, below, files in walk(top, **said):
            below.sort(reverse=True)
            yield folder, below, files

    found = Folder(tmp_path).names()
    monkeypatch.setattr(archives.os, "walk", other_way)
    assert Folder(tmp_path).names() == found
    assert found == sorted(f"disk/{name}" for name in FILES)


@pytest.mark.parametrize("kind", ["tar.gz", "tar"])
def test_a_cut_archive_gives_what_stands_before_the_cut(kind, tmp_path):
    rng = np.random.default_rng(0)
    files = {f"{i}.png": rng.bytes(3000 + 512 * (i % 3)) for i in range(20)}
    path = write(kind, tmp_path / "x", files)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    good, bad = outcome(path)
    assert 8 <= len(good) <= 11
    assert all(files[name] == data for name, data in good.items())
    assert "download it again" in bad[path.name]
    assert open_source(path).refused()[-1]["file"] == path.name


def test_damage_between_members_does_not_pass_for_the_end(tmp_path):
    path = write("tar", tmp_path / "x", {f"{i}.png": b"x" * 600 for i in range(4)})
    data = bytearray(path.read_bytes())
    data[2 * (512 + 1024) + 10] ^= 0xFF  # in the header of the third
    path.write_bytes(data)
    good, bad = outcome(path)
    assert list(good) == ["0.png", "1.png"]
    assert "not a tar header" in bad["x.tar"]


def test_a_header_cannot_fill_the_memory(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        add(archive, "n" * (2 * 2**20))
    _, bad = outcome(tmp_path / "x.tar")
    assert "a header of" in bad["x.tar"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_member_larger_than_the_file_is_not_looked_for(tmp_path, form, suffix):
    """Python's tarfile takes hours for it: it reads behind the end, a block at a time."""
    info = tarfile.TarInfo("a.png")
    info.size = 10**15
    data = good_tar() + info.tobuf(form) + b"x" * 9 * 1024
    path = tmp_path / f"x{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    begun = time.monotonic()
    good, bad = outcome(path)
    assert time.monotonic() - begun < 10
    assert list(good) == ["first.png"]
    assert "a.png is to have 1000000000000000 bytes" in bad[path.name]


def good_tar() -> bytes:
    """The beginning of a tar file, up to where a second member may follow."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("first.png")
        info.size = 512
        archive.addfile(info, io.BytesIO(b"y" * 512))
    return data.getvalue()[:1024]


def test_gzip_files_in_several_parts_are_one(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n") + bytes(100))
    with inflate(path) as file:
        assert file.read() == b"a,b\n1,2\n"
    path.write_bytes(gzip.compress(b"a,b\n" * 100)[:-9])
    with inflate(path) as file, pytest.raises(Unreadable, match="cut short"):
        file.read()
    (tmp_path / "table.csv").write_bytes(b"plain")
    with inflate(tmp_path / "table.csv") as file:
        assert file.read() == b"plain"


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar"])
def test_mutated_archives_never_crash_and_never_lie(kind, tmp_path):
    rng = np.random.default_rng(7)
    files = {f"d/{i}.png": rng.bytes(int(rng.integers(0, 2000))) for i in range(6)}
    path = write(kind, tmp_path / "x", files)
    original = path.read_bytes()
    for _ in range(200):
        path.write_bytes(mutate(original, rng))
        try:
            good, bad = outcome(path)
            source = open_source(path)
            assert all(source.size(name) >= 0 for name in source.names())
            assert {entry["file"] for entry in source.refused()} <= bad.keys()
        except DatasetError as error:
            named = path.name in str(error)
            assert named
            continue
        if kind == "tar":
            continue  # has no checksum of contents, and its names may come out changed
        right = all(files.get(name) in (None, data) for name, data in good.items())
        assert right or (bad and kind == "tar.gz")
        # A zip file without the entry of a file in its directory does not have the file.
        assert bad or kind == "zip" or good == files


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four random changes: bytes flipped, cut out, doubled, or the end cut off."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at, width = int(rng.integers(len(changed))), int(rng.integers(1, 40))
        match rng.integers(5):
            case 0:
                changed[at] ^= 1 << int(rng.integers(8))
            case 1:
                changed[at : at + width] = rng.bytes(width)
            case 2:
                del changed[at : at + width]
            case 3:
                changed[at:at] = changed[at : at + width]
            case 4 if rng.random() < 0.3 and at > 1:
                del changed[at:]
    return bytes(changed)


def test_the_suffixes_are_those_of_the_readers():
    assert archives.ARCHIVES == (".zip", ".tar.gz", ".tgz", ".tar")

"""Claims: one owner at a time, between threads, processes and hosts, whatever dies in between."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from benchmark.errors import UserError
from benchmark.scheduling import claim_files, owner
from benchmark.scheduling.claims import Claims

SPEC = "0123abcd"
ROOT = Path(__file__).parents[2]
SECONDS = 20.0
"""How long anything may take that is waited for."""


@pytest.fixture(params=["hard links", "no hard links"])
def links(request, monkeypatch):
    """The same on file systems with and without hard links."""
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", failing(errno.ENOTSUP))


@pytest.fixture
def make(tmp_path):
    """Makes Claims on one folder, as several runs would, and closes them."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(contextlib.closing(Claims(tmp_path, **options)))


def failing(number):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def file_of(folder: Path, spec_id: str = SPEC) -> Path:
    return folder / "claims" / spec_id


def elsewhere(folder: Path, spec_id: str = SPEC, **facts) -> Path:
    """A claim of a process on another host."""
    other = {"host": "another-host", "pid_namespace": "another-boot/1", "token": "theirs"}
    path = file_of(folder, spec_id)
    path.parent.mkdir(exist_ok=True)
    theirs = msgspec.structs.replace(owner.this_process(), **other | facts)
    path.write_bytes(msgspec.json.encode(theirs))
    return path


def age(path: Path, seconds: float) -> None:
    """Let a file have been touched last so long ago."""
    when = time.time() - seconds
    os.utime(path, (when, when))


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "claims").iterdir())


def wait_until(condition) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextlib.contextmanager
def process(folder: Path, code: str):
    """Another process with Claims on the folder; it is given lines, and gives lines."""
    code = (
        "import sys, os, pathlib\nfrom benchmark.scheduling.claims import Claims\n"
        "folder = pathlib.Path(sys.argv[1])\nclaims = Claims(folder)\n" + code
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


TAKES_ONE = f"print(claims.take('{SPEC}') is not None, flush=True)\nsys.stdin.read()\n"


# One owner at a time


def test_a_claim_is_anothers_until_it_is_released(links, make, tmp_path):
    first, second = make(), make()
    claim = first.take(SPEC)
    assert claim.still_ours()
    assert first.take(SPEC) is None
    assert second.take(SPEC) is None
    assert second.take("ff") is not None
    claim.release()
    assert not claim.still_ours()
    assert second.take(SPEC).still_ours()


def test_a_released_claim_cannot_take_away_the_next_owners(links, make):
    first, second = make(), make()
    claim = first.take(SPEC)
    claim.release()
    theirs = second.take(SPEC)
    claim.release()
    first.close()
    assert theirs.still_ours()


def test_close_lets_go_of_everything(links, make, tmp_path):
    claims = make()
    held = [claims.take(spec_id) for spec_id in ("aa", "bb")]
    claims.close()
    claims.close()
    assert not any(claim.still_ours() for claim in held)
    assert claims.take("aa") is None
    assert leftovers(tmp_path) == []


def test_a_claim_says_whose_it_is(make, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    make().take(SPEC)
    said = json.loads(file_of(tmp_path).read_bytes())
    assert said["pid"] == os.getpid()
    assert said["job"] == "4711"
    assert {"host", "token", "begun"} <= set(said)


def test_a_process_in_another_folder_can_see_whether_it_is_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(Claims(Path("results"))) as claims:
        claim = claims.take(SPEC)
        monkeypatch.chdir("/")
        assert claim.still_ours()
        assert claim_files.holds(claim.path, claim.data)
        claim.release()
        assert not claim_files.holds(claim.path, claim.data)


@pytest.mark.parametrize("name", ["", "..", "../rows/aa", "a/b", "AB", ".aa", "a\n", "xyz"])
def test_only_ids_are_claimed(make, name):
    with pytest.raises(ValueError, match="no spec id"):
        make().take(name)


def test_threads_exclude_each_other(links, make):
    several = [make() for _ in range(3)]
    inside, most, done = Counter(), Counter(), Counter()
    guard = threading.Lock()

    def work(seed):
        draw = random.Random(seed)
        for _ in range(25):
            spec_id = draw.choice("abc")
            claim = draw.choice(several).take(spec_id)
            if claim is None:
                continue
            with guard:
                inside[spec_id] += 1
                most[spec_id] = max(most[spec_id], inside[spec_id])
            time.sleep(0)
            with guard:
                inside[spec_id] -= 1
                done[spec_id] += 1
            claim.release()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most.values()) == {1}
    assert set(done) == set("abc")


@pytest.mark.parametrize("links_work", [True, False])
def test_processes_share_200_specs_none_twice_none_lost(tmp_path, links_work):
    code = "" if links_work else "def fail(*names): raise OSError(95, 'no')\nos.link = fail\n"
    code += (
        "import random\nids = [f'{n:x}' for n in range(200)]\nrandom.shuffle(ids)\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "print(*[i for i in ids if claims.take(i)], flush=True)\nsys.stdin.readline()\n"
    )
    with contextlib.ExitStack() as stack:
        runs = [stack.enter_context(process(tmp_path, code)) for _ in range(3)]
        for run in runs:
            assert run.stdout.readline() == "ready\n"
        for run in runs:
            run.stdin.write("\n")
            run.stdin.flush()
        got = [run.stdout.readline().split() for run in runs]
    assert sorted(itertools.chain(*got)) == sorted(f"{n:x}" for n in range(200))


# Owners that died


def test_a_killed_owner_on_this_host_is_taken_over_at_once(links, make, tmp_path):
    claims = make()
    with process(tmp_path, TAKES_ONE) as run:
        assert run.stdout.readline() == "True\n"
        assert claims.take(SPEC) is None
        run.send_signal(signal.SIGKILL)
        # Its parent, that is us, has not asked for its end: a zombie is as dead as can be.
        wait_until(lambda: claims.take(SPEC) is not None)
    assert leftovers(tmp_path) == [SPEC]


def test_an_owner_on_this_host_that_lives_keeps_its_claim_after_a_suspend(make, tmp_path):
    claim = make().take(SPEC)
    age(file_of(tmp_path), 1e6)
    assert make().take(SPEC) is None
    assert claim.still_ours()


def test_a_number_that_a_later_process_has_is_no_sign_of_life(make, tmp_path):
    here = owner.this_process()
    elsewhere(tmp_path, host=here.host, pid_namespace=here.pid_namespace, started=here.started - 1)
    assert make().take(SPEC) is not None


def test_a_claim_of_another_host_is_stale_after_a_while(links, make, tmp_path):
    claims, theirs = make(), elsewhere(tmp_path)
    age(theirs, 590)
    assert claims.take(SPEC) is None
    age(theirs, 610)
    assert claims.take(SPEC).still_ours()
    assert leftovers(tmp_path) == [SPEC]


@pytest.mark.parametrize("what", ["host", "pid_namespace"])
def test_containers_that_share_a_name_or_a_boot_are_not_judged_by_their_processes(
    make, tmp_path, what
):
    here = owner.this_process()
    same = {"host": here.host, "pid_namespace": here.pid_namespace, "pid": 2**31 - 1}
    theirs = elsewhere(tmp_path, **{**same, what: "another"})
    assert make().take(SPEC) is None
    age(theirs, 610)
    assert make().take(SPEC) is not None


def test_processes_that_are_hidden_are_judged_by_time(make, tmp_path, monkeypatch):
    here = owner.this_process()
    theirs = elsewhere(tmp_path, host=here.host, pid_namespace=here.pid_namespace)
    monkeypatch.setattr(owner, "_state", lambda pid: ("", None))
    monkeypatch.setattr(os, "kill", failing(errno.EPERM))
    assert make().take(SPEC) is None
    age(theirs, 610)
    assert make().take(SPEC) is not None


def test_systems_without_proc_judge_by_time(make, tmp_path, monkeypatch):
    monkeypatch.setattr(owner, "PROC", tmp_path / "none")
    make().take(SPEC)
    assert make().take(SPEC) is None
    age(file_of(tmp_path), 610)
    assert make().take(SPEC) is not None


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b'{"pid": 1}', b'{"pid": -1}'])
def test_a_damaged_claim_is_somebodys_for_a_while(make, tmp_path, data):
    theirs = elsewhere(tmp_path)
    theirs.write_bytes(data)
    assert make().take(SPEC) is None
    age(theirs, 610)
    assert make().take(SPEC).still_ours()


def test_the_clock_of_this_host_does_not_matter(make, tmp_path, monkeypatch):
    now = time.time()
    fresh, stale = elsewhere(tmp_path, "aa"), elsewhere(tmp_path, "bb")
    age(stale, 610)
    for skew in (-1e5, 1e5):
        monkeypatch.setattr(time, "time", lambda skew=skew: now + skew)
        claims = make()
        assert claims.take("aa") is None
        claims.take("bb").release()
        os.utime(elsewhere(tmp_path, "bb"), (now - 610,) * 2)
    assert fresh.exists()


def test_a_clock_of_the_server_that_was_wrong_does_not_block_a_spec(make, tmp_path):
    age(elsewhere(tmp_path), -1e6)
    assert make().take(SPEC) is not None


# Heartbeat


def test_what_is_held_is_beaten(make, tmp_path):
    make(heartbeat_seconds=0.01).take(SPEC)
    age(file_of(tmp_path), 1000)
    wait_until(lambda: time.time() - file_of(tmp_path).stat().st_mtime < 500)


def test_a_lost_claim_is_neither_raised_from_the_dead_nor_beaten_for_others(make, tmp_path):
    claims = make(heartbeat_seconds=0.01)
    lost, replaced, ours = (claims.take(spec_id) for spec_id in ("aa", "bb", "cc"))
    file_of(tmp_path, "aa").unlink()
    theirs = elsewhere(tmp_path, "bb")
    age(theirs, 1000)
    beaten = theirs.stat().st_mtime_ns
    for _ in range(3):
        age(file_of(tmp_path, "cc"), 1000)
        wait_until(lambda: time.time() - file_of(tmp_path, "cc").stat().st_mtime < 500)
    assert not file_of(tmp_path, "aa").exists()
    assert theirs.stat().st_mtime_ns == beaten
    assert (lost.still_ours(), replaced.still_ours(), ours.still_ours()) == (False, False, True)
    replaced.release()
    assert theirs.exists()


def test_a_claim_that_is_put_back_is_beaten_again(make, tmp_path):
    make(heartbeat_seconds=0.01).take(SPEC)
    away = tmp_path / "away"
    file_of(tmp_path).rename(away)
    time.sleep(0.03)
    age(away, 1000)
    away.rename(file_of(tmp_path))
    wait_until(lambda: time.time() - file_of(tmp_path).stat().st_mtime < 500)


FORK = """
import os, sys
from pathlib import Path
from benchmark.scheduling.claims import Claims

claims = Claims(Path(sys.argv[1]))
claim = claims.take(sys.argv[2])
child = os.fork()
if child == 0:
    refused = False
    try:
        assert not claim.still_ours()
        claim.release()
        claims.close()
        claims.take("aa")
    except RuntimeError:
        refused = True
    finally:
        os._exit(0 if refused else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert claim.still_ours()
claims.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_no_claims(tmp_path):
    """In a process of its own: frameworks that earlier tests imported warn when they are forked."""
    command = [sys.executable, "-c", FORK, tmp_path, SPEC]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# Races


def test_of_many_that_take_over_one_stale_claim_one_gets_it(links, make, tmp_path):
    several = [make() for _ in range(8)]
    for spec_id in (f"{n:x}" for n in range(12)):
        age(elsewhere(tmp_path, spec_id), 610)
        start, got = threading.Barrier(len(several)), []

        def fight(claims, spec_id=spec_id, start=start, got=got):
            start.wait()
            got.append(claims.take(spec_id))

        threads = [threading.Thread(target=fight, args=(claims,)) for claims in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [claim for claim in got if claim]
        assert len(winners) == 1
        assert winners[0].still_ours()


def test_while_one_removes_a_stale_claim_no_other_does(links, make, tmp_path, monkeypatch):
    claims, other, theirs = make(), make(), elsewhere(tmp_path)
    age(theirs, 610)
    rename, meanwhile = Path.rename, []

    def late(path, target):
        if path == theirs:
            meanwhile.append(other.take(SPEC))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert claims.take(SPEC).still_ours()
    assert meanwhile == [None]


@pytest.mark.parametrize("how", ["taken over by another", "beaten by its owner"])
def test_a_claim_that_is_fresh_again_when_it_is_moved_is_put_back(
    links, make, tmp_path, monkeypatch, how
):
    claims, theirs = make(), elsewhere(tmp_path)
    age(theirs, 610)
    rename = Path.rename

    def late(path, target):
        if path == theirs:  # between the last look and the rename
            if how == "taken over by another":
                elsewhere(tmp_path, host="a-third", token="fresh")
            os.utime(theirs)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert claims.take(SPEC) is None
    assert json.loads(theirs.read_bytes())["token"] == (
        "fresh" if how == "taken over by another" else "theirs"
    )
    assert claims.take(SPEC) is None
    assert leftovers(tmp_path) == [SPEC]


def test_nothing_that_was_claimed_meanwhile_is_overwritten_by_putting_back(
    links, make, tmp_path, monkeypatch
):
    claims, theirs = make(), elsewhere(tmp_path)
    age(theirs, 610)
    rename = Path.rename

    def late(path, target):
        if path != theirs:
            return rename(path, target)
        os.utime(theirs)
        moved = rename(path, target)
        elsewhere(tmp_path, token="third")
        return moved

    monkeypatch.setattr(Path, "rename", late)
    assert claims.take(SPEC) is None
    assert json.loads(theirs.read_bytes())["token"] == "third"
    assert leftovers(tmp_path) == [SPEC]


def test_a_taker_that_dies_half_way_blocks_nobody(make, tmp_path, monkeypatch):
    age(elsewhere(tmp_path), 610)
    code = (
        "from benchmark.scheduling import claims as module\n"
        "module.remove = lambda *_: os.kill(os.getpid(), 9)\n"
    )
    with process(tmp_path, code + TAKES_ONE) as run:
        assert run.stdout.readline() == ""
    assert len(leftovers(tmp_path)) == 2  # with the right to remove the stale one
    assert make().take(SPEC) is not None
    assert leftovers(tmp_path) == [SPEC]


# File systems


def test_an_answer_that_got_lost_is_a_success_all_the_same(make, monkeypatch):
    link = os.link

    def lossy(source, target):
        link(source, target)
        link(source, target)  # NFS asks again, and is told that the name is taken

    monkeypatch.setattr(os, "link", lossy)
    assert make().take(SPEC).still_ours()


def test_a_file_that_vanishes_while_it_is_read_is_gone(make, tmp_path, monkeypatch):
    elsewhere(tmp_path)
    with monkeypatch.context() as nfs:
        nfs.setattr(os, "fstat", failing(errno.ESTALE))
        assert claim_files.look(file_of(tmp_path)) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_faults_of_the_disk_are_told_to_people(make, tmp_path, monkeypatch, number):
    claims = make()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "open", failing(number))
        with pytest.raises(UserError, match=f"{os.strerror(number)}.*--results"):
            claims.take(SPEC)
        broken.setattr(Path, "mkdir", failing(number))
        with pytest.raises(UserError, match=os.strerror(number)):
            make()
    assert leftovers(tmp_path) == []
    assert claims.take(SPEC) is not None


def test_a_full_disk_leaves_no_empty_claim(make, tmp_path, monkeypatch):
    claims, open_ = make(), Path.open
    monkeypatch.setattr(os, "link", failing(errno.EPERM))

    def full(path, mode="r", **options):
        file = open_(path, mode, **options)
        if path == file_of(tmp_path) and mode == "xb":
            file.close()
            file = open_("/dev/full", "wb")
        return file

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UserError, match="No space left"):
        claims.take(SPEC)
    assert leftovers(tmp_path) == []


def test_an_interruption_leaves_nothing_behind(make, tmp_path, monkeypatch):
    claims, link = make(), os.link

    def interrupted(source, target):
        link(source, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupted)
        with pytest.raises(KeyboardInterrupt):
            claims.take(SPEC)
    assert leftovers(tmp_path) == []
    assert claims.take(SPEC) is not None


def test_what_killed_processes_left_is_swept_when_it_is_old(make, tmp_path):
    make()
    old, new = tmp_path / "claims" / ".old", tmp_path / "claims" / ".new"
    old.touch(), new.touch(), elsewhere(tmp_path)
    age(old, 610)
    make()
    assert leftovers(tmp_path) == [".new", SPEC]


def test_no_locks_of_the_file_system_are_used(tmp_path):
    code = (
        "import sys, pathlib\nsys.modules['fcntl'] = None\n"
        "from benchmark.scheduling.claims import Claims\n"
        "claims = Claims(pathlib.Path(sys.argv[1]))\nassert claims.take('ab')\nclaims.close()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)

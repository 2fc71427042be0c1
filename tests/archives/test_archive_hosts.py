import dataclasses
import os
import threading
import time
from types import SimpleNamespace

import pytest

from workflow_scripts.archives import hosts
from workflow_scripts.tables import DataError

HOST = "archive.example:8080"
FOR_EVER = float("inf")


def soon() -> float:
    return time.monotonic() + 0.05


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://irsa.example/cgi-bin/a?ID=1", "irsa.example"),
        ("http://127.0.0.1:8080/tap", "127.0.0.1:8080"),
        ("https://me:secret@gaia.example/tap", "gaia.example"),
    ],
)
def test_host_of_a_url_has_no_password(url, expected):
    assert hosts.name(url) == expected


def test_places_are_as_many_as_allowed(manners):
    with hosts.turn(HOST, manners, FOR_EVER), hosts.turn(HOST, manners, FOR_EVER):
        with pytest.raises(TimeoutError, match="all 2 places at archive"), hosts.turn(HOST, manners, soon()):
            pass
        with hosts.turn("other.example", manners, soon()):
            pass  # another host has places of its own
    with hosts.turn(HOST, manners, soon()):
        pass


def test_place_is_given_back_after_an_error(manners):
    alone = dataclasses.replace(manners, at_once=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="in the block"), hosts.turn(HOST, alone, soon()):
            raise RuntimeError("in the block")


def test_threads_of_one_process_are_counted_too(manners):
    most = now = 0
    lock = threading.Lock()

    def ask():
        nonlocal most, now
        with hosts.turn(HOST, manners, FOR_EVER):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.02)
            with lock:
                now -= 1

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_requests_begin_an_interval_apart(manners, monkeypatch):
    """By a clock of the test's own, which does not go on while a busy machine does something else."""
    now = [1.8e9]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=lambda: now[0], sleep=lambda s: now.append(now.pop() + s))
    monkeypatch.setattr(hosts, "time", clock)
    slow, begun = dataclasses.replace(manners, interval_s=0.25), []
    for work_s in (0.0, 0.125, 0.0, 0.5, 0.0):
        with hosts.turn(HOST, slow, now[0] + 60):
            begun.append(now[0] - 1.8e9)
            clock.sleep(work_s)
    assert begun == [0.0, 0.25, 0.5, 0.75, 1.25]


def test_host_that_asked_for_a_pause_gets_it_from_everyone(manners):
    hosts.hold(HOST, manners, 0.08)
    with pytest.raises(TimeoutError, match="asked for a pause"), hosts.turn(HOST, manners, time.monotonic()):
        pass
    start = time.time()
    with hosts.turn(HOST, manners, FOR_EVER):
        assert time.time() - start >= 0.05


def test_longest_pause_wins(manners):
    hosts.hold(HOST, manners, 30.0)
    hosts.hold(HOST, manners, 0.01)
    with pytest.raises(TimeoutError, match="pause of 30 s"), hosts.turn(HOST, manners, soon()):
        pass


@pytest.mark.parametrize("pause_s", [3600.0, 7200.0, 1e9])
def test_pause_of_an_hour_or_more_holds_for_an_hour(manners, pause_s):
    hosts.hold(HOST, manners, pause_s)
    with pytest.raises(TimeoutError, match=r"pause of 3599 s"), hosts.turn(HOST, manners, soon()):
        pass


@pytest.mark.parametrize("text", ["", "later", "1e300", "nan nan", "0 inf", "{far}", "0 {now}"])
def test_broken_time_of_the_next_start_stops_nobody(manners, text):
    manners.locks.mkdir(parents=True)
    written = text.format(far=time.time() + 1e6, now=time.time())
    (manners.locks / "archive.example_8080.next").write_text(written)
    with hosts.turn(HOST, manners, soon()):
        pass


@pytest.mark.parametrize("set_back_s", [60.0, 3000.0, 1e6])
def test_clock_that_was_set_back_makes_no_pause_longer(manners, monkeypatch, set_back_s):
    clock = time.time
    with monkeypatch.context() as earlier:
        earlier.setattr(hosts.time, "time", lambda: clock() + set_back_s)
        hosts.hold(HOST, manners, 0.2)
    with hosts.turn(HOST, manners, time.monotonic() + 5.0):
        pass


def test_pause_that_was_asked_for_outlasts_a_clock_that_was_set_back(manners, monkeypatch):
    clock = time.time
    with monkeypatch.context() as earlier:
        earlier.setattr(hosts.time, "time", lambda: clock() + 600.0)
        hosts.hold(HOST, manners, 30.0)
    with pytest.raises(TimeoutError, match="pause of 30 s"), hosts.turn(HOST, manners, soon()):
        pass
    monkeypatch.setattr(hosts.time, "time", lambda: clock() + 31.0)
    with hosts.turn(HOST, manners, soon()):
        pass


def test_folder_without_leave_to_write_says_what_to_do(manners, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "locks", tmp_path / "file"):
        unlockable = dataclasses.replace(manners, locks=place)
        with pytest.raises(DataError, match="set XDG_CACHE_HOME"), hosts.turn(HOST, unlockable, soon()):
            pass


def test_file_system_without_locks_says_what_to_do(manners, monkeypatch):
    def unsupported(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(hosts.fcntl, "flock", unsupported)
    with pytest.raises(DataError, match="No locks available"), hosts.turn(HOST, manners, soon()):
        pass
    with pytest.raises(DataError, match="No locks available"):
        hosts.hold(HOST, manners, 1.0)


def test_locks_lie_in_the_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert hosts.Manners().locks == tmp_path / "variable-sky" / "hosts"
    with hosts.turn(HOST, hosts.Manners(interval_s=0.0), soon()):
        pass
    assert {os.stat(p).st_mode & 0o077 for p in hosts.Manners().locks.iterdir()} == {0}


def test_pace_scales_the_pauses_and_nothing_else():
    manners = hosts.Manners(at_once=3, interval_s=2.0, backoff_s=4.0, timeout_s=30.0)
    slower = manners.paced(2.5)
    assert (slower.interval_s, slower.backoff_s) == (5.0, 10.0)
    assert dataclasses.replace(slower, interval_s=2.0, backoff_s=4.0) == manners
    assert manners.paced(0).interval_s == 0

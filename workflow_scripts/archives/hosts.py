"""Turns at a host: how many requests at a time and how soon after one another, over all processes of a user.

A place at a host is a lock (flock) on a file in a shared folder. The kernel frees it when its process ends, by
kill -9 too. When the next request may begin is a time in one more file, so that all wait after one is told to; when
that was written stands beside it, so that a clock that was set back makes no pause longer.
"""

import contextlib
import dataclasses
import fcntl
import os
import re
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path

from workflow_scripts.tables import DataError

_POLL_S = 0.05
_LONGEST_HOLD_S = 3600.0  # a longer pause in the file means that it is broken


def _shared_folder() -> Path:
    return user_cache_path("variable-sky") / "hosts"


@dataclass(frozen=True)
class Manners:
    """How a host is asked; all times in seconds.

    at_once requests at a time and interval_s between their beginnings hold for all processes that share the folder
    `locks`. A request is given up after timeout_s of silence and tried again, at most `tries` times, after pauses that
    double from backoff_s to longest_pause_s with jitter; budget_s bounds it all, waiting for a turn included.
    """

    at_once: int = 2
    interval_s: float = 0.5
    timeout_s: float = 60.0
    tries: int = 6
    backoff_s: float = 2.0
    longest_pause_s: float = 120.0
    budget_s: float = 3600.0
    locks: Path = field(default_factory=_shared_folder)

    def paced(self, pace: float) -> "Manners":
        """Give the same manners with all pauses between requests, and before another try, times a factor."""
        return dataclasses.replace(self, interval_s=self.interval_s * pace, backoff_s=self.backoff_s * pace)


def name(url: str) -> str:
    """Host of a URL, with the port if it states one."""
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2] or url


@contextlib.contextmanager
def turn(host: str, manners: Manners, deadline: float) -> Iterator[None]:
    """Hold one of the places at a host inside the block, after waiting for it and for the interval.

    Raises TimeoutError if no turn comes before deadline (time.monotonic), DataError if files cannot be locked.
    """
    with _free_place(host, manners, deadline):
        time.sleep(_reserve(host, manners, deadline))
        yield


def hold(host: str, manners: Manners, pause_s: float) -> None:
    """Let no process begin a request at the host for pause_s seconds, at most an hour: the host asked for it."""
    held_s = min(pause_s, _LONGEST_HOLD_S - 1)  # what is longer would be read as a broken file, and hold nobody
    with _next_start(host, manners) as file:
        _write_time(file, max(_read_time(file), time.time() + held_s))


def _free_place(host: str, manners: Manners, deadline: float) -> IO[str]:
    while True:
        for place in range(manners.at_once):
            file = _open(manners.locks / f"{_safe(host)}.{place}")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            except OSError as error:
                raise _unlockable(manners.locks, error) from error
            else:
                return file
        if time.monotonic() >= deadline:
            raise TimeoutError(f"all {manners.at_once} places at {host} are held by other requests of ours")
        time.sleep(_POLL_S)


def _reserve(host: str, manners: Manners, deadline: float) -> float:
    """Seconds until this request may begin; the next one may begin an interval later."""
    with _next_start(host, manners) as file:
        now = time.time()
        start = max(now, _read_time(file))
        late = time.monotonic() + (start - now) > deadline
        _write_time(file, start if late else start + manners.interval_s)
        if late:
            raise TimeoutError(f"{host} asked for a pause of {start - now:.0f} s more")
    return start - now


@contextlib.contextmanager
def _next_start(host: str, manners: Manners) -> Iterator[IO[str]]:
    with _open(manners.locks / f"{_safe(host)}.next") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise _unlockable(manners.locks, error) from error
        yield file


def _read_time(file: IO[str]) -> float:
    """Time in the file, 0 if there is none that can be true; never a longer pause than was left when it was written."""
    file.seek(0)
    now = time.time()
    with contextlib.suppress(ValueError):
        written, found = map(float, file.read().split())
        if found - written < _LONGEST_HOLD_S:
            return min(found, now + found - written)
    return 0.0


def _write_time(file: IO[str], when: float) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"{time.time()!r} {when!r}")
    file.flush()


def _open(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="ascii")
    except OSError as error:
        raise _unlockable(path.parent, error) from error


def _unlockable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"files in {folder} cannot be locked ({error.strerror}); set XDG_CACHE_HOME to a folder of this machine that "
        "can be written"
    )


def _safe(host: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", host)

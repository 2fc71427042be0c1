"""Other processes, for the tests of turns and of kill -9: forked from one that has imported everything.

Run as a program: `children.py <what> <JSON arguments>`; the last line it prints is JSON.
"""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import requests  # noqa: F401  before the forks, once
from ztf_stand_in import ztf

from workflow_scripts.archives import by_id, hosts, http, manifest, tap
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query, Upload

_WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "socket.connect", "fcntl.flock", "shutil.rmtree"}


def impatient(locks: Path) -> Manners:
    return Manners(interval_s=0.0, timeout_s=5.0, tries=3, backoff_s=0.002, budget_s=20.0, locks=locks)


# What a child does; each returns the paths whose bytes must come out the same.


def one_file(url: str, folder: Path) -> list[Path]:
    path = folder / "a.csv"
    http.fetch(http.Request("test", url), path, impatient(folder / "locks"), np.random.default_rng(1))
    return [path]


def one_catalogue(url: str, folder: Path) -> list[Path]:
    path = folder / "a.parquet"
    query = Query("test", f"{url}/tap", {"id": "ID", "x": "X"}, "stars", 1000, ("id",))
    tap.fetch(query, path, impatient(folder / "locks"), np.random.default_rng(1))
    return [path]


def one_upload(url: str, folder: Path) -> list[Path]:
    path = folder / "a.parquet"
    source = "stars AS s JOIN TAP_UPLOAD.targets AS t ON s.ID = t.star"
    query = Query("test", f"{url}/tap", {"object_id": "t.object_id", "x": "s.X"}, source, 1000, ("object_id",))
    rows = pa.table({"object_id": [f"o{i}" for i in range(6)], "star": list(range(6))})
    tap.fetch_for(query, Upload(rows), path, impatient(folder / "locks"), np.random.default_rng(1), chunk_rows=3)
    return [path]


def light_curves(url: str, folder: Path) -> list[Path]:
    source = ztf(url, 2)
    result = by_id.fetch(source, list("abcde"), folder / "lc", impatient(folder / "locks"), np.random.default_rng(1))
    by_id.require(source, result, folder / "lc")
    return [*result.files, folder / "lc" / "status.parquet"]


TASKS: dict[str, Callable[[str, Path], list[Path]]] = {
    task.__name__: task for task in (one_file, one_catalogue, one_upload, light_curves)
}


def killed_everywhere(tasks: list[tuple[str, str, str, int]]) -> dict[str, object]:
    """Kill every task in many places; what came of it, by task."""
    return {task: _killed_in_many_places(task, url, folder, step) for task, url, folder, step in tasks}


def _killed_in_many_places(task: str, url: str, folder: str, step: int) -> dict[str, object]:
    """Kill a run at every step-th of its acts on disk and network, go on, and compare with an undisturbed run."""
    work = TASKS[task]
    expected = [path.read_bytes() for path in work(url, Path(folder) / "undisturbed")]
    different, untrusted, left = [], [], set()
    for kills, number in enumerate(range(1, 10_000, step)):
        place = Path(folder) / f"{number}"
        place.mkdir()
        if not _killed(work, url, place, number):
            return {"kills": kills, "different": different, "untrusted": untrusted, "left": sorted(left)}
        untrusted += [number for path in place.rglob("*") if _whole_name(path) and not _is_whole(path)]
        paths = work(url, place)
        if [path.read_bytes() for path in paths] != expected:
            different.append(number)
        left |= {path.name for path in place.rglob(".*")} | {path.name for path in place.rglob("*.job")}
    raise AssertionError("the run never came to its end")


def _killed(work: Callable[[str, Path], object], url: str, place: Path, number: int) -> bool:
    """Run in a child that is killed before its number-th act; False if it came to its end before that."""
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            ours = event == "socket.connect" or any(str(place) in str(a) for a in arguments)
            if event in _WATCHED and ours:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        work(url, place)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _whole_name(path: Path) -> bool:
    return path.is_file() and path.suffix in (".csv", ".parquet") and not path.name.startswith((".", "status"))


def _is_whole(path: Path) -> bool:
    """Whether a file with a final name has all its bytes: with a manifest, or as it will be."""
    found = manifest.read(path)
    return found is None or path.stat().st_size == found.bytes


def crowd(url: str, folder: str, processes: int, files: int, **manners: float) -> dict[str, object]:
    """Several processes that fetch several files each, all at once."""
    polite = dataclasses.replace(impatient(Path(folder) / "locks"), **manners)
    children = []
    for child in range(processes):
        children.append(os.fork())
        if children[-1] == 0:
            for number in range(files):
                path = Path(folder) / f"{child}-{number}.csv"
                http.fetch(http.Request("test", url), path, polite, np.random.default_rng(child))
            os._exit(0)
    return {"status": [os.waitpid(child, 0)[1] for child in children]}


def holder(url: str, folder: str) -> dict[str, object]:
    """A child that takes the only place at a host and is killed in it, then a request that must get the place."""
    polite = dataclasses.replace(impatient(Path(folder) / "locks"), at_once=1, budget_s=5.0)
    ready, says = os.pipe()
    child = os.fork()
    if child == 0:
        with hosts.turn(hosts.name(url), polite, float("inf")):
            os.write(says, b"x")
            signal.pause()
    os.read(ready, 1)
    hurried = dataclasses.replace(polite, budget_s=0.1)
    try:
        http.fetch(http.Request("test", url), Path(folder) / "a.csv", hurried, np.random.default_rng(1))
        waited = ""
    except ValueError as error:
        waited = str(error)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    made = http.fetch(http.Request("test", url), Path(folder) / "a.csv", polite, np.random.default_rng(1))
    return {"while held": waited, "bytes": made.bytes}


if __name__ == "__main__":
    what, given = sys.argv[1:]
    result = {"killed_everywhere": killed_everywhere, "crowd": crowd, "holder": holder}[what](**json.loads(given))
    sys.stdout.write(json.dumps(result) + "\n")

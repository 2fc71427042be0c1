"""Several processes, and kill -9 between any two acts of one on disk and network."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from loopback import STALL, file, irsa
from loopback_tap import Column, Tap
from workspace import ROOT

from workflow_scripts.archives import http

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"), str(HERE)))}
STARS = {"stars": {"ID": Column(list(range(6)), int), "X": Column([0.5 * i for i in range(6)])}}


def run(what: str, **given: object) -> dict[str, object]:
    """Run children.py; a failure shows what it said."""
    command = [sys.executable, str(HERE / "children.py"), what, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_run_that_was_killed_anywhere_ends_with_the_same_bytes(serve, tmp_path):
    """At every so many acts, in one process for all: it has imported what they need only once."""
    tasks = {
        "one_file": (file(b"x\n" + b"1\n" * 50_000), 2),
        "one_catalogue": (Tap(STARS), 13),
        "one_upload": (Tap(STARS), 29),
        "light_curves": (irsa({"a": 3, "b": 2, "c": 1, "e": 4}), 9),
    }
    given = [(task, serve(answer).url, str(tmp_path / task), step) for task, (answer, step) in tasks.items()]
    for task, found in run("killed_everywhere", tasks=given).items():
        assert found["kills"] >= 5, task
        assert found["different"] == [], task
        assert found["untrusted"] == [], task
        assert found["left"] == [], f"{task}: what a killed run leaves behind is gone after the next one"


def test_places_at_a_host_hold_for_all_processes(serve, tmp_path):
    archive = serve(file(b"x\n1\n"), hold_s=0.03)
    given = {"at_once": 2, "budget_s": 20.0}
    assert run("crowd", url=archive.url, folder=str(tmp_path), processes=4, files=4, **given)["status"] == [0] * 4
    assert len(archive.asked) == 16
    assert archive.most_at_once == 2, "two at a time, and not fewer"


def test_without_places_the_same_crowd_comes_all_at_once(serve, tmp_path):
    archive = serve(file(b"x\n1\n"), hold_s=0.1)
    run("crowd", url=archive.url, folder=str(tmp_path), processes=4, files=2, at_once=8)
    assert archive.most_at_once > 2


def test_interval_holds_for_all_processes(serve, tmp_path):
    archive = serve(file(b"x\n1\n"))
    run("crowd", url=archive.url, folder=str(tmp_path), processes=3, files=4, at_once=3, interval_s=0.04)
    times = sorted(asked.when for asked in archive.asked)
    assert len(times) == 12
    # Every request may arrive late by what the machine is busy with, but they cannot come sooner all together.
    assert times[-1] - times[0] >= 10 * 0.04


def test_place_of_a_killed_process_is_free(serve, tmp_path):
    found = run("holder", url=serve(file(b"x\n1\n")).url, folder=str(tmp_path))
    assert "all 1 places" in found["while held"]
    assert "0 of 3 tries" in found["while held"]
    assert found["bytes"] == 4


def test_killed_download_leaves_no_final_file(serve, tmp_path, manners, rng):
    body = b"x\n" + b"12345678\n" * 20_000
    archive = serve(file(body), [STALL])
    script = f"import children, pathlib; children.one_file({archive.url!r}, pathlib.Path({str(tmp_path)!r}))"
    with subprocess.Popen([sys.executable, "-c", script], env=ENVIRONMENT) as child:
        while not any(part.stat().st_size for part in tmp_path.glob(".a.csv.*")):
            assert child.poll() is None
            time.sleep(0.02)
        child.kill()
    assert not (tmp_path / "a.csv").exists()
    http.fetch(http.Request("test", archive.url), tmp_path / "a.csv", manners, rng)
    assert (tmp_path / "a.csv").read_bytes() == body
    assert list(tmp_path.glob(".a.csv.*")) == []

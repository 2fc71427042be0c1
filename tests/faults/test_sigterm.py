"""SIGTERM at fifty random moments, to Snakemake alone or with its jobs."""

import os
import random
import signal
import subprocess
import time

import pytest
from small_run import Run, assert_same, assert_whole, jobs_of, needs_proc, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), needs_proc]
MODEL = "models/random/lightgbm-original.parquet"
KILLS = 50
LONGEST_S = 600  # for what takes seconds on a machine that is not busy


def test_fifty_terminations_leave_nothing_half_written_and_the_same_bytes(empty, undisturbed):
    rng = random.Random(KILLS)
    start_s = min(seconds_to_plan(empty), 5.0)
    for number in range(KILLS):
        snakemake = empty.start(*empty.targets(MODEL), cores=2)
        if rng.random() < 0.75:
            wait_for(lambda s=snakemake: s.poll() is not None or list(jobs_of(s.pid)), LONGEST_S)
        with_jobs, seconds = number % 3 == 2, rng.uniform(0, start_s)
        terminate(snakemake, seconds, with_jobs)
        assert_whole(empty.folder)
        if any(empty.folder.glob(".snakemake/locks/*")):  # it came before Snakemake listens to signals
            assert empty.snakemake("--unlock").returncode == 0
        if snakemake.returncode == 0:
            lose_half(empty, rng)
    empty.complete(MODEL)
    assert_same(empty, undisturbed, MODEL)


def seconds_to_plan(run: Run) -> float:
    """How long snakemake takes until it could start a job, on this machine at this time."""
    begun = time.monotonic()
    run.snakemake("-n", *run.targets(MODEL))
    return time.monotonic() - begun


def terminate(snakemake: subprocess.Popen, seconds: float, with_jobs: bool) -> None:
    """Send SIGTERM after some seconds, unless snakemake has ended by then, and wait until nothing works any more."""
    try:
        snakemake.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if with_jobs else os.kill)(snakemake.pid, signal.SIGTERM)
        snakemake.wait(LONGEST_S)


def lose_half(run: Run, rng: random.Random) -> None:
    """Delete a random half of the results."""
    names = list(run.files())
    for name in rng.sample(names, len(names) // 2):
        (run.results / name).unlink()

"""kill -9 of a job, of Snakemake with its jobs, and of Snakemake alone, whose job then works on."""

import os
import signal

import pytest
from small_run import assert_same, assert_whole, jobs_of, needs_proc, wait_for, working_in

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), needs_proc]
RAW = "raw/known.parquet"
CLEAN = "light_curves/known/0001.parquet"


def test_killed_job_leaves_no_half_file_and_the_next_run_ends_with_the_same_bytes(empty, undisturbed):
    snakemake = empty.start(*empty.targets(RAW))
    job = wait_for(lambda: list(jobs_of(snakemake.pid)))
    wait_for(lambda: list(empty.folder.glob("results/small/**/*.parquet")))  # it has begun to write
    os.kill(job[-1], signal.SIGKILL)
    assert snakemake.wait(600) == 1
    assert_whole(empty.folder)
    assert not (empty.results / RAW).exists()
    empty.complete(RAW)
    assert_same(empty, undisturbed, RAW)


@pytest.mark.parametrize("alone", [False, True], ids=["with its jobs", "alone"])
def test_killed_run_goes_on_after_it_is_unlocked(empty, undisturbed, alone):
    snakemake = empty.start(*empty.targets(CLEAN))
    wait_for(lambda: list(jobs_of(snakemake.pid)))
    if not alone:
        wait_for(lambda: (empty.results / RAW).exists())
    (os.kill if alone else os.killpg)(snakemake.pid, signal.SIGKILL)
    snakemake.wait(600)
    assert_whole(empty.folder)
    locked = empty.snakemake(*empty.targets(CLEAN))
    assert locked.returncode != 0
    assert "--unlock" in locked.stdout + locked.stderr
    assert empty.snakemake("--unlock").returncode == 0
    empty.complete(CLEAN)
    wait_for(lambda: not working_in(empty.folder))  # a job that lost its Snakemake may end later than the new one
    assert_same(empty, undisturbed, CLEAN)

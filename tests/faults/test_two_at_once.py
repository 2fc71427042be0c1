"""Two Snakemake processes at once: on one run the second is refused, two runs in one folder do not meet."""

import os
import signal

import pytest
import yaml
from small_run import CONFIG, LITTLE, Run, assert_same, jobs_of, needs_proc, wait_for

from workflow_scripts import tables

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), needs_proc]
CLEAN = "light_curves/known/0001.parquet"


def test_second_process_is_refused_and_the_first_one_ends_undisturbed(empty, undisturbed):
    first = empty.start(*empty.targets(CLEAN))
    job = wait_for(lambda: list(jobs_of(first.pid)))[-1]
    os.kill(job, signal.SIGSTOP)  # it shall not end before the second one asks
    try:
        said = empty.refused(CLEAN)
    finally:
        os.kill(job, signal.SIGCONT)
    assert "Directory cannot be locked" in said
    assert str(empty.folder) in said
    assert "--unlock" in said
    assert first.wait(600) == 0
    assert_same(empty, undisturbed, CLEAN)


def test_two_runs_in_one_folder_work_at_once(empty, undisturbed):
    config = empty.folder / "other.yaml"
    config.write_text(yaml.safe_dump(CONFIG | LITTLE | {"run": "other"}))
    first = empty.start(*empty.targets(CLEAN))
    wait_for(lambda: list(jobs_of(first.pid)))
    other = Run(empty.folder, config)
    done = other.snakemake(f"results/other/{CLEAN}")
    assert done.returncode == 0, done.stderr[-5000:]
    assert first.wait(600) == 0
    assert_same(empty, undisturbed, CLEAN)
    both = [tables.read(empty.folder / "results" / run / CLEAN, tables.LIGHT_CURVES) for run in ("small", "other")]
    assert both[0].equals(both[1])

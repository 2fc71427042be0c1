"""What becomes of single jobs on a real SLURM: resubmitted, gathered, refused, named; by SLURM's own records.

All on a cluster with accounting, whose jobs' states sacct tells, and on one without it, where squeue does.
"""

import re
import time

import pytest
import tiny_run

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1000)]
WAIT_S = 600


@pytest.fixture(scope="module", params=["sacct", "squeue"])
def tiny(request):
    """Runs whose jobs' states this command tells; those with accounting are the last to be started."""
    return request.getfixturevalue("accounted") if request.param == "sacct" else request.getfixturevalue("runs").tiny


@pytest.fixture(scope="module")
def survivors(tiny):
    """A run of which one job outlasts its time, one is cancelled from outside, and one shard fails once."""
    run = tiny.survivors
    if run.cluster.status_command == "sacct":
        run.wait_until(lambda: done(run) == "7 of 9", WAIT_S)
        assert states(run.jobs("cancelled"), "JobState") == [("CANCELLED",)]  # for more than a minute, and not noticed
        run.again()
    assert run.wait(WAIT_S) == 0, run.said[-5000:]
    return run


@pytest.fixture(scope="module")
def failures(tiny):
    """A run of which one job fails and one asks for more than any node has."""
    assert tiny.failures.wait(WAIT_S) == 1, tiny.failures.said[-5000:]
    return tiny.failures


def done(run) -> str:
    """Steps that Snakemake says it has done."""
    return (re.findall(r"^(\d+ of \d+) steps", run.said, re.MULTILINE) or [""])[-1]


def states(jobs, *names: str) -> list[tuple[str, ...]]:
    return [tuple(job[name] for name in names) for job in jobs]


def test_job_over_its_time_is_submitted_again_with_more_time_and_memory(survivors):
    assert states(survivors.jobs("slow"), "JobState", "TimeLimit", "MinMemoryNode") == [
        ("TIMEOUT", "00:01:00", "300M"),
        ("COMPLETED", "00:10:00", "600M"),
    ]
    assert (survivors.folder / "slow.txt").read_text() == "slow\n"


def test_cancelled_job_is_submitted_again_with_sacct_when_the_command_is_given_again(survivors):
    again = {"squeue": "02:00:00", "sacct": "01:00:00"}[survivors.cluster.status_command]
    assert states(survivors.jobs("cancelled"), "JobState", "TimeLimit") == [
        ("CANCELLED", "01:00:00"),
        ("COMPLETED", again),
    ]
    assert (survivors.folder / "cancelled.txt").read_text() == "again\n"


def test_shards_share_one_job_that_comes_back_whole_when_one_fails(survivors):
    jobs = survivors.jobs("shard")
    assert states(jobs, "JobState", "NumCPUs", "MinMemoryNode") == [
        ("FAILED", "4", "8000M"),
        ("COMPLETED", "4", "16000M"),
    ]
    for i in range(4):
        assert (survivors.folder / f"shards/{i}.txt").read_text() == f"shard {i}\n"


def test_only_shard_of_a_grouped_rule_runs_like_any_job(survivors):
    assert states(survivors.jobs("lonely"), "JobState", "NumCPUs") == [("COMPLETED", "1")]


def test_local_rule_stays_local(survivors):
    assert (survivors.folder / "here.txt").exists()
    assert survivors.jobs("here") == []


def test_failing_job_is_named_with_rule_and_log_and_others_finish(failures):
    assert states(failures.jobs("fails"), "JobState") == [("FAILED",)] * 2  # once, and one retry
    told = failures.said.split("Error in rule fails:")[1].split("\n\n")[0]
    assert "logs/fails.log" in told
    assert failures.jobs("fails")[0]["JobId"] in told
    assert (failures.folder / "logs/fails.log").read_text() == "the reason\n"
    assert (failures.folder / "good.txt").exists()


def test_request_that_fits_no_partition_is_refused_at_once(failures):
    assert failures.jobs("fits_no_node") == []
    assert not (failures.folder / "fits_no_node.txt").exists()
    told = failures.said.split("Error in rule fits_no_node:")[1].split("\n\n")[0]
    assert "SLURM sbatch failed" in told
    assert "fits_no_partition" in told


def test_state_is_told_by_the_command_of_the_profile(failures):
    by_another = "Detailed failure reason unavailable (status command is not 'sacct')"
    assert (by_another in failures.said) == (failures.cluster.status_command != "sacct")


# Accounting

accounting = pytest.mark.parametrize("tiny", ["sacct"], indirect=True)


@accounting
def test_database_knows_a_job_that_the_controller_has_forgotten(survivors):
    (job,) = survivors.jobs("lonely")
    assert job["Comment"] == "rule_lonely_lonely"
    assert "cpu=1,mem=2000M,node=1" in job["TRES"]
    assert job["JobId"] not in survivors.cluster.ask("squeue", "--noheader", "--states=all", "--format=%i").split()


@accounting
def test_job_is_on_the_account_of_the_profile_else_on_the_default(survivors):
    assert {job["rule"] for job in survivors.jobs() if job["Account"] == "project"} == {"lonely"}
    assert {job["Account"] for job in survivors.jobs()} == {"project", "root"}


@accounting
def test_database_that_is_away_for_a_while_is_asked_again(tiny, tmp_path):
    cluster = tiny.survivors.cluster
    run = tiny_run.start_tiny(cluster, tmp_path / "run", tiny_run.ONE_JOB, {})
    try:
        run.wait_until(lambda: "has been submitted" in run.said, 100)
        cluster.kill("slurmdbd")
        time.sleep(20)
        cluster.start_slurmdbd()
        assert run.wait(100) == 0, run.said[-5000:]
    finally:
        run.process.kill()
    assert states(run.jobs("one"), "JobState") == [("COMPLETED",)]

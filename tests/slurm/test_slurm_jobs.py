"""What becomes of single jobs on a real SLURM: resubmitted, gathered, refused, named; by SLURM's own records."""

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]
WAIT_S = 400


@pytest.fixture(scope="module")
def survivors(runs):
    """A run of which one job outlasts its time, one is cancelled from outside, and one shard fails once."""
    run = runs.survivors
    run.wait_until(lambda: (run.folder / "tried_cancelled").exists(), 200)
    (job,) = run.jobs("cancelled")
    run.cluster.ask("scancel", job["JobId"])
    assert run.wait(WAIT_S) == 0, run.said[-5000:]
    return run


@pytest.fixture(scope="module")
def failures(runs):
    """A run of which one job fails and one asks for more than any node has."""
    assert runs.failures.wait(WAIT_S) == 1, runs.failures.said[-5000:]
    return runs.failures


def states(jobs, *names: str) -> list[tuple[str, ...]]:
    return [tuple(job[name] for name in names) for job in jobs]


def test_job_over_its_time_is_submitted_again_with_more_time_and_memory(survivors):
    assert states(survivors.jobs("slow"), "JobState", "TimeLimit", "MinMemoryNode") == [
        ("TIMEOUT", "00:01:00", "300M"),
        ("COMPLETED", "00:10:00", "600M"),
    ]
    assert (survivors.folder / "slow.txt").read_text() == "slow\n"


def test_job_cancelled_from_outside_is_submitted_again(survivors):
    assert states(survivors.jobs("cancelled"), "JobState", "TimeLimit") == [
        ("CANCELLED", "01:00:00"),
        ("COMPLETED", "02:00:00"),
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

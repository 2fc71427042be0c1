"""The real workflow through a real SLURM: where its jobs ran, and that the results are those of a local run."""

import contextlib
import hashlib
from pathlib import Path

import pytest
import real_run

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]
WAIT_S = 800


@pytest.fixture(scope="module")
def local(runs):
    assert runs.local.wait(WAIT_S) == 0, runs.local.said[-5000:]
    return runs.local


@pytest.fixture(scope="module")
def on_slurm(runs):
    assert runs.slurm.wait(WAIT_S) == 0, runs.slurm.said[-5000:]
    return runs.slurm


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    results = folder / "results/small"
    found = {path for pattern in patterns for path in results.glob(pattern) if path.is_file()}
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(found)}


def test_every_job_ran_where_its_resources_are(on_slurm):
    jobs = on_slurm.jobs()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert {(job["rule"], job["Partition"]) for job in jobs if job["Partition"] != "cpu"} == {("dec", "gpu")}
    for job in jobs:
        assert job.get("TresPerJob", "") == ("gres:gpu:1" if job["rule"] == "dec" else "")


def test_every_job_has_the_memory_and_time_of_the_profile(on_slurm):
    asked = {job["rule"]: (job["MinMemoryNode"], job["TimeLimit"]) for job in on_slurm.jobs()}
    assert asked["split"] == ("2000M", "01:00:00")
    assert asked["train"] == ("4000M", "04:00:00")
    assert asked["features"] == ("2000M", "04:00:00")


def test_shards_were_submitted_in_groups(on_slurm):
    shards = len(real_run.SAMPLES) * real_run.CONFIG["shards"]
    assert len(list(on_slurm.folder.glob("results/small/logs/clean/*/*.log"))) == shards == 4
    assert [job["NumCPUs"] for job in on_slurm.jobs("clean")] in (["4"], ["2", "2"])  # two samples at once, or in turn
    assert [job["NumCPUs"] for job in on_slurm.jobs("features")] == ["1"] * shards


def test_catalogues_models_and_clusters_are_those_of_a_local_run(on_slurm, local):
    patterns = ("catalogue/**/*", "models/**/*", "clusters/**/*")
    theirs, ours = digests(on_slurm.folder, *patterns), digests(local.folder, *patterns)
    assert set(real_run.CATALOGUES + real_run.CLUSTERS) < set(ours)
    assert any(name.endswith(".model") for name in ours)
    assert theirs == ours


def test_what_each_job_took_is_written_beside_its_log(on_slurm):
    (measured,) = (on_slurm.folder / "results/small/logs/dec").glob("*.tsv")
    names, values = (line.split("\t") for line in measured.read_text().splitlines())
    assert float(dict(zip(names, values, strict=True))["max_rss"]) > 0


@pytest.mark.usefixtures("on_slurm")  # not while the other run needs the controller
def test_killed_controller_leaves_a_run_that_ends_with_the_same_bytes(local, cluster, tmp_path):
    """slurmctld dies while jobs run. Where it is asked meanwhile the plugin may wait for ever: interrupt, run again."""
    target = "samples/boundary_lines.parquet"
    run = real_run.start_on(cluster, tmp_path, [target])
    try:
        run.wait_until(lambda: any(job["JobState"] == "RUNNING" for job in run.jobs("clean")), 200)
        cluster.wait_until_saved()  # else the next controller gives the job's number to another and drains the node
        cluster.kill("slurmctld")
        with pytest.raises(RuntimeError, match="contact slurm controller"):
            cluster.ask("squeue")
        cluster.start_controller()
        with contextlib.suppress(AssertionError):
            run.wait(60)
        if run.process.poll() != 0:
            run.again()
        assert run.wait(500) == 0, run.said[-5000:]
    finally:
        run.process.kill()
    patterns = ("light_curves/*/*", target)
    theirs = digests(tmp_path, *patterns)
    assert {target, "light_curves/known/0000.parquet", "light_curves/known/0001.parquet"} <= set(theirs)
    assert theirs.items() <= digests(local.folder, *patterns).items()  # the target needs one of both samples

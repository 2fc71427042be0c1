"""What the jobs of a run took, from logs and benchmarks."""

import datetime
from pathlib import Path

import pytest

from workflow_scripts import edge, jobs
from workflow_scripts.tables import DataError

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


def finished(logs: Path, name: str, host: str, time: str, took: tuple[str, str, str]) -> None:
    """Log and benchmark of a job that took (wall, CPU, memory)."""
    wall, cpu, memory = took
    path = logs / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(edge.BEGUN.format(host=host, time=time) + "\nINFO all is well\n")
    path.with_suffix(".tsv").write_text(f"{HEADER}\n{wall}\t0:00:01\t{memory}\t9\t9\t9\t9\t9\t9\t{cpu}\n")


@pytest.fixture
def logs(tmp_path) -> Path:
    folder = tmp_path / "logs"
    finished(folder, "split", "node1", "2024-05-01T12:00:00.000+00:00", ("2.5", "1.5", "300.25"))
    finished(folder, "clean/known/0000", "node2", "2024-05-01T11:59:00.000+00:00", ("10", "8", "100"))
    finished(folder, "clean/field/0000", "node1", "2024-05-01T11:59:30.000+00:00", ("20", "16", "150"))
    finished(folder, "train/random/forest-smote", "node1", "2024-05-01T11:59:59.500+00:00", ("0.01", "NA", "NA"))
    return folder


def test_job_is_read_from_the_first_line_of_its_log_and_its_benchmark(logs):
    found = {(job.rule, job.wall_s): job for job in jobs.read(logs)}
    assert set(found) == {("split", 2.5), ("clean", 10), ("clean", 20), ("train", 0.01)}
    begun = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)
    assert found["split", 2.5] == jobs.Job("split", "node1", begun, 2.5, 1.5, 300.25)
    assert (found["train", 0.01].cpu_s, found["train", 0.01].max_rss_mb) == (None, None)


def test_summary_adds_times_and_takes_the_largest_memory(logs):
    assert jobs.summary(list(jobs.read(logs))) == {
        "hosts": ["node1", "node2"],
        "begun": "2024-05-01T11:59:00.000+00:00",
        "ended": "2024-05-01T12:00:02.500+00:00",
        "rules": {
            "clean": {"jobs": 2, "wall_s": 30.0, "cpu_s": 24.0, "max_rss_mb": 150.0},
            "split": {"jobs": 1, "wall_s": 2.5, "cpu_s": 1.5, "max_rss_mb": 300.25},
            "train": {"jobs": 1, "wall_s": 0.01, "cpu_s": 0.0, "max_rss_mb": 0.0},
        },
    }


def test_log_of_a_job_that_failed_is_no_finished_job(logs):
    (logs / "report.log").write_text("job on node1, begun 2024-05-01T13:00:00.000+00:00\nERROR no\n")
    assert "report" not in jobs.summary(list(jobs.read(logs)))["rules"]


@pytest.mark.parametrize("text", ["", "INFO an older version wrote this\n", None])
def test_log_that_does_not_say_where_the_job_ran_is_named(logs, text):
    log = logs / "split.log"
    log.unlink() if text is None else log.write_text(text)
    with pytest.raises(DataError, match=r"split\.log: expected 'job on <host>, begun <time>'.*run the rule again"):
        list(jobs.read(logs))

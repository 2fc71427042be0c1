"""The clusters for all tests, and the runs on them that are started at once, since most of their time is waiting."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import real_run
import slurm_cluster
import tiny_run
from accounting import AccountingCluster
from slurm_cluster import Cluster
from slurm_packages import NoSlurmError
from slurm_runs import Started
from tiny_run import TinyRuns


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_or_skipped(Cluster) as started:
        yield started


@dataclass(frozen=True)
class Runs:
    """The real workflow on this machine and on the cluster, and the tiny ones."""

    local: Started
    slurm: Started
    tiny: TinyRuns


@pytest.fixture(scope="session")
def runs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    started = Runs(
        tiny=tiny_run.start_both(cluster, folder("tiny")),
        local=real_run.start_local(folder("local")),
        slurm=real_run.start_on(cluster, folder("slurm")),
    )
    with stopped(started.local, started.slurm, *vars(started.tiny).values()):
        yield started


@pytest.fixture(scope="session")
def accounted(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyRuns]:  # noqa: ARG001
    """The tiny workflows on a cluster with accounting; what needs none of it has been started before."""
    with running_or_skipped(AccountingCluster) as cluster:
        started = tiny_run.start_both(cluster, tmp_path_factory.mktemp("accounted"))
        with stopped(*vars(started).values()):
            yield started


@contextlib.contextmanager
def running_or_skipped(kind: type[Cluster]) -> Iterator[Cluster]:
    """A cluster, or the reason why there is none."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(slurm_cluster.running(kind))
        except NoSlurmError as error:
            pytest.skip(f"no real SLURM to ask with {kind.status_command}: {error}")
        yield started


@contextlib.contextmanager
def stopped(*runs: Started) -> Iterator[None]:
    """End every Snakemake that is still there after a failure."""
    try:
        yield
    finally:
        for run in runs:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                if run.process.poll() is None:
                    os.killpg(run.process.pid, signal.SIGKILL)
                run.process.wait(30)

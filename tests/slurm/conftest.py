"""One cluster for all tests, and the runs on it that are started at once, since most of their time is waiting."""

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
from slurm_cluster import Cluster
from slurm_runs import Started


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(slurm_cluster.running())
        except slurm_cluster.NoSlurmError as error:
            pytest.skip(f"no real SLURM: {error}")
        yield started


@dataclass(frozen=True)
class Runs:
    """The real workflow on this machine and on the cluster, and two tiny ones."""

    local: Started
    slurm: Started
    survivors: Started
    failures: Started


@pytest.fixture(scope="session")
def runs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    started = Runs(
        survivors=tiny_run.start_survivors(cluster, folder("survivors")),
        failures=tiny_run.start_failures(cluster, folder("failures")),
        local=real_run.start_local(folder("local")),
        slurm=real_run.start_on(cluster, folder("slurm")),
    )
    try:
        yield started
    finally:
        for run in vars(started).values():
            stop(run)


def stop(run: Started) -> None:
    """End a Snakemake that is still there after a failure."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait(30)

"""Runs of Snakemake on the test's cluster, with the profile of the repository as a site would use it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from slurm_cluster import Cluster
from workspace import ROOT

PROFILE = ROOT / "config/profiles/slurm"


def site_profile(folder: Path, set_resources: Mapping[str, Mapping[str, object]], **changes: object) -> Path:
    """Copy of the profile, as for a site of one's own, with more rules and other settings."""
    shutil.copytree(PROFILE, folder)
    settings: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text())
    for rule, resources in set_resources.items():
        settings["set-resources"][rule] = settings["set-resources"].get(rule, {}) | resources
    # Jobs of seconds need not wait for questions as long as jobs of minutes.
    settings["slurm-init-seconds-before-status-checks"] = 4
    settings["max-status-checks-per-second"] *= 10
    settings |= changes
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    return folder


@dataclass
class Started:
    """A Snakemake that runs in the background; its folder holds what it says in the file said.txt."""

    cluster: Cluster | None
    folder: Path
    command: list[str]

    def __post_init__(self) -> None:
        """Start it as a user would, in a group of processes of its own."""
        # Tests that run in the background ignore Ctrl-C, and so would what they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        unwanted = ("SNAKEMAKE", "PYTHONPATH", "SLURM_", "SBATCH_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=environment | (self.cluster.environment if self.cluster else {}),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def again(self) -> None:
        """Press Ctrl-C and give the same command again."""
        self.process.send_signal(signal.SIGINT)
        self.wait(60)
        self.__post_init__()

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def wait(self, seconds: float) -> int:
        """Exit code, when it has ended."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Snakemake has not ended after {seconds:.0f} s\n{self.said[-5000:]}") from None

    def wait_until(self, true: Callable[[], object], seconds: float) -> None:
        """Wait for something that happens while Snakemake runs."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.said[-5000:]
            assert time.monotonic() < end, f"nothing happened in {seconds:.0f} s\n{self.said[-5000:]}"
            time.sleep(0.1)

    def jobs(self, rule: str = "") -> list[dict[str, str]]:
        """SLURM's records of the run's jobs, in the order of submission."""
        names = re.findall(r"SLURM run ID: (\S+)", self.said)
        found = [job for name in names for job in self.cluster.jobs(name)]
        return sorted((job for job in found if rule in ("", job["rule"])), key=lambda job: int(job["JobId"]))


def start(cluster: Cluster | None, folder: Path, *options: object) -> Started:
    """Start Snakemake in a folder of its own."""
    command = [Path(sys.executable).with_name("snakemake"), "--nocolor", *options]
    return Started(cluster, folder, list(map(str, command)))

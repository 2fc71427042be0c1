"""SLURM from Debian's packages, where a machine lacks it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable

INSTALL_S = 240


class NoSlurmError(Exception):
    """SLURM cannot be had on this machine, for the reason that it states."""


def install(programs: Iterable[str], packages: Iterable[str]) -> None:
    """Install Debian's packages where programs are missing; raises NoSlurmError with the reason if it cannot be."""
    if os.geteuid() != 0:
        raise NoSlurmError("its daemons are started as root here, and this is no root")
    if all(map(shutil.which, programs)):
        return
    if not shutil.which("apt-get"):
        raise NoSlurmError("no apt-get on this machine: it is no Debian")
    options = ["-y", "-qq", "--no-install-recommends", "-o", f"DPkg::Lock::Timeout={INSTALL_S}"]
    end = time.monotonic() + INSTALL_S
    for command in (["update", "-qq"], ["install", *options, *packages]):
        try:
            done = subprocess.run(
                ["apt-get", *command],
                capture_output=True,
                text=True,
                check=False,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                timeout=max(end - time.monotonic(), 1.0),
            )
        except subprocess.TimeoutExpired as error:
            raise NoSlurmError(f"apt-get {command[0]} took longer than {INSTALL_S} s in all") from error
        if done.returncode:
            raise NoSlurmError(f"apt-get {command[0]} failed: {done.stderr[-400:]}")

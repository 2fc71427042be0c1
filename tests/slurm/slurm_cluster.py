"""A real SLURM on this machine, with a partition cpu and a partition gpu whose one GPU is fake; for tests.

Its own munge key, sockets, ports and folders: nothing in /etc or /run is touched, no systemd and no cgroups are
needed. Memory is a figure that the scheduler counts with; nothing enforces it.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from slurm_packages import install

# What the node claims to have; SLURM is told to believe it, so that the tests do not depend on the machine.
CPUS, MEMORY_MB, GPU_MEMORY_MB, MAX_TIME_MIN = 6, 64_000, 32_000, 600

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=sched_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
KillWait=3
{accounting}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime={minutes} State=UP
PartitionName=gpu Nodes={host} MaxTime={minutes} MaxMemPerNode={gpu_memory} State=UP
"""


@dataclass(frozen=True)
class Cluster:
    """A running cluster in a folder of its own."""

    programs = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "srun")
    packages = ("slurm-wlm", "slurm-client", "slurm-wlm-basic-plugins", "munge")
    daemons = ("slurmd", "slurmctld", "munged")  # in the order in which they stop
    status_command = "squeue"
    account = ""  # one that is not the user's default

    folder: Path

    @property
    def accounting(self) -> str:
        """Lines of slurm.conf. Without accounting slurmctld is the only one who knows jobs that have ended."""
        return "AccountingStorageType=accounting_storage/none\nMinJobAge=7200"

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which sbatch and its kin find the cluster."""
        return {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def ask(self, *command: str) -> str:
        """Output of a command of SLURM."""
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def jobs(self, run: str) -> list[dict[str, str]]:
        """SLURM's own records of the jobs of a run of Snakemake, with the rule of each."""
        return [record | {"rule": _rule(record)} for record in self.records() if record["JobName"] == run]

    def records(self) -> list[dict[str, str]]:
        """What SLURM tells of all jobs: here what slurmctld still knows (scontrol show job)."""
        lines = self.ask("scontrol", "show", "job", "--oneliner").splitlines()
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.startswith("JobId=")]

    def start_controller(self) -> None:
        """Start slurmctld and wait until it knows that the node is up."""
        self._run("slurmctld")
        self._wait(lambda: self._idle())

    def wait_until_saved(self) -> None:
        """Wait until slurmctld has written what it knows by now to its disk."""
        now, state = time.time(), self.folder / "state/job_state"
        self._wait(lambda: state.exists() and state.stat().st_mtime > now)

    def kill(self, daemon: str) -> None:
        """Kill a daemon as a crash of its machine would."""
        os.kill(self._pid(daemon), signal.SIGKILL)

    def start(self) -> None:
        """Start the daemons; the caller stops them."""
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(mode=0o700)
        self.folder.chmod(0o755)
        (self.folder / "munge.key").touch(0o600)
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "slurm.conf").write_text(CONF.lstrip().format(**self._figures()))
        (self.folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
        # The plugin takes SLURM_CONF, with all other SLURM_*, from the environment of the srun inside a job.
        srun = self.folder / "bin/srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        munge = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "munge.seed"}
        files = [f"--{option}={self.folder / name}" for option, name in munge.items()]
        self._run("munged", "--force", *files, f"--log-file={self.folder / 'munged.log'}")
        self._run("slurmctld")
        self._run("slurmd", "-N", _host())
        self._wait(lambda: self._idle())

    def stop(self) -> None:
        """Cancel what runs and stop the daemons by their pid files."""
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            self.ask("scancel", "--state=PENDING")
            self.ask("scancel", "--state=RUNNING")
        for name in self.daemons:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pid = self._pid(name)
                os.kill(pid, signal.SIGTERM)
                self._wait(lambda pid=pid: not _alive(pid))

    def logs(self) -> str:
        """Last lines of the daemons' logs."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))

    def _figures(self) -> dict[str, object]:
        return {
            "folder": self.folder,
            "accounting": self.accounting,
            "host": _host(),
            "user": "root",
            "port": free_port(),
            "node_port": free_port(),
            "cpus": CPUS,
            "memory": MEMORY_MB,
            "gpu_memory": GPU_MEMORY_MB,
            "minutes": MAX_TIME_MIN,
        }

    def _run(self, *daemon: str) -> None:
        done = subprocess.run(
            daemon,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(daemon)} ended with {done.returncode}\n{self.logs()}")

    def _pid(self, daemon: str) -> int:
        return int((self.folder / f"{daemon}.pid").read_text())

    def _idle(self) -> bool:
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            return self.ask("sinfo", "-h", "-o", "%T").split()[:1] in (["idle"], ["mixed"], ["allocated"])
        return False

    def _wait(self, true: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise RuntimeError(f"the cluster is not as it should be after {seconds:.0f} s\n{self.logs()}")
            time.sleep(0.1)


@contextlib.contextmanager
def running(kind: type[Cluster] = Cluster) -> Iterator[Cluster]:
    """Start a cluster, and stop and remove it at the end; raises NoSlurmError where SLURM cannot be had."""
    install(kind.programs, kind.packages)
    # Directly below the temporary folder: a socket's path has a limit of 107 characters.
    cluster = kind(Path(tempfile.mkdtemp(prefix="slurm_")))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(cluster.folder, ignore_errors=True)


def _rule(record: dict[str, str]) -> str:
    """The plugin's comment is rule_NAME with its wildcards, or rule_GROUP_NAME; groups have their rule's name."""
    return re.fullmatch(r"rule_(.+?)(?:_\1)?(?:_wildcards_.*)?", record["Comment"])[1]


def _host() -> str:
    return socket.gethostname().split(".")[0]


def _alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

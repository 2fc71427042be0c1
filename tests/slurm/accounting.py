"""The same cluster with accounting: slurmdbd and a MariaDB of its own keep what slurmctld soon forgets."""

import functools
import socket

from slurm_cluster import Cluster, free_port

# slurmctld forgets jobs once a minute, those that ended longer ago than MinJobAge: what is read later is the database.
CONF = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
MinJobAge=2
"""
DBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={port}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm
"""
# sacct's names of what `scontrol show job` calls otherwise.
NAMES = {
    "JobIDRaw": "JobId",
    "JobName": "JobName",
    "State": "JobState",
    "Timelimit": "TimeLimit",
    "ReqMem": "MinMemoryNode",
    "NCPUS": "NumCPUs",
    "AllocTRES": "TRES",
    "Account": "Account",
    "Comment": "Comment",
}


class AccountingCluster(Cluster):
    """A running cluster with a database of its jobs."""

    programs = (*Cluster.programs, "sacct", "slurmdbd", "mariadb-install-db", "my_print_defaults", "mariadbd")
    # The parts of MariaDB without a service that the system would start.
    packages = (*Cluster.packages, "slurmdbd", "mariadb-server-core", "mariadb-client-core")
    daemons = ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged")
    status_command = "sacct"
    account = "project"

    @functools.cached_property
    def port(self) -> int:
        """Port of slurmdbd."""
        return free_port()

    @property
    def accounting(self) -> str:
        return CONF.strip().format(folder=self.folder, port=self.port)

    def records(self) -> list[dict[str, str]]:
        """What the database tells of all jobs (sacct); it has a job's comment when the job has ended."""
        command = ("sacct", "--allusers", "--allocations", "--noheader", "--parsable2", "--starttime=now-1day")
        lines = self.ask(*command, "--format=" + ",".join(NAMES)).splitlines()
        found = [dict(zip(NAMES.values(), line.split("|"), strict=True)) for line in lines]
        return [record | {"JobState": record["JobState"].split()[0]} for record in found]  # CANCELLED by 0

    def start(self) -> None:
        """Start database and slurmdbd, then the daemons that need them; the user gets a second account."""
        self._start_database()
        conf = self.folder / "slurmdbd.conf"
        conf.touch(0o600)
        conf.write_text(DBD_CONF.lstrip().format(folder=self.folder, port=self.port))
        self.start_slurmdbd()
        super().start()
        self.ask("sacctmgr", "-i", "add", "account", self.account)
        self.ask("sacctmgr", "-i", "add", "user", "root", f"account={self.account}")

    def start_slurmdbd(self) -> None:
        """Start slurmdbd and wait until it can be asked."""
        self._run("env", f"MYSQL_UNIX_PORT={self.folder}/database/socket", "slurmdbd")
        self._wait(self._listens)

    def _start_database(self) -> None:
        """Start a MariaDB that asks nobody for a password: only who may open its folder reaches it, no network does."""
        database = self.folder / "database"
        database.mkdir(mode=0o700)
        own = ("--no-defaults", "--user=root", f"--datadir={database}")
        self._run("mariadb-install-db", *own, "--skip-test-db")
        files = (f"--pid-file={self.folder}/mariadbd.pid", f"--log-error={self.folder}/mariadbd.log")
        alone = (f"--socket={database}/socket", "--skip-networking", "--skip-grant-tables")
        self._run("setsid", "--fork", "mariadbd", *own, *files, *alone)
        self._wait((database / "socket").exists)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

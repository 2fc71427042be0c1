"""Debian packages in a folder of their own: nothing is installed, and no root is needed.

apt resolves and checks what is to come; the packages are unpacked, and their programs find their libraries by
environment variables.
"""

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 300.0
DACHS = ("gavodachs2-server", "python3-gavo", "python3-gavo-stc", "python3-gavo-utils", "python3-gavo-votable")


class NotInstallableError(Exception):
    """The packages cannot be had on this machine, for the reason that it states."""


@dataclass(frozen=True)
class Root:
    """Unpacked packages: folder, version of PostgreSQL, Python that Debian's packages are made for."""

    folder: Path
    postgresql: str
    python: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which the programs of the folder run."""
        libraries = next((self.folder / "usr/lib").glob("*-linux-gnu"))
        inner = [libraries / name for name in ("blas", "lapack", "openblas-pthread")]
        programs = [self.folder / f"usr/lib/postgresql/{self.postgresql}/bin", self.folder / "usr/bin"]
        kept = {name: value for name, value in os.environ.items() if name in ("LANG", "TMPDIR", "TZ")}
        return kept | {
            "PATH": os.pathsep.join(map(str, [*programs, "/usr/bin", "/bin"])),
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, [*inner, libraries, self.folder / "usr/lib"])),
            "PYTHONPATH": str(self.folder / "usr/lib/python3/dist-packages"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }


def unpack(folder: Path) -> Root:
    """Fetch DaCHS, PostgreSQL and q3c with all that they need and unpack them into folder."""
    if not all(map(shutil.which, ("apt-get", "apt-cache", "dpkg"))):
        raise NotInstallableError("no apt-get and dpkg on this machine: it is no Debian")
    started = time.monotonic()
    packages, root = folder / "packages", folder / "root"
    for path in (folder / "lists/partial", folder / "cache/archives/partial", packages, root):
        path.mkdir(parents=True)
    _apt(folder, started, "apt-get", "update")
    needs = _apt(folder, started, "apt-cache", "depends", "gavodachs2-server")
    version = re.search(r"postgresql-(\d+)-q3c", needs)
    if not version:
        raise NotInstallableError("no package gavodachs2-server for a PostgreSQL with q3c among the packages of apt")
    number = version[1]
    database = [f"postgresql-{number}{part}" for part in ("", "-q3c", "-pgsphere")]
    plan = _apt(folder, started, "apt-get", "install", "--simulate", "--no-install-recommends", DACHS[0], *database)
    new = re.findall(r"^Inst (\S+)", plan, flags=re.MULTILINE)
    # What the system has already is needed in the folder too, where it must find its extensions.
    names = sorted({*new, *DACHS, *database, f"postgresql-client-{number}", "libpq5"})
    _apt(folder, started, "apt-get", "download", *names, cwd=packages)
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg", "--extract", package, root], check=True, capture_output=True)
    shutil.rmtree(packages)
    _mend_pgsphere(root)
    return Root(root, number, _python(root))


def _apt(folder: Path, started: float, *command: str, cwd: Path | None = None) -> str:
    """Run apt with lists and cache of its own."""
    options = [f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache", "Debug::NoLocking=true"]
    options += [f"APT::Sandbox::User={_user()}", "Acquire::Retries=2", "Acquire::http::Timeout=20"]
    program, *rest = command
    asked = [program, *(part for option in options for part in ("-o", option)), *rest]
    left = LIMIT_S - (time.monotonic() - started)
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=cwd, timeout=max(left, 1.0))
    except subprocess.TimeoutExpired as error:
        raise NotInstallableError(f"{program} {rest[0]} took longer than {LIMIT_S:.0f} s in all") from error
    said = " ".join(line for line in done.stderr.splitlines() if line.startswith(("E:", "W: Failed", "Err")))
    if done.returncode or "Failed to fetch" in said:
        raise NotInstallableError(f"{program} {rest[0]} failed: {said[-400:] or done.stdout[-400:]}")
    return done.stdout


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _python(root: Path) -> Path:
    """Debian's own Python, whose version the unpacked packages are made for."""
    candidates = [root / "usr/bin/python3", Path("/usr/bin/python3")]
    found = next((path for path in candidates if path.exists()), None)
    if found is None:
        raise NotInstallableError("no /usr/bin/python3 for Debian's packages")
    return found


def _mend_pgsphere(root: Path) -> None:
    """Take hints for the query planner out of pgSphere that security updates of PostgreSQL refuse."""
    for path in root.glob("usr/share/postgresql/*/extension/pg_sphere--*.sql"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"^\s*(COMMUTATOR|NEGATOR)\s*=.*,\s*$", "", text, flags=re.MULTILINE), encoding="utf-8")

"""DaCHS, a VO server as observatories run it, on ports of this machine, with tables that a test gives it."""

import contextlib
import csv
import ctypes
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import debian
import pyarrow as pa

START_S = 60.0
_TYPES = {"string": "text", "large_string": "text", "int64": "bigint", "int32": "integer", "double": "double precision"}
_NULL = {"bigint": -(2**63), "integer": -(2**31)}


@dataclass(frozen=True)
class Service:
    """A table of the service: schema and name, rows, and its columns of position if it has some."""

    schema: str
    name: str
    rows: pa.Table
    ra: str = ""
    dec: str = ""


@contextlib.contextmanager
def serving(tables: Sequence[Service]) -> Iterator[tuple[str, dict[str, float]]]:
    """Serve tables; gives the URL of the TAP service and the seconds that each step took. All is removed at the end.

    Raises debian.NotInstallableError where the packages cannot be had.
    """
    times: dict[str, float] = {}
    folder = Path(tempfile.mkdtemp(prefix="variable_sky_vo_"))
    try:
        with _timed(times, "packages"):
            root = debian.unpack(folder / "debian")
        server = _Server(folder / "server", root)
        folder.chmod(0o755)
        try:
            with _timed(times, "database"):
                server.start_database()
            with _timed(times, "tables"):
                for schema in dict.fromkeys(table.schema for table in tables):
                    server.add(schema, [table for table in tables if table.schema == schema])
            with _timed(times, "server"):
                server.start()
            yield f"{server.url}/tap", times
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Server:
    """PostgreSQL and DaCHS below one folder; PostgreSQL refuses to run as root."""

    def __init__(self, folder: Path, root: debian.Root) -> None:
        self.folder, self.root = folder, root
        self.database_port, self.port = _free_port(), _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.inputs = folder / "gavo/inputs"
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.children: list[subprocess.Popen[bytes]] = []
        folder.mkdir()
        group = grp.getgrgid(self.user.pw_gid).gr_name
        (folder / "gavo.rc").write_text(
            f"[general]\nrootDir: {folder}/gavo\ngroup: {group}\nmaintainerAddress: nobody@example.org\n"
            f"[web]\nbindAddress: 127.0.0.1\nserverPort: {self.port}\nserverURL: {self.url}\n"
        )
        self.own()

    def own(self) -> None:
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def options(self) -> dict[str, object]:
        own = {"HOME": str(self.folder), "GAVOSETTINGS": f"{self.folder}/gavo.rc", "GAVOCUSTOM": "/nonexistent"}
        found: dict[str, object] = {"cwd": self.folder, "env": self.root.environment | own}
        if os.geteuid() == 0:
            found |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return found

    def run(self, *command: str | Path) -> None:
        done = subprocess.run(command, **self.options(), capture_output=True, text=True, check=False, timeout=180)
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout[-1500:]}\n{done.stderr[-1500:]}")

    def dachs(self, *command: str) -> None:
        self.run(self.root.python, self.root.folder / "usr/bin/dachs", *command)

    def start_database(self) -> None:
        data, user = self.folder / "postgresql", self.user.pw_name
        self.run("initdb", "-D", data, "-U", user, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.children.append(
            self.child(
                *("postgres", "-D", data, "-p", str(self.database_port), "-c", "listen_addresses=127.0.0.1"),
                *("-c", "unix_socket_directories=", "-c", "fsync=off"),
            )
        )
        ready = ("pg_isready", "-h", "127.0.0.1", "-p", str(self.database_port))
        self.wait(lambda: subprocess.run(ready, **self.options(), capture_output=True, check=False).returncode == 0)
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.database_port), "-U", user, "gavo")
        self.dachs("init", "-d", f"host=127.0.0.1 port={self.database_port} user={user} dbname=gavo")

    def add(self, schema: str, tables: Sequence[Service]) -> None:
        folder = self.inputs / schema
        folder.mkdir(parents=True)
        for table in tables:
            with (folder / f"{table.name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(f"c{i}" for i in range(table.rows.num_columns))
                writer.writerows(zip(*(column.to_pylist() for column in table.rows.columns), strict=True))
        (folder / "q.rd").write_text(_descriptor(schema, tables), encoding="utf-8")
        self.own()
        self.dachs("imp", f"{schema}/q")

    def start(self) -> None:
        self.children.append(self.child(self.root.python, self.root.folder / "usr/bin/dachs", "serve", "debug"))
        self.wait(lambda: _answers(f"{self.url}/tap/availability"))

    def child(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a server that ends with us, however we end."""
        with (self.folder / "servers.log").open("ab") as log:
            return subprocess.Popen(command, **self.options(), stdout=log, stderr=log, preexec_fn=_end_with_parent)

    def wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while not ready():
            if time.monotonic() > deadline or self.children[-1].poll() is not None:
                raise RuntimeError(f"a server does not answer: {(self.folder / 'servers.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG of Linux


def _descriptor(schema: str, tables: Sequence[Service]) -> str:
    """Resource descriptor of DaCHS for the tables of a schema."""
    return (
        f'<resource schema="{schema}"><meta name="title">Test</meta><meta name="subject">stars</meta>'
        '<meta name="creationDate">2020-01-01T00:00:00Z</meta><meta name="description">Test</meta>'
        f"{''.join(map(_table, tables))}</resource>"
    )


def _table(table: Service) -> str:
    """Describe a table, with an index on position if it has one, and how it is filled from a CSV file."""
    roles = {table.ra: "pos.eq.ra;meta.main", table.dec: "pos.eq.dec;meta.main"}
    columns, maps, index = [], [], ' mixin="//scs#q3cindex"' if table.ra else ""
    for number, field in enumerate(table.rows.schema):
        kind = _TYPES[str(field.type)]
        inner = f'<values nullLiteral="{_NULL[kind]}"/>' if kind in _NULL else ""
        unit = ' unit="deg"' if field.name in (table.ra, table.dec) else ""
        plain = field.name.isidentifier()
        stated = quoteattr(field.name if plain else f"quoted/{field.name}")
        columns.append(f'<column name={stated} type="{kind}" ucd="{roles.get(field.name, "")}"{unit}>{inner}</column>')
        maps.append(f'<map key={stated} source="c{number}"/>')
    return (
        f'<table id="{table.name}" onDisk="True" adql="True"{index}>'
        f'{"".join(columns)}</table><data id="fill_{table.name}"><sources>{table.name}.csv</sources>'
        f'<csvGrammar/><make table="{table.name}"><rowmaker>{"".join(maps)}</rowmaker></make></data>'
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def _timed(times: dict[str, float], step: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    times[step] = time.monotonic() - start

"""A TAP service on this machine, as much of one as pyvo needs: sync, UWS jobs, uploads, TAP_SCHEMA, limits.

ADQL is answered by SQLite, which understands the simple part of it.
"""

import io
import itertools
import math
import re
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import numpy as np
from astropy.io import votable
from loopback import Answer, Asked

_TYPES = {int: ("long", "INTEGER"), float: ("double", "REAL"), str: ("char", "TEXT")}
_XML = "text/xml"
_VOTABLE = "application/x-votable+xml"


@dataclass(frozen=True)
class Column:
    """Values of a column with unit, UCD and description; `type` is the Python type."""

    values: Sequence[object]
    type: type = float
    unit: str = ""
    ucd: str = ""
    description: str = ""


@dataclass
class Job:
    """A UWS job; its phase moves on by one at every look, so that no test waits."""

    query: str
    limit: int
    uploads: Mapping[str, bytes]
    phases: list[str]
    message: str = ""
    result: Answer | None = None


@dataclass
class Tap:
    """The service: an answer function for loopback.Archive, with what it did for the tests to see."""

    tables: Mapping[str, Mapping[str, Column]]
    default_limit: int = 2000
    hard_limit: int = 1_000_000
    phases: Sequence[str] = ("QUEUED", "EXECUTING", "COMPLETED")
    starts: bool = True
    counts: bool = True
    schema: bool = True
    says_overflow: bool = True
    says_status: bool = True
    framing: str = "length"
    jobs: dict[str, Job] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            parts = asked.path.strip("/").split("/")
            if parts[:2] == ["tap", "sync"]:
                return self._sync(asked)
            if parts[:2] == ["tap", "async"]:
                return self._job(asked, parts[2:])
        return Answer(b"no such resource", "text/plain", 404)

    def _sync(self, asked: Asked) -> Answer:
        try:
            return self._run(asked.one("QUERY"), self._limit(asked), {}, asked.fault)
        except sqlite3.Error as error:
            return Answer(_document("ERROR", str(error)), _VOTABLE, 400)

    def _job(self, asked: Asked, parts: list[str]) -> Answer:
        if not parts:
            return self._create(asked)
        job = self.jobs.get(parts[0])
        if job is None:
            return Answer(b"no such job", "text/plain", 404)
        if asked.method == "DELETE":
            self.deleted.append(parts[0])
            del self.jobs[parts[0]]
            return Answer(b"", "text/plain", 303, headers={"Location": "/tap/async"})
        if parts[1:] == ["phase"] and asked.method == "POST":
            if job.phases[0] != "PENDING" or not self.starts:
                return Answer(b"this job cannot be started", "text/plain", 400)
            self._start(job, asked)
        if parts[1:] == ["results", "result"]:
            return job.result
        if len(parts) == 1 and job.phases[0] != "PENDING" and len(job.phases) > 1:
            job.phases.pop(0)
        return Answer(_job_document(parts[0], job), _XML)

    def _create(self, asked: Asked) -> Answer:
        if asked.method != "POST":
            return Answer(b"<jobs/>", _XML)
        sent = dict(item.split(",param:") for item in asked.all("UPLOAD") for item in item.split(";"))
        uploads = {name: asked.files[key] for name, key in sent.items()}
        name = f"job{next(self._numbers)}"
        self.jobs[name] = Job(asked.one("QUERY"), self._limit(asked), uploads, ["PENDING"])
        return Answer(b"", "text/plain", 303, headers={"Location": f"/tap/async/{name}"})

    def _start(self, job: Job, asked: Asked) -> None:
        job.phases = ["QUEUED", *self.phases]
        try:
            job.result = self._run(job.query, job.limit, job.uploads, asked.fault)
        except sqlite3.Error as error:
            job.phases, job.message = ["QUEUED", "ERROR"], str(error)

    def _limit(self, asked: Asked) -> int:
        return min(int(asked.one("MAXREC") or self.default_limit), self.hard_limit)

    def _run(self, adql: str, limit: int, uploads: Mapping[str, bytes], fault: str) -> Answer:
        self.queries.append(adql)
        if ("COUNT(*)" in adql and not self.counts) or ("TAP_SCHEMA" in adql and not self.schema):
            raise sqlite3.OperationalError("this is not supported here")
        database, described = self._database(uploads)
        cursor = database.execute(adql)
        names = [item[0] for item in cursor.description]
        rows = cursor.fetchall()
        database.close()
        if fault == "wrong_rows":
            rows = [tuple("999" if isinstance(v, str) else v for v in rows[0]), *rows[1:]]
        elif fault == "duplicate_rows":
            rows = [*rows[:-1], rows[0]]
        elif fault == "missing_column":
            names, rows = names[:-1], [row[:-1] for row in rows]
        described |= {new: described.get(old) for old, new in re.findall(r'(\w+)"? AS "(\w+)"', adql)}
        state = "OVERFLOW" if len(rows) > limit and self.says_overflow else "OK"
        fields = [_field(name, [row[i] for row in rows], described.get(name)) for i, name in enumerate(names)]
        body = _document(state if self.says_status else "", "", fields, rows[:limit])
        return Answer(body, _VOTABLE, framing=self.framing)

    def _database(self, uploads: Mapping[str, bytes]) -> tuple[sqlite3.Connection, dict[str, Column]]:
        tables = dict(self.tables) | {f"TAP_UPLOAD.{name}": _uploaded(content) for name, content in uploads.items()}
        listed = [(name if re.fullmatch(r"[\w.]+", name) else f'"{name}"') for name in self.tables]
        names = [(place, name) for place, table in zip(listed, self.tables.values(), strict=True) for name in table]
        tables["TAP_SCHEMA.tables"] = {"table_name": Column(listed, str)}
        tables["TAP_SCHEMA.columns"] = {
            "table_name": Column([place for place, _ in names], str),
            "column_name": Column([name for _, name in names], str),
        }
        database, attached = sqlite3.connect(":memory:"), set()
        for place, table in tables.items():
            schema, _, name = place.rpartition(".") if "/" not in place else ("", "", place)
            if schema and schema not in attached:
                database.execute(f'ATTACH ":memory:" AS "{schema}"')
                attached.add(schema)
            where = f'"{schema}"."{name}"' if schema else f'"{name}"'
            declared = ", ".join(f'"{key}" {_TYPES[column.type][1]}' for key, column in table.items())
            database.execute(f"CREATE TABLE {where} ({declared})")
            marks = ", ".join("?" * len(table))
            rows = zip(*(column.values for column in table.values()), strict=True)
            database.executemany(f"INSERT INTO {where} VALUES ({marks})", rows)
        return database, {key: column for table in tables.values() for key, column in table.items()}


def _uploaded(content: bytes) -> dict[str, Column]:
    table = votable.parse(io.BytesIO(content)).get_first_table().to_table()
    columns = {}
    for name in table.colnames:
        values = [None if v is np.ma.masked else v.item() if hasattr(v, "item") else str(v) for v in table[name]]
        columns[name] = Column(values, next(type(v) for v in values if v is not None))
    return columns


def _field(name: str, values: Sequence[object], described: Column | None) -> str:
    found = next((type(value) for value in values if value is not None), described.type if described else float)
    notes = {"unit": described.unit, "ucd": described.ucd} if described else {}
    text = "".join(f' {key}="{value}"' for key, value in notes.items() if value)
    size = ' arraysize="*"' if found is str else ""
    meaning = f"<DESCRIPTION>{escape(described.description)}</DESCRIPTION>" if described else ""
    return f'<FIELD name="{name}" datatype="{_TYPES[found][0]}"{size}{text}>{meaning}</FIELD>'


def _cell(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "<TD/>" if missing else f"<TD>{escape(repr(value) if isinstance(value, float) else str(value))}</TD>"


def _document(
    state: str, message: str, fields: Sequence[str] = (), rows: Sequence[Sequence[object]] | None = None
) -> bytes:
    """VOTable as services write it: OK before the table, OVERFLOW after it, ERROR alone."""
    info = f'<INFO name="QUERY_STATUS" value="{state}">{escape(message)}</INFO>' if state else ""
    before = info.replace("OVERFLOW", "OK")
    after = info if state == "OVERFLOW" else ""
    data = "".join(f"<TR>{''.join(map(_cell, row))}</TR>" for row in rows or ())
    table = f"<TABLE>{''.join(fields)}<DATA><TABLEDATA>{data}</TABLEDATA></DATA></TABLE>" if rows is not None else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results">{before}{table}{after}</RESOURCE></VOTABLE>\n'
    ).encode()


def _job_document(name: str, job: Job) -> bytes:
    done = job.phases[0] == "COMPLETED"
    result = f'<uws:result id="result" xlink:href="/tap/async/{name}/results/result"/>' if done else ""
    failed = job.phases[0] == "ERROR"
    summary = (
        f'<uws:errorSummary type="fatal"><uws:message>{escape(job.message)}</uws:message></uws:errorSummary>'
        if failed
        else ""
    )
    return (
        '<?xml version="1.0"?><uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1">'
        f"<uws:jobId>{name}</uws:jobId><uws:phase>{job.phases[0]}</uws:phase><uws:parameters/>"
        f"<uws:results>{result}</uws:results>{summary}</uws:job>"
    ).encode()

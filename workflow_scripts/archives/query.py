"""A question to a TAP service with explicit columns and an explicit limit, and what its answer must hold."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from workflow_scripts.archives import checks, http, votable
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.manifest import Origin
from workflow_scripts.archives.retry import TransientError
from workflow_scripts.tables import DataError

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Upload:
    """Rows that travel with a query as TAP_UPLOAD.<name>; `id` names their identifier, which the answer carries too."""

    rows: pa.Table
    name: str = "targets"
    id: str = "object_id"

    @property
    def sha256(self) -> str:
        """Hash of the values, whatever the chunks."""
        return hashlib.sha256(json.dumps(self.rows.to_pydict(), default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Query:
    """SELECT the columns (our name: ADQL expression) FROM the source, which is ADQL as it follows FROM, joins and all.

    max_rows is sent as MAXREC and must be above the expected number. `unique` are the columns that together identify
    a row, wait_s the longest time [s] for the service to finish. The source has no GROUP BY and no ORDER BY.
    """

    service: str
    url: str
    columns: Mapping[str, str]
    source: str
    max_rows: int
    unique: tuple[str, ...] = ()
    wait_s: float = 7200.0

    def __post_init__(self) -> None:
        """Refuse names that would not survive the way there and back."""
        wrong = [name for name in self.columns if not _IDENTIFIER.fullmatch(name)]
        unknown = [name for name in self.unique if name not in self.columns]
        if wrong or unknown or self.max_rows < 1:
            raise ValueError(f"query to {self.service}: bad names {wrong}, unknown {unknown}, max_rows {self.max_rows}")

    @property
    def adql(self) -> str:
        """Text of the query."""
        selected = ", ".join(f'{expression} AS "{name}"' for name, expression in self.columns.items())
        return f"SELECT {selected} FROM {self.source}"

    def origin(self, upload: Upload | None) -> Origin:
        """Say in a manifest what was asked; an upload by its hash."""
        sent = ((f"UPLOAD {upload.name}", f"sha256 {upload.sha256}"),) if upload else ()
        return Origin(self.service, self.url, (("QUERY", self.adql), ("MAXREC", str(self.max_rows)), *sent))


def ask(query: Query, manners: Manners, rng: np.random.Generator) -> pa.Table:
    """Answer to a query of some rows, synchronously, with every check; for what takes seconds.

    Services cut long synchronous queries without a word: use tap.fetch for anything else.
    """
    return checked(sync(query, query.adql, query.max_rows, manners, rng), query, None, None)


def sync(query: Query, adql: str, max_rows: int, manners: Manners, rng: np.random.Generator) -> votable.Answer:
    """Answer of the query's service to a text, unchecked but for being whole."""
    parameters = (("REQUEST", "doQuery"), ("LANG", "ADQL"), ("MAXREC", str(max_rows)), ("QUERY", adql))
    request = http.Request(query.service, f"{query.url}/sync", parameters, "POST")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.vot"
        http.fetch(request, path, manners, rng, count=whole_votable)
        return votable.read(path)


def whole_votable(path: Path) -> None:
    """Raise TransientError if a VOTable is cut, however it was cut; its rows are counted when it is read."""
    if not http.ends_itself(path):
        raise TransientError("the answer has no closing VOTABLE tag: it was cut, or is none")


def checked(answer: votable.Answer, query: Query, counted: int | None, upload: Upload | None) -> pa.Table:
    """Rows of an answer under our names in a settled order, after every check; raises DataError that says what fails.

    Status OK (stated, not assumed); the columns asked for; as many rows as counted, or fewer than the limit; no row
    twice; no object that was not uploaded.
    """
    rows = answer.rows
    problem = _status_problem(answer, query) or checks.missing_columns(rows.column_names, list(query.columns))
    if problem:
        raise _unusable(query, problem)
    rows = _renamed(rows, list(query.columns))
    if counted is not None and rows.num_rows != counted:
        problem = f"{rows.num_rows} rows came, SELECT COUNT(*) says {counted}"
    elif counted is None and rows.num_rows >= query.max_rows:
        problem = f"{rows.num_rows} rows came, which is the limit: there may be more; raise max_rows"
    problem = problem or checks.repeated(rows, query.unique)
    if upload and not problem:
        problem = checks.unasked(rows, upload.id, set(upload.rows[upload.id].to_pylist()))
    if problem:
        raise _unusable(query, problem)
    # A database gives rows in any order; identical rows must give identical files.
    order = [f.name for f in rows.schema if not pa.types.is_list(f.type)]
    return rows.sort_by([(name, "ascending") for name in dict.fromkeys((*query.unique, *order))])


def _status_problem(answer: votable.Answer, query: Query) -> str:
    if answer.status == "OVERFLOW":
        return (
            f"the answer was cut at {answer.rows.num_rows} rows (QUERY_STATUS OVERFLOW, max_rows {query.max_rows}): "
            "raise max_rows, or ask in parts if the service's own limit is lower"
        )
    if answer.status != "OK":
        return f"QUERY_STATUS is {answer.status or 'not stated'}, expected OK; the service says: {answer.message!r}"
    return ""


def _renamed(rows: pa.Table, wanted: list[str]) -> pa.Table:
    """Columns in our order under our names; some services change the case of letters."""
    found = {name.casefold(): name for name in rows.column_names}
    return rows.select([found[name.casefold()] for name in wanted]).rename_columns(wanted)


def _unusable(query: Query, problem: str) -> DataError:
    return DataError(f"{query.service} ({query.url}): {problem}. The query was: {query.adql}")

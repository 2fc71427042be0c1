"""The ways in which archives answer to identifiers of light curves, and what each answer must hold.

An archive may answer with the rows, with a page that links to them, or have them in files of its own among those of
many other objects. Such a file is downloaded once for all jobs, and the rows of a batch are taken out of it.
"""

import contextlib
import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import tables
from workflow_scripts.archives import checks, http, manifest
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.retry import RefusedError, TransientError
from workflow_scripts.tables import DataError

Link = http.Request | None
ReadPage = Callable[[str], Link]


@dataclass(frozen=True)
class Source:
    """An archive that gives light curves by identifier.

    `request` makes the question for some identifiers, `read` turns the answer's file into a table of their rows
    (identifiers as text) that must have `columns`, and raises RefusedError with status 413 for one that says of itself
    that it was cut; `id` is the identifier's column, `unique` identify a row together.

    limit = number of rows from which on the archive cuts an answer without a word. absent = HTTP status by which it
    says that it has no data; landmark = something else of some identifiers that is there where they and the address are
    right, so that absence is theirs; for an archive with files of its own one that it gave before will do. page = reads
    the page that is the answer: the request for the file that it links to, or None if it says that there is no data; it
    raises TransientError for any other page. file = name of the archive's own file that has an identifier's rows among
    others'; extent = how many such files there are and how large.
    """

    name: str
    request: Callable[[Sequence[str]], http.Request]
    read: Callable[[Path, Sequence[str]], pa.Table]
    columns: tuple[str, ...]
    id: str
    unique: tuple[str, ...]
    suffix: str = ".csv"
    batch: int = 100
    limit: int | None = None
    absent: tuple[int, ...] = ()
    landmark: Callable[[Sequence[str]], http.Request] | None = None
    page: ReadPage | None = None
    file: Callable[[str], str] | None = None
    extent: str = ""

    @property
    def answer_suffix(self) -> str:
        """Suffix of the files that hold the rows of a batch."""
        return ".parquet" if self.file else self.suffix


@dataclass(frozen=True)
class Job:
    """Whom to ask, how politely, and where answers go: folder is the job's own, shared every job's."""

    source: Source
    folder: Path
    shared: Path
    manners: Manners


def transfer(job: Job, ids: Sequence[str], path: Path, rng: np.random.Generator) -> None:
    """Get the rows of some identifiers as path with its manifest, by the archive's way of answering."""
    source, request = job.source, job.source.request(ids)
    counts: dict[str, int] = {}

    def count(part: Path) -> int:
        return _count(source, ids, part, counts)

    if source.file:
        whole = job.shared / source.file(ids[0])
        with _alone(whole):
            http.fetch(request, whole, job.manners, rng, count=count)
        found = source.read(whole, ids)
        manifest.sweep(path)
        with tables.whole(path) as part:
            pq.write_table(found, part, compression="zstd", compression_level=3)
        manifest.write(path, request.origin, len(found), _counted(source, ids, found))
    elif source.page:
        link = _link(job, source.page, request, path.with_suffix(".html"), rng)
        if link is None:
            write_empty(source, ids, path)
        else:
            made = http.fetch(link, path, job.manners, rng, count=count, notes=counts)
            manifest.write(path, request.origin, made.rows, counts)  # the link will be another one next time
    else:
        http.fetch(request, path, job.manners, rng, count=count, notes=counts)


def rows(source: Source, path: Path) -> pa.Table | None:
    """Rows of a file that `fetch` returned, or None if the archive has none for its identifiers."""
    found = manifest.read(path)
    if found is None:
        raise DataError(f"{source.name}: {path} has no manifest; delete it and run again")
    if not found.rows:
        return None
    return pq.read_table(path, partitioning=None) if source.file else source.read(path, list(found.notes))


def _link(job: Job, read_page: ReadPage, request: http.Request, page: Path, rng: np.random.Generator) -> Link:
    """Request for the file that the answer's page links to, or None if the page says that there is no data."""
    found: list[Link] = []

    def look(part: Path) -> None:
        found.append(read_page(part.read_text(encoding="utf-8", errors="replace")))

    manifest.remove(page)  # what an earlier page links to may be gone
    http.fetch(request, page, job.manners, rng, count=look)
    manifest.remove(page)
    return found[-1]


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one job at a time download a file that others want too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as file:
        with contextlib.suppress(OSError):  # some shared file systems have no locks: two may download it then
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_empty(source: Source, ids: Sequence[str], path: Path) -> None:
    """Keep it that the archive has no data for some identifiers."""
    manifest.sweep(path)
    with tables.whole(path) as part:
        part.touch()
    manifest.write(path, source.request(ids).origin, 0, dict.fromkeys(ids, 0))


def _count(source: Source, ids: Sequence[str], part: Path, counts: dict[str, int]) -> int:
    """Check the answer; returns its rows, and in counts those of every identifier."""
    try:
        found = source.read(part, ids)
    except RefusedError:
        raise
    except DataError as error:
        raise TransientError(str(error)) from error
    if problem := checks.missing_columns(found.column_names, source.columns):
        raise DataError(f"{source.name}: {problem}; the archive has changed its format: its plug-in must follow")
    if source.limit is not None and len(found) >= source.limit:
        raise RefusedError(
            f"{source.name}: {len(found)} rows for {len(ids)} identifiers, such as '{ids[0]}': the archive cuts its "
            f"answers at {source.limit} rows",
            413,
        )
    if problem := checks.unasked(found, source.id, set(ids)) or checks.repeated(found, source.unique):
        raise TransientError(problem)
    counts |= _counted(source, ids, found)
    return len(found)


def _counted(source: Source, ids: Sequence[str], found: pa.Table) -> dict[str, int]:
    return dict.fromkeys(ids, 0) | Counter(found[source.id].to_pylist())

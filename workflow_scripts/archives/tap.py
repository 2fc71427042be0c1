"""Catalogues and queries from TAP services: one asynchronous job, every check, one Parquet file with its manifest."""

import dataclasses
import logging
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts import progress, tables
from workflow_scripts.archives import checks, http, manifest, tap_job, tap_schema, votable
from workflow_scripts.archives import query as queries
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.manifest import Manifest
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.archives.retry import UnavailableError
from workflow_scripts.tables import DataError, Table

_LOG = logging.getLogger(__name__)
CHUNK_ROWS = 50_000  # of an uploaded table that travel together


def fetch(
    query: Query, path: Path, manners: Manners, rng: np.random.Generator, upload: Upload | None = None
) -> Manifest:
    """Write the answer to a query as Parquet (units, meanings and UCDs in the schema) unless it is there already.

    A client that was killed goes on with the same job on the service. The rows are checked as in query.checked, and
    against SELECT COUNT(*) unless there is an upload or the service cannot count. Raises DataError: JobError for a
    query that the service refuses, UnavailableError when it does not answer in time.
    """
    origin = query.origin(upload)
    state, raw = path.with_name(f"{path.name}.job"), path.with_name(f"{path.name}.vot")
    done = manifest.trusted(path, origin)
    if done is None:
        manifest.sweep(path)
        counted = None if upload else count(query, manners, rng)
        try:
            url = tap_job.result_url(query, state, manners, rng, upload)
        except tap_job.JobError as error:
            raise tap_job.JobError(
                f"{error}{tap_schema.explain(query, manners, rng)}. The query was: {query.adql}"
            ) from error
        try:
            http.fetch(http.Request(query.service, url), raw, manners, rng, count=queries.whole_votable)
            answer = votable.read(raw)
            rows = queries.checked(answer, query, counted, upload)
        except UnavailableError:
            raise  # the job is done: the next run asks for its result only
        except DataError:
            manifest.remove(raw)
            tap_job.discard(query, state, manners, rng)
            raise
        _write(rows, answer, query, path)
        done = manifest.write(path, origin, rows.num_rows, {"result": url, "counted": counted})
        _LOG.info("%s: %s: %d rows, %s", query.service, path.name, rows.num_rows, done.status)
    manifest.remove(raw)
    tap_job.discard(query, state, manners, rng)
    return done


def count(query: Query, manners: Manners, rng: np.random.Generator) -> int | None:
    """Rows of the query by SELECT COUNT(*), or None (and a warning) if the service cannot count them.

    Raises DataError if there are as many as the limit allows: the answer would be cut.
    """
    adql = f'SELECT COUNT(*) AS "n" FROM {query.source}'
    try:
        answer = queries.sync(query, adql, 2, dataclasses.replace(manners, tries=min(manners.tries, 2)), rng)
    except DataError as error:
        _LOG.warning("%s cannot count the rows, so only the limit is checked: %s", query.service, error)
        return None
    if answer.status != "OK" or answer.rows.num_rows != 1:
        _LOG.warning("%s cannot count the rows, so only the limit is checked: %s", query.service, answer.message)
        return None
    counted = int(answer.rows.columns[0][0].as_py())
    if counted >= query.max_rows:
        raise DataError(
            f"{query.service} ({query.url}) has {counted} rows for the query, which is not below max_rows "
            f"{query.max_rows}: the answer would be cut; raise max_rows. The query was: {query.adql}"
        )
    return counted


def fetch_for(
    query: Query, upload: Upload, path: Path, manners: Manners, rng: np.random.Generator, chunk_rows: int = CHUNK_ROWS
) -> Manifest:
    """Answer to a query that joins an uploaded table, sent in chunks of rows and joined in their order.

    Each chunk is a file beside path until all are there, so that a run that was killed asks for the others only.
    Raises DataError as `fetch` does, and for an upload without rows or with an identifier twice or null.
    """
    _check_upload(query, upload)
    origin = query.origin(upload)
    parts = path.with_name(f"{path.name}.parts")
    done = manifest.trusted(path, origin)
    if done is None:
        manifest.sweep(path)
        files = []
        for number, part in enumerate(progress.batches(upload.rows.num_rows, chunk_rows, f"rows to {query.service}")):
            chunk = dataclasses.replace(upload, rows=upload.rows.slice(part.start, part.stop - part.start))
            files.append(parts / f"{number:05d}.parquet")
            fetch(query, files[-1], manners, rng, chunk)
        rows = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]).combine_chunks()
        with tables.whole(path) as whole:
            pq.write_table(rows, whole, compression="zstd", compression_level=3)
        done = manifest.write(path, origin, rows.num_rows, {"chunks": len(files)})
    shutil.rmtree(parts, ignore_errors=True)
    return done


def _check_upload(query: Query, upload: Upload) -> None:
    if upload.id not in query.columns:
        raise ValueError(f"query to {query.service}: the answer must carry the uploaded '{upload.id}'")
    if not upload.rows.num_rows:
        raise DataError(f"nothing to ask {query.service} for: the table to upload has no rows")
    if problem := checks.repeated(upload.rows, (upload.id,)):
        raise DataError(f"the table to upload to {query.service} has {problem}; give each object one row")


def _write(rows: pa.Table, answer: votable.Answer, query: Query, path: Path) -> None:
    said = {column.name.casefold(): column for column in answer.columns}
    columns = tuple(dataclasses.replace(said[name.casefold()], name=name) for name in rows.column_names)
    tables.write(rows, path, Table(path.stem, columns), {"service": query.service, "query": query.adql})

"""One asynchronous job on a TAP service (UWS), whose address is kept in a file until its result is safe.

pyvo and astroquery wait for ever when a service does: the loop here has a budget, and whoever was killed while it
waited finds the same job again.
"""

import dataclasses
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from xml.parsers.expat import ExpatError

import numpy as np

from workflow_scripts import tables
from workflow_scripts.archives import manifest, retry
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query, Upload
from workflow_scripts.archives.retry import RefusedError, TransientError, UnavailableError
from workflow_scripts.tables import DataError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_BUSY = ("PENDING", "QUEUED", "EXECUTING", "RUN", "SUSPENDED", "HELD", "UNKNOWN")
_OVER = ("COMPLETED", "ERROR", "ABORTED", "ARCHIVED")
_SLOWEST_POLL_S = 30.0
_EVERY_S = 60.0


class JobError(DataError):
    """The service ran the query and failed, or refused it."""


def result_url(query: Query, state: Path, manners: Manners, rng: np.random.Generator, upload: Upload | None) -> str:
    """Run the query as a job, or go on with the job in the file `state`; returns where its result lies.

    Raises JobError with the service's words, or UnavailableError when query.wait_s is over: the job is kept then.
    """
    job = _reopened(query, state, manners, rng, upload) or _created(query, state, manners, rng, upload)
    phase = _wait(job, query, state, manners, rng)
    url = job.result_uri
    if phase == "COMPLETED" and url:
        return str(url)
    summary = _call(query, manners, rng, lambda: job.job).errorsummary
    said = " ".join(summary.message.content.split()) if summary and summary.message else ""
    discard(query, state, manners, rng)
    raise JobError(f"{query.service} ({query.url}): the job ended as {phase}; the service says: {said or 'nothing'}")


def discard(query: Query, state: Path, manners: Manners, rng: np.random.Generator) -> None:
    """Remove a job from the service, if it still has it, and its address from the disk."""
    url = _saved(state).get("url")
    if url:
        try:
            session = _session(manners)
            _call(query, dataclasses.replace(manners, tries=1), rng, lambda: session.delete(url, allow_redirects=False))
        except DataError as error:
            _LOG.info("%s stays on the service until it expires: %s", url, error)
    state.unlink(missing_ok=True)


def _created(query: Query, state: Path, manners: Manners, rng: np.random.Generator, upload: Upload | None) -> Any:
    from pyvo.dal import AsyncTAPJob

    sent = {upload.name: _astropy(upload)} if upload else None

    def create() -> Any:
        job = AsyncTAPJob.create(query.url, query.adql, maxrec=query.max_rows, uploads=sent, session=_session(manners))
        if not job.job_id:
            raise TransientError(f"{job.url} is not a job")
        return job

    try:
        job = _call(query, manners, rng, create)
    except RefusedError as error:
        raise JobError(str(error)) from error
    manifest.sweep(state)
    with tables.whole(state) as part:
        part.write_text(json.dumps({"url": job.url, "question": _question(query, upload)}), encoding="utf-8")
    return job


def _reopened(query: Query, state: Path, manners: Manners, rng: np.random.Generator, upload: Upload | None) -> Any:
    """Job of an earlier process with the same question, or None."""
    from pyvo.dal import AsyncTAPJob

    saved = _saved(state)
    if saved.get("question") != _question(query, upload):
        return None
    try:
        job = _call(query, manners, rng, lambda: AsyncTAPJob(saved["url"], session=_session(manners)))
    except RefusedError:
        _LOG.warning("%s has expired: the query is sent again", saved["url"])
        return None
    phase = _phase(job, query, manners, rng)
    if phase not in (*_BUSY, "COMPLETED"):
        _LOG.warning("%s ended as %s: the query is sent again", saved["url"], phase)
        return None
    _LOG.info("going on with %s (%s)", saved["url"], phase)
    return job


def _wait(job: Any, query: Query, state: Path, manners: Manners, rng: np.random.Generator) -> str:
    start = said = time.monotonic()
    pause_s = manners.backoff_s
    while (phase := _phase(job, query, manners, rng)) in _BUSY:
        if phase == "PENDING":
            _start(job, query, manners, rng)
        waited = time.monotonic() - start
        if waited >= query.wait_s:
            raise UnavailableError(
                f"{query.service}: {job.url} is still {phase} after {waited:.0f} of {query.wait_s:.0f} s; its address "
                f"is kept in {state}: run again to go on waiting for it, or delete that file to ask anew"
            )
        if time.monotonic() - said >= _EVERY_S:
            said = time.monotonic()
            _LOG.info("%s is %s after %.0f of at most %.0f s", job.url, phase, waited, query.wait_s)
        time.sleep(min(pause_s, query.wait_s - waited))
        pause_s = min(pause_s * 1.5, _SLOWEST_POLL_S)
    return phase


def _start(job: Any, query: Query, manners: Manners, rng: np.random.Generator) -> None:
    """Start a job; a service that refuses because it has done so already (its answer was lost) is right."""
    try:
        _call(query, manners, rng, job.run)
    except RefusedError as error:
        if _phase(job, query, manners, rng) == "PENDING":
            raise JobError(str(error)) from error


def _phase(job: Any, query: Query, manners: Manners, rng: np.random.Generator) -> str:
    def look() -> str:
        phase = job.phase
        if phase not in _BUSY + _OVER:  # what pyvo makes of a page that is no job
            raise TransientError(f"{job.url} is in no known phase ({phase})")
        return str(phase)

    return _call(query, manners, rng, look)


def _call(query: Query, manners: Manners, rng: np.random.Generator, action: Callable[[], T]) -> T:
    """One exchange of pyvo with the service, in turn and with retries; pyvo has neither."""
    import requests
    import urllib3
    from pyvo.dal import DALServiceError

    def attempt(_: float) -> T:
        try:
            return action()
        except DALServiceError as error:
            response = getattr(error.cause, "response", None)
            if response is None:
                raise TransientError(str(error)) from error
            after = response.headers.get("Retry-After")
            raise retry.failure(response.status_code, response.text, after, "a job", query.url) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, ExpatError, ValueError) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error

    return retry.persist(attempt, f"{query.service}, a job", query.url, manners, rng)


def _session(manners: Manners) -> Any:
    """Session whose every request has our timeout: pyvo sends some without any and others with its own."""
    import requests

    session = requests.Session()
    send = session.request

    def request(method: str, url: str, **options: Any) -> Any:
        return send(method, url, **(options | {"timeout": manners.timeout_s}))

    session.request = request  # type: ignore[method-assign,assignment]
    return session


def _saved(state: Path) -> dict[str, Any]:
    try:
        saved: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return saved


def _question(query: Query, upload: Upload | None) -> list[list[str]]:
    origin = query.origin(upload)
    return [[origin.url, ""], *(list(pair) for pair in origin.parameters)]


def _astropy(upload: Upload) -> Any:
    """Upload as an astropy table; text as bytes, because not every service takes unicodeChar."""
    from astropy.table import MaskedColumn, Table

    columns = {}
    for name, values in zip(upload.rows.column_names, upload.rows.columns, strict=True):
        try:
            cells = [v.encode("ascii") if isinstance(v, str) else v for v in values.to_pylist()]
        except UnicodeEncodeError as error:
            raise DataError(
                f"column '{name}' of an upload holds {error.object!r}; only ASCII text can be sent"
            ) from error
        filler = next((cell for cell in cells if cell is not None), 0)
        filled = [filler if cell is None else cell for cell in cells]
        columns[name] = MaskedColumn(filled, mask=[cell is None for cell in cells])
    return Table(columns)

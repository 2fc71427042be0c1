"""Light curves by identifier, in batches: one file a batch, and for every identifier what became of it.

What is known lies in the files and their manifests alone: a run looks at them, and asks for the other identifiers
only. "The archive has no data" is an answer and is kept; "the archive did not answer" is a failure and is mended by
the next run, which begins where the last one gave up.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import progress, tables
from workflow_scripts.archives import answers, http, manifest
from workflow_scripts.archives.answers import Job, Source
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.retry import RefusedError, UnavailableError
from workflow_scripts.tables import Column, DataError, Table

_LOG = logging.getLogger(__name__)
_WORKERS = 2
_GIVE_UP_AFTER = 3  # batches in a row without one answer: the host is down, or refuses everything
_ONE_MAY_BE_BAD = (400, 404, 413, 414, 422)  # a refusal that may be due to one identifier, or to their number
_NOT_ASKED = "not asked for"
Failures = dict[str, UnavailableError | RefusedError]

STATUS = Table(
    "download_status",
    (
        Column("object_id", pa.string(), "", "identifier that was asked for", ucd="meta.id;meta.main"),
        Column(
            "status", pa.string(), "", "found, no_data (the archive has none) or failed (asked for by the next run)"
        ),
        Column("rows", pa.int32(), "", "rows found"),
        Column("reason", pa.string(), "", "why it failed", True),
    ),
)


@dataclass(frozen=True)
class Result:
    """Status of every identifier, in the order asked (STATUS), and the files with their rows (and maybe others')."""

    status: pa.Table
    files: tuple[Path, ...]

    def of(self, status: str) -> list[str]:
        """List the identifiers with a status."""
        chosen: list[str] = self.status.filter(pc.equal(self.status["status"], status))["object_id"].to_pylist()
        return chosen


def fetch(
    source: Source,
    ids: Sequence[str],
    folder: Path,
    manners: Manners,
    rng: np.random.Generator,
    shared: Path | None = None,
) -> Result:
    """Download the light curves of ids into folder, as far as they are not there, and write folder/status.parquet.

    The archive's own files go to the folder `shared`, which other jobs may use at the same time (default folder/files).
    Batches have the same members whatever is there already, so that a run that was killed ends with the same files.
    A batch that the archive refuses is halved until the culprit is alone. Raises DataError if answers lack a column,
    or if nothing at all is where it should be; what else goes wrong is a reason in the status, which `require` turns
    into an error.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) < len(ids):
        _LOG.warning("%s: %d of %d identifiers are duplicates", source.name, len(ids) - len(wanted), len(ids))
    known = set(_held(source, folder, wanted)[0])
    batches = [rest for batch in _batches(source, wanted) if (rest := [name for name in batch if name not in known])]
    job = Job(source, folder, shared or folder / "files", manners)
    reasons = _ask_all(job, _in_turn(batches, _asked_in_vain(folder)), rng)
    rows, files = _held(source, folder, wanted)
    _check_not_all_absent(job, list(rows), files, rng)
    columns = [(name, *_status(rows.get(name), reasons.get(name))) for name in wanted]
    status = pa.table([list(column) for column in zip(*columns, strict=True)] or [[]] * 4, schema=STATUS.schema)
    manifest.sweep(folder / "status.parquet")
    tables.write(status, folder / "status.parquet", STATUS)
    result = Result(status, tuple(files))
    totals = ", ".join(f"{len(result.of(kind))} {kind}" for kind in ("found", "no_data", "failed"))
    _LOG.info("%s: %d identifiers: %s", source.name, len(wanted), totals)
    return result


def require(source: Source, result: Result, folder: Path) -> None:
    """Raise DataError if any identifier failed: how many, why, where they are listed and how to go on."""
    failed = result.of("failed")
    if failed:
        reasons = Counter(filter(None, result.status["reason"].to_pylist())).most_common(3)
        why = "; ".join(f"{n} because {reason}" for reason, n in reasons)
        raise DataError(
            f"{source.name}: {len(failed)} of {len(result.status)} identifiers failed, such as '{failed[0]}': {why}; "
            f"all are listed in {folder / 'status.parquet'}; run again: only these are asked for"
        )


def _batches(source: Source, wanted: Sequence[str]) -> list[list[str]]:
    """Divide identifiers into those asked for together; a batch lies in one file of the archive."""
    groups: dict[str, list[str]] = {}
    for name in wanted:
        groups.setdefault(source.file(name) if source.file else "", []).append(name)
    return [group[i : i + source.batch] for group in groups.values() for i in range(0, len(group), source.batch)]


def _asked_in_vain(folder: Path) -> set[str]:
    """List the identifiers that the last run asked for and got no answer to."""
    try:
        rows = tables.read(folder / "status.parquet", STATUS)
    except DataError:  # there was no run, or its status is damaged: nothing but the order depends on it
        return set()
    failed = rows.filter(pc.equal(rows["status"], "failed"))
    asked = failed.filter(pc.invert(pc.starts_with(failed["reason"], _NOT_ASKED)))
    return set(asked["object_id"].to_pylist())


def _in_turn(batches: Sequence[list[str]], in_vain: Collection[str]) -> list[list[str]]:
    """Batches from the first that the last run did not come to: what fails in every run must not starve the others."""
    tried = [any(name in in_vain for name in batch) for batch in batches]
    start = next((i for i in range(len(batches)) if tried[i - 1] and not tried[i]), 0)
    return [*batches[start:], *batches[:start]]


def _ask_all(job: Job, batches: Sequence[Sequence[str]], rng: np.random.Generator) -> dict[str, str]:
    """Ask for all batches, two at a time; returns the identifiers that failed with the reason."""
    source = job.source
    reasons: dict[str, str] = {}
    in_vain = 0
    with ThreadPoolExecutor(_WORKERS) as pool:
        for part in progress.batches(len(batches), _WORKERS, f"batches of up to {source.batch} from {source.name}"):
            if in_vain >= _GIVE_UP_AFTER:
                why = f"{_NOT_ASKED}: {in_vain} batches in a row before it failed"
                reasons |= {name: why for batch in batches[part.start :] for name in batch}
                break
            streams = rng.spawn(part.stop - part.start)
            asked = [pool.submit(_ask, job, b, r) for b, r in zip(batches[part], streams, strict=True)]
            for batch, answer in zip(batches[part], asked, strict=True):
                failed = answer.result()
                reasons |= {name: str(error) for name, error in failed.items()}
                in_vain = in_vain + 1 if _in_vain(source, batch, failed) else 0
    return reasons


def _in_vain(source: Source, batch: Sequence[str], failed: Failures) -> bool:
    """Whether a batch shows the host to be down: a refusal of one identifier or file is about this thing alone."""
    of_one = len(batch) == 1 or source.file is not None
    refused = all(isinstance(error, RefusedError) and error.status in _ONE_MAY_BE_BAD for error in failed.values())
    return len(failed) == len(batch) and not (of_one and refused)


def _ask(job: Job, ids: Sequence[str], rng: np.random.Generator, halve: bool = True) -> Failures:
    source = job.source
    path = job.folder / f"{hashlib.sha256(chr(10).join(ids).encode()).hexdigest()[:16]}{source.answer_suffix}"
    try:
        answers.transfer(job, ids, path, rng)
    except UnavailableError as error:
        return dict.fromkeys(ids, error)
    except RefusedError as error:
        if error.status in source.absent:
            answers.write_empty(source, ids, path)
            return {}
        if len(ids) == 1 or not halve or error.status not in _ONE_MAY_BE_BAD:
            return dict.fromkeys(ids, error)
        left, right = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        failed = _ask(job, left, rng)
        # Where a whole half is refused, the fault is hardly with single identifiers: the host is spared the rest.
        return failed | _ask(job, right, rng, len(failed) < len(left) or len(left) == 1)
    return {}


def _check_not_all_absent(job: Job, ids: Sequence[str], files: Sequence[Path], rng: np.random.Generator) -> None:
    """Refuse "no data" for everything where that is what an archive says whose folders have moved, too."""
    source = job.source
    absent = source.absent and files and all(path.stat().st_size == 0 for path in files)
    if absent and not _landmark_is_there(job, ids[:1], rng):
        for path in files:
            manifest.remove(path)
        raise DataError(
            f"{source.name}: no data (HTTP status {source.absent[0]}) for all of {len(ids)} identifiers, such as "
            f"'{ids[0]}', expected at least one light curve; see whether {source.request(ids[:1]).url} is there: "
            "the identifiers are not the archive's, or its folders have moved and the plug-in must follow"
        )


def _landmark_is_there(job: Job, ids: Sequence[str], rng: np.random.Generator) -> bool:
    """Whether the archive has the landmark of an identifier; asked once, and kept as an answer."""
    request = job.source.landmark(ids) if job.source.landmark else _file_of_any_job(job)
    if request is None:
        return False
    try:
        http.fetch(request, job.folder / "landmark", job.manners, rng)
    except RefusedError as error:
        if error.status not in job.source.absent:
            raise
        return False
    return True


def _file_of_any_job(job: Job) -> http.Request | None:
    """Request for the smallest of the archive's own files that any job has got: where it is, nothing has moved."""
    places = job.shared.glob(f"*{manifest.SUFFIX}") if job.source.file else ()
    names = (place.name.removesuffix(manifest.SUFFIX) for place in places)
    found = [made for name in names if (made := manifest.read(job.shared / name))]
    if not found:
        return None
    origin = min(found, key=lambda made: (made.bytes, made.origin.url)).origin
    return http.Request(origin.service, origin.url, origin.parameters)


def _held(source: Source, folder: Path, wanted: Sequence[str]) -> tuple[dict[str, int], list[Path]]:
    """Rows of every identifier that the trusted files of the folder answer for, and those files."""
    rows: dict[str, int] = {}
    files, asked = [], set(wanted)
    for place in sorted(folder.glob(f"*{source.answer_suffix}{manifest.SUFFIX}")):
        path = place.with_name(place.name.removesuffix(manifest.SUFFIX))
        found = manifest.read(path)
        counts = dict(found.notes) if found else {}
        # Only the file's own identifiers are gone through: with all others' time would grow as the square of the list.
        if not any(name in asked for name in counts) or any(name in rows for name in counts):
            continue
        if manifest.trusted(path, source.request(list(counts)).origin):
            rows |= counts
            files.append(path)
    return rows, files


def _status(rows: int | None, reason: str | None) -> tuple[str, int, str | None]:
    if rows is None:
        return "failed", 0, reason or "its file is not whole"
    return ("found" if rows else "no_data"), rows, None

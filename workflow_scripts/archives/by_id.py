"""Light curves by identifier, in batches: one file a batch, and for every identifier what became of it.

What is known lies in the files and their manifests alone: a run looks at them, and asks for the other identifiers
only. "The archive has no data" is an answer and is kept; "the archive did not answer" is a failure and is mended by
the next run.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import progress, tables
from workflow_scripts.archives import checks, http, manifest
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.retry import RefusedError, TransientError, UnavailableError
from workflow_scripts.tables import Column, DataError, Table

_LOG = logging.getLogger(__name__)
_WORKERS = 2
_GIVE_UP_AFTER = 3  # batches in a row without one answer: the host is down, or refuses everything
_ONE_MAY_BE_BAD = (400, 404, 413, 414, 422)  # a refusal that may be due to one identifier, or to their number

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
class Source:
    """An archive that gives light curves by identifier.

    `request` makes the question for some identifiers, `read` turns the answer's file into a table (identifiers as
    text) that must have `columns`; `id` is the identifier's column, `unique` identify a row together.
    """

    name: str
    request: Callable[[Sequence[str]], http.Request]
    read: Callable[[Path], pa.Table]
    columns: tuple[str, ...]
    id: str
    unique: tuple[str, ...]
    suffix: str = ".csv"
    batch: int = 100


@dataclass(frozen=True)
class Result:
    """Status of every identifier, in the order asked (STATUS), and the files with their rows (and maybe others')."""

    status: pa.Table
    files: tuple[Path, ...]

    def of(self, status: str) -> list[str]:
        """List the identifiers with a status."""
        chosen: list[str] = self.status.filter(pc.equal(self.status["status"], status))["object_id"].to_pylist()
        return chosen


def fetch(source: Source, ids: Sequence[str], folder: Path, manners: Manners, rng: np.random.Generator) -> Result:
    """Download the light curves of ids into folder, as far as they are not there, and write folder/status.parquet.

    Batches have the same members whatever is there already, so that a run that was killed ends with the same files.
    A batch that the archive refuses is halved until the culprit is alone. Raises DataError if answers lack a column;
    whatever else goes wrong is a reason in the status, which `require` turns into an error.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) < len(ids):
        _LOG.warning("%s: %d of %d identifiers are duplicates", source.name, len(ids) - len(wanted), len(ids))
    known = set(_held(source, folder, wanted)[0])
    batches = [wanted[first : first + source.batch] for first in range(0, len(wanted), source.batch)]
    batches = [rest for batch in batches if (rest := [name for name in batch if name not in known])]
    reasons = _ask_all(source, batches, folder, manners, rng)
    rows, files = _held(source, folder, wanted)
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


def _ask_all(
    source: Source, batches: Sequence[Sequence[str]], folder: Path, manners: Manners, rng: np.random.Generator
) -> dict[str, str]:
    """Ask for all batches, two at a time; returns the identifiers that failed with the reason."""
    reasons: dict[str, str] = {}
    in_vain = 0
    with ThreadPoolExecutor(_WORKERS) as pool:
        for part in progress.batches(len(batches), _WORKERS, f"batches of up to {source.batch} from {source.name}"):
            if in_vain >= _GIVE_UP_AFTER:
                why = f"not asked for: {in_vain} batches in a row before it failed"
                reasons |= {name: why for batch in batches[part.start :] for name in batch}
                break
            streams = rng.spawn(part.stop - part.start)
            asked = [
                pool.submit(_ask, source, b, folder, manners, r) for b, r in zip(batches[part], streams, strict=True)
            ]
            for batch, answer in zip(batches[part], asked, strict=True):
                failed = answer.result()
                reasons |= failed
                in_vain = in_vain + 1 if len(failed) == len(batch) else 0
    return reasons


def _ask(
    source: Source, ids: Sequence[str], folder: Path, manners: Manners, rng: np.random.Generator, halve: bool = True
) -> dict[str, str]:
    path = folder / f"{hashlib.sha256(chr(10).join(ids).encode()).hexdigest()[:16]}{source.suffix}"
    counts: dict[str, int] = {}
    try:
        http.fetch(
            source.request(ids), path, manners, rng, count=lambda part: _count(source, ids, part, counts), notes=counts
        )
    except UnavailableError as error:
        return dict.fromkeys(ids, str(error))
    except RefusedError as error:
        if len(ids) == 1 or not halve or error.status not in _ONE_MAY_BE_BAD:
            return dict.fromkeys(ids, str(error))
        left, right = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        failed = _ask(source, left, folder, manners, rng)
        # Where a whole half is refused, the fault is hardly with single identifiers: the host is spared the rest.
        return failed | _ask(source, right, folder, manners, rng, len(failed) < len(left) or len(left) == 1)
    return {}


def _count(source: Source, ids: Sequence[str], part: Path, counts: dict[str, int]) -> int:
    """Check the answer; returns its rows, and in counts those of every identifier."""
    try:
        rows = source.read(part)
    except DataError as error:
        raise TransientError(str(error)) from error
    if problem := checks.missing_columns(rows.column_names, source.columns):
        raise DataError(f"{source.name}: {problem}; the archive has changed its format: its plug-in must follow")
    if problem := checks.unasked(rows, source.id, set(ids)) or checks.repeated(rows, source.unique):
        raise TransientError(problem)
    counts |= dict.fromkeys(ids, 0) | Counter(rows[source.id].to_pylist())
    return len(rows)


def _held(source: Source, folder: Path, wanted: Sequence[str]) -> tuple[dict[str, int], list[Path]]:
    """Rows of every identifier that the trusted files of the folder answer for, and those files."""
    rows: dict[str, int] = {}
    files = []
    for place in sorted(folder.glob(f"*{source.suffix}{manifest.SUFFIX}")):
        path = place.with_name(place.name.removesuffix(manifest.SUFFIX))
        found = manifest.read(path)
        counts = dict(found.notes) if found else {}
        if counts.keys().isdisjoint(wanted) or not counts.keys().isdisjoint(rows):
            continue
        if manifest.trusted(path, source.request(list(counts)).origin):
            rows |= counts
            files.append(path)
    return rows, files


def _status(rows: int | None, reason: str | None) -> tuple[str, int, str | None]:
    if rows is None:
        return "failed", 0, reason or "its file is not whole"
    return ("found" if rows else "no_data"), rows, None

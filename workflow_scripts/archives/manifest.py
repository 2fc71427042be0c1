"""Manifests: a downloaded file is trusted only with the JSON file beside it that says what it is and its sha256."""

import dataclasses
import datetime
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from workflow_scripts import digests, parquet, tables

Status = Literal["complete", "no_data"]
_LOG = logging.getLogger(__name__)
SUFFIX = ".manifest.json"


@dataclass(frozen=True)
class Origin:
    """What was asked, and of whom: another question makes another file."""

    service: str
    url: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A whole download: rows (None = not counted), size in bytes, sha256, UTC date, and notes that identify nothing."""

    origin: Origin
    rows: int | None
    bytes: int
    sha256: str
    date: str
    status: Status
    notes: Mapping[str, Any] = field(default_factory=dict)


def place(path: Path) -> Path:
    """Where the manifest of a file lies."""
    return path.with_name(f"{path.name}{SUFFIX}")


def write(path: Path, origin: Origin, rows: int | None, notes: Mapping[str, Any] | None = None) -> Manifest:
    """Write the manifest of a file that has its final name; no rows means status `no_data`."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    status: Status = "no_data" if rows == 0 else "complete"
    made = Manifest(origin, rows, path.stat().st_size, digests.of_file(path), date, status, dict(notes or {}))
    with tables.whole(place(path)) as part:
        part.write_text(json.dumps(dataclasses.asdict(made), indent=1) + "\n", encoding="utf-8")
    return made


def read(path: Path) -> Manifest | None:
    """Manifest of a file, or None where there is none that can be read."""
    try:
        values = json.loads(place(path).read_text(encoding="utf-8"))
        asked = values.pop("origin")
        parameters = tuple((str(name), str(value)) for name, value in asked["parameters"])
        return Manifest(Origin(asked["service"], asked["url"], parameters), **values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _LOG.warning("%s cannot be read (%s): its file is asked for again", place(path), error)
        return None


def trusted(path: Path, origin: Origin) -> Manifest | None:
    """Manifest of a file that is there, whole, and the answer to this question; None if it must be asked for (again).

    Why a file that is there is not trusted goes to the log.
    """
    if not path.is_file():
        return None
    found = read(path)
    reason = _distrust(path, origin, found)
    if reason:
        _LOG.warning("%s is asked for again: %s", path, reason)
    return None if reason else found


def remove(path: Path) -> None:
    """Remove a download: the manifest first, so that nothing is ever trusted by half."""
    place(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what killed writers of a file and of its manifest left beside them."""
    for target in (path, place(path)):
        parquet.sweep(target)


def _distrust(path: Path, origin: Origin, found: Manifest | None) -> str:
    if found is None:
        return "it has no manifest, so it may not be whole"
    if found.origin != origin:
        return f"it answers another question ({found.origin}, now {origin})"
    if path.stat().st_size != found.bytes:
        return f"it has {path.stat().st_size} bytes, its manifest says {found.bytes}"
    if (sha256 := digests.of_file(path)) != found.sha256:
        return f"its sha256 is {sha256}, its manifest says {found.sha256}"
    return ""

"""One file from a web server: verified, whole, with its manifest, or not at all."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from workflow_scripts import tables
from workflow_scripts.archives import manifest, retry
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.manifest import Manifest, Origin
from workflow_scripts.archives.retry import TransientError
from workflow_scripts.tables import DataError

_LOG = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 16
_EVERY_S = 10.0
_HTML = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml.*?\?>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_HTML_END = re.compile(rb"</html>\s*$", re.IGNORECASE)
_VOTABLE_END = re.compile(rb"</(\w+:)?VOTABLE>\s*$")
_AGENT = "variable-sky (astronomical workflow; python-requests)"

Count = Callable[[Path], int | None]


@dataclass(frozen=True)
class Request:
    """One question to a server: `uploads` are files of a form (name, content); html = an HTML page is a fair answer."""

    service: str
    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    method: Literal["GET", "POST"] = "GET"
    uploads: tuple[tuple[str, bytes], ...] = ()
    html: bool = False

    @property
    def origin(self) -> Origin:
        """What the manifest says of the question; files of the form by their sha256."""
        sent = tuple((name, f"sha256 {hashlib.sha256(content).hexdigest()}") for name, content in self.uploads)
        return Origin(self.service, self.url, self.parameters + sent)


@dataclass(frozen=True)
class Digests:
    """What the bytes of a file must hash to, where that is published."""

    sha256: str = ""
    md5: str = ""


_NOT_PUBLISHED = Digests()


@dataclass(frozen=True)
class _Body:
    kind: str
    sha256: str
    md5: str
    ended: bool  # the protocol says where the body ends: a length, or chunks with a last one


def fetch(
    request: Request,
    path: Path,
    manners: Manners,
    rng: np.random.Generator,
    *,
    count: Count | None = None,
    digests: Digests = _NOT_PUBLISHED,
    notes: Mapping[str, Any] | None = None,
) -> Manifest:
    """Download the answer to a request as path, unless it is there already and its manifest and sha256 agree.

    Checked are status, length, that it is no HTML page, digests where given, and the content by count(path), which
    returns the number of rows (0 = the host has no data, which is a result; None = not counted) and raises
    TransientError for what may have been cut or mixed up, DataError for what will not change; it may fill `notes`,
    which go to the manifest. A body whose end neither the protocol nor its own format marks is taken only when a
    second try brings the same bytes. Raises RefusedError, UnavailableError or another DataError.
    """
    origin = _with_digests(request.origin, digests)
    if done := manifest.trusted(path, origin):
        return done
    manifest.sweep(path)
    seen: set[str] = set()
    what = f"{request.service}, {path.name}"

    def attempt(deadline: float) -> int | None:
        with tables.whole(path) as part:
            body = _receive(request, part, what, manners, deadline)
            _check_content(request, part, body)
            _check_digests(request, body, digests, seen)
            _check_end(request, part, body, digests, seen)
            return count(part) if count else None

    rows = retry.persist(attempt, what, request.url, manners, rng)
    made = manifest.write(path, origin, rows, notes)
    _LOG.debug("%s: %s rows, %d bytes, %s", what, rows, made.bytes, made.status)
    return made


def ends_itself(path: Path) -> bool:
    """Whether a file has a format with an end of its own (VOTable, Parquet) and is there to that end."""
    with path.open("rb") as file:
        head = file.read(4)
    tail = _tail(path)
    return head == tail[-4:] == b"PAR1" or bool(_VOTABLE_END.search(tail))


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 64, 0))
        return file.read()


def _with_digests(origin: Origin, digests: Digests) -> Origin:
    stated = tuple((name, value) for name, value in vars(digests).items() if value)
    return Origin(origin.service, origin.url, origin.parameters + stated)


def _receive(request: Request, part: Path, what: str, manners: Manners, deadline: float) -> _Body:
    """Send the request and write the body of its answer to part."""
    import requests
    import urllib3

    in_url = request.method == "GET"
    try:
        with requests.request(
            request.method,
            request.url,
            params=request.parameters if in_url else None,
            data=None if in_url else request.parameters,
            files=[(name, (name, content)) for name, content in request.uploads] or None,
            headers={"Accept-Encoding": "identity", "User-Agent": _AGENT},
            timeout=manners.timeout_s,
            stream=True,
        ) as response:
            if response.status_code != 200:
                said = response.raw.read1(4096, decode_content=True).decode("utf-8", "replace")
                after = response.headers.get("Retry-After")
                raise retry.failure(response.status_code, said, after, what, request.url)
            with part.open("wb") as file:
                return _stream(response, file, deadline)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        if isinstance(error, ValueError):
            raise DataError(f"{request.service}: {request.url!r} cannot be asked: {error}; correct the URL") from error
        raise TransientError(f"{type(error).__name__}: {error}") from error


def _stream(response: Any, file: IO[bytes], deadline: float) -> _Body:
    """Write the body as it arrives; silence ends in a timeout of the socket, dripping at the deadline."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    received, start = 0, time.monotonic()
    said, stated = start, response.headers.get("Content-Length")
    while data := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        file.write(data)
        sha256.update(data)
        md5.update(data)
        received, now = received + len(data), time.monotonic()
        if now > deadline:
            raise TransientError(
                f"only {received} bytes came before the time allowed was over, expected {stated or 'an end'}"
            )
        if now - said >= _EVERY_S:
            said = now
            left = f"{(now - start) / received * (int(stated) - received):.0f} s left" if stated else "size unknown"
            _LOG.info("%s: %.1f MB of %.1f, %s", response.url, received / 1e6, int(stated or 0) / 1e6, left)
    on_wire = response.raw.tell()
    if stated and on_wire != int(stated):
        raise TransientError(f"{on_wire} bytes came, expected {stated} (Content-Length)")
    kind = response.headers.get("Content-Type", "")
    return _Body(kind, sha256.hexdigest(), md5.hexdigest(), bool(stated) or response.raw.chunked)


def _check_content(request: Request, part: Path, body: _Body) -> None:
    with part.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise TransientError("the answer is empty (0 bytes); even no data has a header")
    if not request.html and (_HTML.match(head) or body.kind.startswith("text/html")):
        raise TransientError(
            f"the answer is an HTML page, expected data; it says: {retry.quoted(head.decode(errors='replace'))}"
        )


def _check_digests(request: Request, body: _Body, digests: Digests, seen: set[str]) -> None:
    for name, expected in vars(digests).items():
        found = getattr(body, name)
        if expected and found != expected.lower():
            reason = f"{name} of the answer is {found}, expected {expected}"
            if body.sha256 in seen:
                raise DataError(
                    f"{request.url}: {reason}, twice the same: it is not the file that was published under this "
                    "digest; find out which one is right"
                )
            seen.add(body.sha256)
            raise TransientError(reason)


def _check_end(request: Request, part: Path, body: _Body, digests: Digests, seen: set[str]) -> None:
    # A page may be another one each time, such as one with a new link, so that no two tries bring the same.
    itself = ends_itself(part) or (request.html and bool(_HTML_END.search(_tail(part))))
    if body.ended or any(vars(digests).values()) or itself or body.sha256 in seen:
        return
    seen.add(body.sha256)
    raise TransientError(
        "nothing marks the end of the answer, so it may be cut: asked once more to compare", pause_s=0.0
    )

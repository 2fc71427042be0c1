"""Archives on this machine: a real server on a socket that makes answers up from small tables, and fails on command.

A test gives an `answer` function (asked -> answer) and a script of faults, one for each request in turn.
"""

import csv
import io
import os
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

HTML = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>We are back on Monday.</body></html>"
DRIP_S = 0.05

# What goes wrong on the way. Faults of the content (wrong rows and so on) are the business of the answer functions.
Kind = Literal["none", "status", "reset", "cut", "slow", "stall", "silent", "html", "empty", "content"]


@dataclass(frozen=True)
class Fault:
    """One request's fate: a status to answer with, or the share of the body that arrives before the fault."""

    kind: Kind = "none"
    status: int = 500
    retry_after: str | None = None
    share: float = 0.5
    what: str = ""


FINE = Fault()
RESET = Fault("reset")
CUT = Fault("cut")
SLOW = Fault("slow")
STALL = Fault("stall")
SILENT = Fault("silent")
PAGE = Fault("html")
EMPTY = Fault("empty")


def status(code: int, retry_after: str | None = None) -> Fault:
    return Fault("status", code, retry_after)


def content(what: str) -> Fault:
    """A fault that the answer function makes: `asked.fault` tells it."""
    return Fault("content", what=what)


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    files: Mapping[str, bytes]
    headers: Mapping[str, str]
    when: float
    fault: str = ""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.parameters if key.upper() == name.upper()]

    def one(self, name: str) -> str:
        return self.all(name)[-1] if self.all(name) else ""


@dataclass(frozen=True)
class Answer:
    """A response; framing says how its end is marked: by a length, by chunks, or by closing the connection."""

    body: bytes
    kind: str = "text/csv"
    status: int = 200
    framing: Literal["length", "chunked", "close"] = "length"
    headers: Mapping[str, str] = field(default_factory=dict)


Answerer = Callable[[Asked], Answer]


class Archive(ThreadingHTTPServer):
    """A server in threads; `asked` is what came in, `most_at_once` how many requests were being answered together."""

    daemon_threads = True

    def __init__(self, answer: Answerer, faults: Iterable[Fault] = (), hold_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.hold_s = answer, hold_s
        self.faults = list(faults)
        self.asked: list[Asked] = []
        self.most_at_once = self._now = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def begin(self, asked: Asked) -> tuple[Asked, Fault]:
        with self._lock:
            fault = self.faults.pop(0) if self.faults else FINE
            asked = Asked(**(vars(asked) | {"fault": fault.what}))
            self.asked.append(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        return asked, fault

    def end(self) -> None:
        with self._lock:
            self._now -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: no waiting for acknowledgements
    disable_nagle_algorithm = True
    server: Archive

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        asked, fault = self.server.begin(self._asked())
        try:
            if self.server.hold_s:
                time.sleep(self.server.hold_s)
            self._answer(asked, fault)
        finally:
            self.server.end()

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815  names that http.server looks for

    def _asked(self) -> Asked:
        address = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        parameters, files = urllib.parse.parse_qsl(address.query, keep_blank_values=True), {}
        if kind.startswith("multipart/form-data"):
            fields, files = _multipart(body, kind)
            parameters += fields
        else:
            parameters += urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
        headers = dict(self.headers.items())
        return Asked(self.command, address.path, tuple(parameters), files, headers, time.monotonic())

    def _answer(self, asked: Asked, fault: Fault) -> None:
        if fault.kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(
                Answer(b"<html>the server is <b>tired</b></html>", "text/html", fault.status, headers=headers), 1.0
            )
        elif fault.kind == "html":
            self._send(Answer(HTML, "text/html"), 1.0)
        elif fault.kind == "silent":
            self.server.closing.wait()
        else:
            answer = self.server.answer(asked)
            if fault.kind == "empty":
                answer = Answer(b"", answer.kind, framing=answer.framing)
            cut = fault.kind in ("cut", "reset", "stall")
            self._send(answer, fault.share if cut else 1.0, drip=fault.kind == "slow")
            if fault.kind == "stall":
                self.server.closing.wait()
            if fault.kind == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                os.close(self.connection.detach())

    def _send(self, answer: Answer, share: float, drip: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.framing == "length":
            self.send_header("Content-Length", str(len(answer.body)))
        elif answer.framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        if answer.framing == "close" or share < 1.0:
            self.close_connection = True
        self.end_headers()
        body = answer.body[: int(len(answer.body) * share)]
        for piece in _pieces(body, 1 if drip else 4096):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.framing == "chunked" else piece)
            if drip:
                self.wfile.flush()
            if drip and self.server.closing.wait(DRIP_S):
                return
        if answer.framing == "chunked" and share == 1.0:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _pieces(body: bytes, size: int) -> list[bytes]:
    return [body[first : first + size] for first in range(0, len(body), size)]


def _multipart(body: bytes, kind: str) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """Fields and files of a form."""
    import email.parser
    import email.policy

    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields, files = [], {}
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename() is None:
            fields.append((name, content.decode()))
        else:
            files[name] = content
    return fields, files


# Archives


def file(body: bytes, **options: object) -> Answerer:
    """A server that has one file."""
    return lambda _: Answer(body, **options)


# The 24 columns of the light-curve service of IRSA.
IRSA_COLUMNS = [
    *("oid", "expid", "hjd", "mjd", "mag", "magerr", "catflags", "filtercode", "ra", "dec", "chi", "sharp"),
    *("filefracday", "field", "ccdid", "qid", "limitmag", "magzp", "magzprms", "clrcoeff", "clrcounc", "exptime"),
    *("airmass", "programid"),
]


def irsa_row(oid: str, number: int) -> dict[str, object]:
    """One point of a light curve, in the digits of the service."""
    mjd = 58242.4924769 + 3.1 * number
    row = dict.fromkeys(IRSA_COLUMNS, "0")
    return row | {
        "oid": oid,
        "expid": 48849247 + number,
        "hjd": f"{mjd + 2400000.5:.10f}",
        "mjd": f"{mjd:.12f}",
        "mag": f"{14.2 + 0.01 * (number % 7):.7f}",
        "magerr": "0.0109380763",
        "filtercode": "zg",
        "ra": "299.53534930000000",
        "dec": "33.733038900000000",
        "programid": 1,
    }


def irsa(
    points: Mapping[str, int | Sequence[Mapping[str, object]]], refused: Iterable[str] = (), framing: str = "length"
) -> Answerer:
    """Light-curve service of IRSA: CSV with the rows of every ID asked for; points = number of rows, or the rows.

    An ID in `refused` turns the whole request down. Content faults: wrong_rows, duplicate_rows, missing_column, no_id.
    """
    rows = {
        oid: [irsa_row(oid, i) for i in range(value)] if isinstance(value, int) else list(value)
        for oid, value in points.items()
    }

    def answer(asked: Asked) -> Answer:
        ids = asked.all("ID")
        if bad := set(ids) & set(refused):
            return Answer(f"ERROR: {sorted(bad)} is not a valid ID".encode(), "text/plain", 400)
        found = [dict(row) for oid in ids for row in rows.get(oid, [])]
        columns = list(IRSA_COLUMNS)
        if asked.fault == "wrong_rows":
            found += [irsa_row("999", 0)]
        elif asked.fault == "duplicate_rows":
            found += found[:1]
        elif asked.fault == "missing_column":
            columns.remove("magerr")
        elif asked.fault == "no_id":
            found[0]["oid"] = ""
        return Answer(csv_text(columns, found), "text/csv; charset=UTF-8", framing=framing)

    return answer


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()

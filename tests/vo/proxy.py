"""Between clients and DaCHS: names of production tables, faults, and the start of jobs as TapPlus wants it."""

import re
import sys
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

sys.path.append(str(Path(__file__).parents[1] / "archives"))
import loopback
from loopback import Answer, Asked

_KEPT = ("Location", "Retry-After")
_FORMATS = {"votable_gzip": "votable", "votable_plain": "votable"}  # what astroquery asks for, as DaCHS calls it


@dataclass
class Proxy:
    """An answer function for loopback.Archive, whose faults it inherits.

    upstream = URL of the server (without /tap), names = table as clients ask for it: table there. Any path up to the
    last /sync or /async leads to the one TAP service: archives have theirs in different places.
    """

    upstream: str
    names: Mapping[str, str]
    url: str = ""

    def __call__(self, asked: Asked) -> Answer:
        path = re.sub(r"^.*/(sync|async|tables|availability|capabilities)\b", r"/tap/\1", asked.path)
        parameters = [(name, self._value(name, value)) for name, value in asked.parameters]
        answer = self._forward(asked.method, path, parameters, asked.files)
        if asked.method == "POST" and path == "/tap/async" and ("PHASE", "RUN") in asked.parameters:
            self._forward(
                "POST", f"{urllib.parse.urlsplit(answer.headers['Location']).path}/phase", [("PHASE", "RUN")], {}
            )
        return self._answer(answer, asked.path, path)

    def _value(self, name: str, value: str) -> str:
        if name.upper() == "QUERY":
            for theirs, ours in self.names.items():
                value = value.replace(theirs, ours)
        return _FORMATS.get(value, value) if name.upper() in ("FORMAT", "RESPONSEFORMAT") else value

    def _forward(
        self, method: str, path: str, parameters: list[tuple[str, str]], files: Mapping[str, bytes]
    ) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"{self.upstream}{path}",
                params=parameters if method == "GET" else None,
                data=parameters if method != "GET" else None,
                files={name: (name, content) for name, content in files.items()} or None,
                allow_redirects=False,
                timeout=60,
            )

    def _answer(self, answer: requests.Response, asked: str, path: str) -> Answer:
        """What the server says, with our address in place of its own."""
        ours = f"{self.url}{asked.removesuffix(path.removeprefix('/tap'))}"
        headers = {name: self._moved(answer.headers[name], ours) for name in _KEPT if name in answer.headers}
        body = self._moved(answer.content.decode("latin-1"), ours).encode("latin-1")
        return Answer(body, answer.headers.get("Content-Type", "text/plain"), answer.status_code, headers=headers)

    def _moved(self, text: str, ours: str) -> str:
        for place in ("/__system__/tap/run", "/tap"):
            text = text.replace(f"{self.upstream}{place}", ours)
        return text


class Handler(loopback._Handler):
    """Reads forms of TapPlus too, whose boundary has signs that it should put in quotes."""

    def _asked(self) -> Asked:
        kind = self.headers.get("Content-Type", "")
        if 'boundary="' not in kind:
            del self.headers["Content-Type"]
            self.headers["Content-Type"] = re.sub(r"boundary=(.+)$", r'boundary="\1"', kind)
        return super()._asked()

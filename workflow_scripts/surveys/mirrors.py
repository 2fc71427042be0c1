"""Other addresses for the archives, as the configuration gives them: a mirror, or a server that stands in for one."""

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from workflow_scripts.archives.http import Request
from workflow_scripts.archives.query import Query

T = TypeVar("T", Request, Query)


def mirrored(asked: T, mirrors: Mapping[str, str]) -> T:
    """Question with the address of its mirror; mirrors = {base URL of the archive: base URL to ask instead}."""
    return dataclasses.replace(asked, url=address(asked.url, mirrors))


def address(url: str, mirrors: Mapping[str, str]) -> str:
    """URL with the longest base that has a mirror replaced by it; a base ends where a part of the path ends."""
    known = [base for base in mirrors if f"{url}/".startswith(f"{base.rstrip('/')}/")]
    if not known:
        return url
    base = max(known, key=len)
    return mirrors[base].rstrip("/") + url[len(base.rstrip("/")) :]

"""Try again, politely and not for ever: what another try may mend, and what it will not."""

import datetime
import email.utils
import logging
import re
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from workflow_scripts.archives import hosts
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.tables import DataError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_QUOTED = 300  # characters of a host's own words in a message
_PASSING = (408, 425, 429)  # too slow, too early, too many: another try may do


class TransientError(Exception):
    """One try failed in a way that another one may mend; it never leaves this package."""

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        """Say why, and the pause [s] that is due before the next try where that is known."""
        super().__init__(reason)
        self.pause_s = pause_s


class RefusedError(DataError):
    """The host understood and said no (HTTP 4xx): asking again does not help."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the HTTP status beside the message."""
        super().__init__(message)
        self.status = status


class UnavailableError(DataError):
    """The host did not give a whole answer within the tries and the time allowed."""


def persist(ask: Callable[[float], T], what: str, url: str, manners: Manners, rng: np.random.Generator) -> T:
    """Call ask(deadline) in the host's turn until it returns, again after each TransientError.

    Raises UnavailableError when tries or budget are used up: host, what was tried, how often, why it failed last.
    """
    host = hosts.name(url)
    start = time.monotonic()
    deadline = start + manners.budget_s
    tried, reason = 0, ""
    while tried < manners.tries:
        try:
            with hosts.turn(host, manners, deadline):
                tried += 1
                return ask(deadline)
        except TimeoutError as error:
            reason = f"{error}; before that: {reason}" if reason else str(error)
            break
        except TransientError as error:
            reason = str(error)
            pause_s = _pause(error, tried, manners, rng)
            if error.pause_s:
                hosts.hold(host, manners, error.pause_s)
            if tried == manners.tries or time.monotonic() + pause_s > deadline:
                break
            _LOG.warning("%s: %s: %s; try %d of %d in %.1f s", host, what, reason, tried + 1, manners.tries, pause_s)
            time.sleep(pause_s)
    raise UnavailableError(
        f"{host}: {what}: not obtained in {tried} of {manners.tries} tries and {time.monotonic() - start:.0f} of "
        f"{manners.budget_s:.0f} s; the last failed because {reason}. What was obtained before is kept: see whether "
        f"{url} answers, then run again"
    )


def failure(status: int, body: str, retry_after: str | None, what: str, url: str) -> TransientError | RefusedError:
    """Exception for an HTTP status that is not 200: RefusedError for 4xx but _PASSING, TransientError else."""
    said = quoted(body)
    if 400 <= status < 500 and status not in _PASSING:
        return RefusedError(
            f"{hosts.name(url)}: {what}: HTTP status {status}, expected 200; the host says: {said}. Asking again does "
            f"not help: correct what is asked of {url}",
            status,
        )
    pause_s = pause_wanted(retry_after)
    wish = f" (it asks for a pause of {pause_s:g} s)" if pause_s else ""
    return TransientError(f"HTTP status {status}{wish}: {said}", pause_s)


def pause_wanted(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as number or date; None if it says nothing that can be read."""
    if not retry_after:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", retry_after):
        return float(retry_after)
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=datetime.UTC)
    return max((when - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)


def quoted(body: str) -> str:
    """Beginning of what a host says, without its tags."""
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", body, flags=re.DOTALL | re.IGNORECASE)
    return " ".join(text.split())[:_QUOTED] or "nothing"


def _pause(error: TransientError, tried: int, manners: Manners, rng: np.random.Generator) -> float:
    if error.pause_s is not None:
        return error.pause_s + manners.backoff_s * float(rng.uniform(0.0, 1.0))
    return min(manners.backoff_s * 2.0 ** (tried - 1), manners.longest_pause_s) * float(rng.uniform(0.5, 1.5))

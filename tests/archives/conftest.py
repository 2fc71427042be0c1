"""What the tests of the archives share."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from loopback import Answerer, Archive, Fault

from workflow_scripts.archives.hosts import Manners

Serve = Callable[..., Archive]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to this machine go straight to it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manners(tmp_path: Path) -> Manners:
    """Impatient manners: no interval, pauses of milliseconds."""
    return Manners(
        at_once=2,
        interval_s=0.0,
        timeout_s=5.0,
        tries=4,
        backoff_s=0.002,
        longest_pause_s=0.02,
        budget_s=20.0,
        locks=tmp_path / "locks",
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start archives that end with the test."""
    started: list[Archive] = []

    def start(answer: Answerer, faults: Iterable[Fault] = (), hold_s: float = 0.0) -> Archive:
        started.append(Archive(answer, faults, hold_s))
        return started[-1]

    yield start
    for archive in started:
        archive.close()

"""A real VO server with real rows, under the names that the archives have; skipped where it cannot be had."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import dachs
import debian
import numpy as np
import pyarrow as pa
import pytest
from proxy import Handler, Proxy
from real_rows import place, rows
from workspace import REAL_DATA

from workflow_scripts.archives.hosts import Manners

sys.path.append(str(Path(__file__).parents[1] / "archives"))
from loopback import Archive


@pytest.fixture(scope="session")
def real_rows() -> dict[str, pa.Table]:
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real survey data: {REAL_DATA} does not exist")
    return rows()


@pytest.fixture(scope="session")
def server(real_rows: dict[str, pa.Table]) -> Iterator[str]:
    """URL of DaCHS, which serves the real rows."""
    tables = []
    for name, table in real_rows.items():
        schema, short = place(name).split(".")
        ra, dec = ("ra", "dec") if "ra" in table.column_names else ("RAJ2000", "DEJ2000")
        tables.append(dachs.Service(schema, short, table, ra, dec))
    try:
        with dachs.serving(tables) as (url, times):
            logging.getLogger(__name__).info("DaCHS: %s", ", ".join(f"{k} {v:.1f} s" for k, v in times.items()))
            yield url.removesuffix("/tap")
    except debian.NotInstallableError as error:
        pytest.skip(f"no real VO server: {error}")


@pytest.fixture
def archive(server: str, real_rows: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """The server behind the proxy; faults go into archive.faults."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxy = Proxy(server, {name: place(name) for name in real_rows if "/" in name})
    started = Archive(proxy)
    started.RequestHandlerClass = Handler
    proxy.url = started.url
    yield started
    started.close()


@pytest.fixture
def manners(tmp_path: Path) -> Manners:
    return Manners(interval_s=0.0, timeout_s=30.0, tries=4, backoff_s=0.05, budget_s=120.0, locks=tmp_path / "locks")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(17)

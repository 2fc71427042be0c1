"""Do the public archives still have the tables, columns, files and light curves that the plug-ins ask for?

`pytest -m online` asks each for one row; it needs a network, and is left out everywhere else. What it asks with is
exercised without a network against archives on this machine.
"""

import dataclasses
import gzip
import sys
import zlib
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pytest
import requests

from workflow_scripts import counterparts
from workflow_scripts.archives import query as queries
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.archives.retry import RefusedError
from workflow_scripts.dust import BAYESTAR19
from workflow_scripts.surveys import download_curves, registry
from workflow_scripts.surveys.catalogue import Files
from workflow_scripts.surveys.download_curves import Wish
from workflow_scripts.tables import DataError

sys.path.append(str(Path(__file__).parents[1] / "archives"))
sys.path.append(str(Path(__file__).parents[1] / "workflow"))
from loopback import Answer, Archive
from loopback_tap import Column, Tap
from stand_in import Catalogues, Star, gaia

HEAD_BYTES = 1 << 16
TABLES = [name for name in registry.offers()["catalogue"] if isinstance(registry.load(name).catalogue.origin, Query)]
FILES = {
    f"{name} {request.url}": (name, request)
    for name in registry.offers()["catalogue"]
    if isinstance(origin := registry.load(name).catalogue.origin, Files)
    for request in origin.requests
}
# A star that each archive of light curves has: an RR Lyrae star of the Catalina surveys and of ZTF, a Cepheid of OGLE,
# a variable of MACHO.
RR_LYRAE = ("CSS_J132708.3+384442", 201.784583, 38.745)
STARS = {
    "crts": RR_LYRAE,
    "ztf": RR_LYRAE,
    "ztf_bulk": RR_LYRAE,
    "ogle": ("OGLE-LMC-CEP-0001", 67.7405, -69.060389),
    "macho": ("1.3441.25", 75.0, -69.0),
}


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def one_row(query: Query, manners: Manners, rng: np.random.Generator) -> pa.Table:
    """First row of the query's answer, with every check; raises DataError if there is none."""
    first = query.adql.replace("SELECT", "SELECT TOP 1", 1)
    answer = queries.sync(query, first, 10, manners, rng)
    rows = queries.checked(answer, dataclasses.replace(query, unique=(), max_rows=10), None, None)
    if rows.num_rows != 1:
        raise DataError(f"{rows.num_rows} rows came from {query.service}, expected one. The query was: {first}")
    return rows


def check_place(rows: pa.Table) -> None:
    ra, dec = rows["ra_deg"][0].as_py(), rows["dec_deg"][0].as_py()
    assert 0 <= ra < 360
    assert -90 <= dec <= 90


def head(url: str, path: Path) -> None:
    """Whole lines of the beginning of a text file, compressed by gzip or not."""
    with requests.get(url, timeout=60, stream=True, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        start = next(answer.iter_content(HEAD_BYTES))
    if start[:2] == b"\x1f\x8b":
        start = zlib.decompressobj(wbits=31).decompress(start)
    lines = start.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1] if len(lines) > 1 else lines))


def check_counterparts(query: Query, folder: Path, manners: Manners, rng: np.random.Generator) -> None:
    name, ra, dec = RR_LYRAE
    stars = pa.table({"object_id": [name], "ra_deg": [ra], "dec_deg": [dec]})
    candidates = counterparts.fetch(stars, query, folder / "gaia.parquet", manners, rng)
    (star,) = counterparts.choose(stars, candidates, 2016.0, 1.5).to_pylist()
    assert star["source_id"] is not None
    assert star["g_mag"] == pytest.approx(15, abs=5)


def check_hdf5(url: str) -> None:
    with requests.get(url, timeout=60, stream=True) as answer:
        answer.raise_for_status()
        assert next(answer.iter_content(8)) == b"\x89HDF\r\n\x1a\n"


@pytest.mark.online
@pytest.mark.parametrize("name", TABLES)
def test_archive_has_the_table(name, rng):
    survey = registry.load(name)
    rows = one_row(survey.catalogue.origin, survey.manners, rng)
    assert set(rows.column_names) == set(survey.catalogue.origin.columns)
    check_place(rows)


@pytest.mark.online
@pytest.mark.parametrize("key", FILES)
def test_archive_has_the_file(key, tmp_path):
    name, request = FILES[key]
    head(request.url, tmp_path / "head")
    check_place(registry.load(name).catalogue.origin.read(tmp_path / "head"))


@pytest.mark.online
@pytest.mark.parametrize("name", STARS)
def test_archive_has_light_curves(name, tmp_path, rng):
    star, ra, dec = STARS[name]
    targets = pa.table({"object_id": [star], "ra_deg": [ra], "dec_deg": [dec]})
    wish = Wish(registry.load(name), (), 1.5)
    found = download_curves.download(targets, wish, tmp_path / "own", tmp_path / "shared", rng)
    assert found.status["status"].to_pylist() == ["found"]
    assert found.light_curves.num_rows >= 1
    assert len(found.light_curves["time"][0].as_py()) > 10


@pytest.mark.online
def test_archive_has_counterparts(tmp_path, rng):
    """Gaia's sources with its tables of best neighbours in 2MASS and AllWISE."""
    check_counterparts(counterparts.query(1.5, 2016.0), tmp_path, Manners(), rng)


@pytest.mark.online
def test_archive_has_the_dust_map():
    check_hdf5(f"{BAYESTAR19.url}?{urlencode(BAYESTAR19.parameters)}")


# Without a network


def test_every_catalogue_and_every_archive_is_asked():
    assert set(TABLES) | {name for name, _ in FILES.values()} == set(registry.offers()["catalogue"])
    assert set(STARS) == set(registry.offers()["archive"])
    assert not set(TABLES) & {name for name, _ in FILES.values()}


@pytest.fixture
def manners(tmp_path):
    return Manners(interval_s=0.0, timeout_s=5.0, tries=2, backoff_s=0.01, budget_s=20.0, locks=tmp_path / "locks")


@pytest.fixture
def serve(monkeypatch):
    """Start archives that end with the test."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    started = []

    def start(answer):
        started.append(Archive(answer))
        return started[-1].url

    yield start
    for archive in started:
        archive.close()


class First(Tap):
    """A service that knows TOP, which SQLite does not."""

    def _run(self, adql, *rest):
        return super()._run(adql.replace("SELECT TOP 1", "SELECT") + " LIMIT 1" * ("TOP 1" in adql), *rest)


def stand_in(query: Query, url: str) -> Query:
    return dataclasses.replace(query, url=f"{url}/tap", source="stars")


@pytest.mark.parametrize("name", TABLES)
def test_table_of_a_stand_in_answers_with_one_row(name, serve, manners, rng):
    query = registry.load(name).catalogue.origin
    names = {text.strip('"').rpartition(".")[2] for text in query.columns.values()}
    table = {text: Column([1.0, 2.0, 3.0]) for text in names}
    plain = {ours: f'"{text.strip(chr(34)).rpartition(".")[2]}"' for ours, text in query.columns.items()}
    rows = one_row(dataclasses.replace(stand_in(query, serve(First({"stars": table}))), columns=plain), manners, rng)
    check_place(rows)


def test_renamed_table_and_column_are_seen(serve, manners, rng):
    url = serve(First({"stars": {"RAJ2000": Column([1.0]), "DEJ2000": Column([2.0])}}))
    query = dataclasses.replace(registry.load("dias_2002").catalogue.origin, url=f"{url}/tap")
    for wrong in (query, dataclasses.replace(query, source="stars")):
        with pytest.raises(RefusedError, match="HTTP status 400"):
            one_row(wrong, manners, rng)


def test_empty_table_is_seen(serve, manners, rng):
    url = serve(
        First({"stars": {"Cluster": Column([], str), "RAJ2000": Column([]), "DEJ2000": Column([]), "Diam": Column([])}})
    )
    with pytest.raises(DataError, match="0 rows came from VizieR, expected one"):
        one_row(stand_in(registry.load("dias_2002").catalogue.origin, url), manners, rng)


LINES = b"# comment\n" + b"".join(b"OGLE-LMC-CEP-%04d  F  04:30:57.72 -69:03:37.4\n" % i for i in range(30_000))


@pytest.mark.parametrize("body", [LINES, gzip.compress(LINES), LINES[:57]], ids=["text", "gzip", "short"])
def test_beginning_of_a_file_is_enough(serve, tmp_path, body):
    url = serve(lambda _: Answer(body, "text/plain"))
    head(f"{url}/ident.dat", tmp_path / "head")
    assert (tmp_path / "head").stat().st_size < len(LINES)
    check_place(registry.load("ogle_variables").catalogue.origin.read(tmp_path / "head"))


def test_missing_file_is_seen(serve, tmp_path):
    url = serve(lambda _: Answer(b"no such file", "text/plain", 404))
    with pytest.raises(requests.HTTPError, match="404"):
        head(f"{url}/ident.dat", tmp_path / "head")


def test_counterparts_of_a_stand_in_are_found(serve, manners, rng, tmp_path):
    star = Star(RR_LYRAE[0], *RR_LYRAE[1:], "RRAB", 0.5, (np.arange(3.0), np.full(3, 15.0), np.full(3, 0.01)))
    archive = Catalogues(gaia({1: star}))
    query = dataclasses.replace(counterparts.query(1.5, 2016.0), url=f"{serve(archive)}/tap")
    check_counterparts(query, tmp_path, manners, rng)
    archive.tables = {name: columns for name, columns in archive.tables.items() if "allwise" not in name}
    with pytest.raises(DataError, match=r"has no table 'gaiadr3\.allwise_best_neighbour'"):
        check_counterparts(query, tmp_path / "b", manners, rng)


def test_page_in_place_of_the_dust_map_is_seen(serve):
    check_hdf5(serve(lambda _: Answer(b"\x89HDF\r\n\x1a\n and more", "application/x-hdf5")))
    with pytest.raises(AssertionError):
        check_hdf5(serve(lambda _: Answer(b"<html>moved</html>", "text/html")))
    with pytest.raises(requests.HTTPError, match="404"):
        check_hdf5(serve(lambda _: Answer(b"", "text/html", 404)))

"""Catalogues of surveys, from archives on this machine to tables of sources."""

import dataclasses
import gzip
import logging
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workflow_scripts.archives import http
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.archives.retry import RefusedError, UnavailableError
from workflow_scripts.archives.tap_job import JobError
from workflow_scripts.surveys import catalogue as catalogues
from workflow_scripts.surveys import download_catalogue, registry
from workflow_scripts.surveys.catalogue import Catalogue, Files
from workflow_scripts.surveys.download_catalogue import download, sources
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import SOURCES, DataError

sys.path.append(str(Path(__file__).parents[1] / "archives"))
from loopback import CUT, FINE, RESET, Answer, Archive, status
from loopback_tap import Column, Tap

COLUMNS = {
    "object_id": "uid",
    "obsid": "obsid",
    "ra_deg": "ra",
    "dec_deg": "dec",
    "class": "cl",
    "catalogue_period_d": "per",
}
SPECTRA = {
    "obsid": Column([101001, 101002, 101003, 202001, 202007], int),
    "uid": Column(["G2", "G1", "G1", "G3", "G4"], str),
    "ra": Column([10.5, 20.25, 20.26, 359.9, 1.0]),
    "dec": Column([-3.0, 40.0, 40.01, 89.5, 0.0]),
    "snrg": Column([22.0, 5.0, 80.0, None, 30.0]),
    "cl": Column([1, 2, 2, None, 1], int),
    "per": Column([0.5, 0.0, -1.0, None, 3.25]),
}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def serve(monkeypatch):
    """Start archives that end with the test."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    started = []

    def start(answer, faults=()):
        started.append(Archive(answer, faults))
        return started[-1]

    yield start
    for archive in started:
        archive.close()


@pytest.fixture
def manners(tmp_path):
    return Manners(interval_s=0.0, timeout_s=5.0, tries=3, backoff_s=0.002, budget_s=60.0, locks=tmp_path / "locks")


def survey(url, manners, columns=COLUMNS, table="spectra", unique=("obsid",), **more):
    query = Query("Test archive", f"{url}/tap", columns, table, 1000, unique)
    return Survey(
        "Test survey", "Nobody 2000", Catalogue(query, **({"rows": 5, "epoch_yr": 2000.0} | more)), manners=manners
    )


def best_of(url, manners, **more):
    columns = COLUMNS | {"snrg": "snrg"}
    settings = {"parts": 2, "split_on": "obsid", "best": "snrg", "classes": {"1": "EA", "2": "EW"}} | more
    return survey(url, manners, columns, **settings)


def ask(of, tmp_path, rng, where="", mirrors=None):
    found = download(of, where, tmp_path / "raw", mirrors or {}, rng)
    assert found.schema.names == SOURCES.names
    assert found["object_id"].to_pylist() == sorted(set(found["object_id"].to_pylist()))
    return found


# What comes out


def test_parts_are_joined_and_the_best_row_stands_for_an_object(serve, manners, rng, tmp_path):
    service = Tap({"spectra": SPECTRA})
    found = ask(best_of(serve(service).url, manners), tmp_path, rng)
    assert found.to_pylist() == [
        {"object_id": "G1", "ra_deg": 20.26, "dec_deg": 40.01, "class": "EW", "catalogue_period_d": None},
        {"object_id": "G2", "ra_deg": 10.5, "dec_deg": -3.0, "class": "EA", "catalogue_period_d": 0.5},
        {"object_id": "G3", "ra_deg": 359.9, "dec_deg": 89.5, "class": None, "catalogue_period_d": None},
        {"object_id": "G4", "ra_deg": 1.0, "dec_deg": 0.0, "class": "EA", "catalogue_period_d": 3.25},
    ]
    assert sorted(path.name for path in (tmp_path / "raw").glob("*.parquet")) == ["part_00.parquet", "part_01.parquet"]
    assert not service.jobs, "jobs are removed from the service"


def test_condition_is_asked_of_the_archive(serve, manners, rng, tmp_path):
    service = Tap({"spectra": SPECTRA})
    found = ask(best_of(serve(service).url, manners), tmp_path, rng, where="snrg >= 20 OR obsid = 0")
    assert found["object_id"].to_pylist() == ["G1", "G2", "G4"]
    asked = [query for query in service.queries if "COUNT" not in query]
    assert all("WHERE (snrg >= 20 OR obsid = 0) AND MOD(obsid, 2) = " in query for query in asked)
    assert len(asked) == 2


def test_missing_quality_is_the_worst(serve, manners, rng, tmp_path):
    table = {name: Column(SPECTRA[name].values[:2], SPECTRA[name].type) for name in ("obsid", "ra", "dec")}
    table |= {"uid": Column(["a", "a"], str), "snrg": Column([None, -9.0])}
    columns = {name: theirs for name, theirs in (COLUMNS | {"snrg": "snrg"}).items() if theirs in table}
    of = survey(serve(Tap({"spectra": table})).url, manners, columns, best="snrg")
    assert ask(of, tmp_path, rng)["ra_deg"].to_pylist() == [20.25]


def test_second_run_asks_nothing_and_gives_the_same(serve, manners, rng, tmp_path):
    archive = serve(Tap({"spectra": SPECTRA}))
    first = ask(best_of(archive.url, manners), tmp_path, rng)
    before = len(archive.asked)
    assert ask(best_of(archive.url, manners), tmp_path, rng).equals(first)
    assert len(archive.asked) == before


def test_run_goes_on_where_it_was_stopped(serve, manners, rng, tmp_path):
    """The host goes down after the first part; the next run asks for the second alone."""
    service = Tap({"spectra": SPECTRA})
    archive = serve(service)
    of = best_of(archive.url, manners)
    download_catalogue.tap.fetch(
        catalogues.jobs(of.catalogue, "")[0], tmp_path / "raw" / "part_00.parquet", manners, rng
    )
    archive.faults = [RESET] * 50
    with pytest.raises(UnavailableError, match="run again"):
        ask(of, tmp_path, rng)
    archive.faults = []
    service.queries.clear()
    assert ask(of, tmp_path, rng).num_rows == 4
    assert {query.partition("MOD")[2] for query in service.queries} == {"(obsid, 2) = 1"}


def test_another_condition_is_another_download(serve, manners, rng, tmp_path):
    archive = serve(Tap({"spectra": SPECTRA}))
    ask(best_of(archive.url, manners), tmp_path, rng)
    assert ask(best_of(archive.url, manners), tmp_path, rng, where="dec > 0").num_rows == 2


def test_order_of_the_archive_does_not_matter(serve, manners, rng, tmp_path):
    order = [3, 0, 4, 2, 1]
    turned = {name: dataclasses.replace(c, values=[c.values[i] for i in order]) for name, c in SPECTRA.items()}
    found = [
        ask(best_of(serve(Tap({"spectra": rows})).url, manners), tmp_path / str(i), rng)
        for i, rows in enumerate((SPECTRA, turned))
    ]
    assert found[0].equals(found[1])


def test_identifier_of_several_columns(serve, manners, rng, tmp_path):
    columns = {"Field": [1, 1], "Tile": [3441, 3441], "Seqn": [25, 7], "RAJ2000": [75.0, 75.1]}
    columns |= {"DEJ2000": [-69.0, -69.1], "Class": [1, 10], "bPer": [0.5, None]}
    archive = serve(Tap({"II/247/machovar": served(columns)}))
    of = dataclasses.replace(registry.load("macho_variables"), manners=manners)
    found = ask(of, tmp_path, rng, mirrors={catalogues.VIZIER_URL: f"{archive.url}/tap"})
    assert found["object_id"].to_pylist() == ["1.3441.25", "1.3441.7"]
    assert found["class"].to_pylist() == ["RRAB", "EB"]


def test_long_integers_keep_every_digit(serve, manners, rng, tmp_path):
    table = {
        "source_id": Column([4295806720, 6917528997577384320], int),
        "ra": Column([1.0, 2.0]),
        "dec": Column([3.0, 4.0]),
    }
    columns = {"object_id": "source_id", "ra_deg": "ra", "dec_deg": "dec"}
    of = survey(serve(Tap({"gaia": table})).url, manners, columns, "gaia", ("object_id",))
    assert ask(of, tmp_path, rng)["object_id"].to_pylist() == ["4295806720", "6917528997577384320"]


# What is said


def test_all_that_is_dropped_is_counted(serve, manners, rng, tmp_path, caplog):
    lost = SPECTRA | {"ra": Column([None, 20.25, 20.26, 359.9, 1.0])}
    with caplog.at_level(logging.INFO):
        found = ask(best_of(serve(Tap({"spectra": lost})).url, manners, rows=7), tmp_path, rng)
    assert found["object_id"].to_pylist() == ["G1", "G3", "G4"]
    for said in (
        "5 rows came, published are 7",
        "1 rows have no position and are dropped",
        "1 rows are dropped for another of the same object, such as G1",
        "3 objects of 5 rows",
        "part 2 of 2, 4 rows",
    ):
        assert said in caplog.text


def test_published_number_is_not_expected_of_a_part(serve, manners, rng, tmp_path, caplog):
    ask(best_of(serve(Tap({"spectra": SPECTRA})).url, manners), tmp_path, rng, where="dec > 0")
    assert "published" not in caplog.text


# What is refused


def made(**columns):
    names = {"object_id": ["a", "b"], "ra_deg": [1.0, 2.0], "dec_deg": [3.0, 4.0]}
    return pa.table(names | columns)


PLAIN = Catalogue(Query("x", "http://x", COLUMNS, "t", 10), 2, 2000.0)


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        (made(object_id=["a", None]), {}, "Test: object_id is empty in 1 of 2 rows; it identifies the object"),
        (made(object_id=[1.0, 2.0]), {}, "column 'object_id' holds double, expected text or integers"),
        (made(ra_deg=[1.0, 361.0]), {}, r"column 'ra_deg' has 1 of 2 values outside 0 to 360 degrees, such as 361\.0"),
        (made(dec_deg=[1.0, -90.5]), {}, r"column 'dec_deg' has 1 of 2 values outside -90 to 90 .*-90\.5"),
        (made(ra_deg=["12:30:00", "1"]), {}, r"column 'ra_deg' holds text in 1 of 2 rows, such as \['12:30:00'\]"),
        (made(ra_deg=[None, np.nan]), {}, "none of the 2 rows has a position"),
        (made(object_id=["a", "a"], **{"class": ["EA", "EW"]}), {}, "1 objects come twice with different classes"),
        (made(object_id=["a", "a"], **{"class": ["EA", None]}), {}, "1 objects come twice with different classes"),
        (made(**{"class": [1, 99]}), {"classes": {"1": "EA"}}, r"class codes \['99'\] are unknown, expected \['1'\]"),
        (made(catalogue_period_d=["0.5", "P"]), {}, "column 'catalogue_period_d' holds text in 1 of 2 rows"),
    ],
)  # fmt: skip
def test_bad_rows_are_refused(rows, more, message):
    with pytest.raises(DataError, match=message):
        sources(rows, dataclasses.replace(PLAIN, **more), "Test")


def test_right_ascension_of_360_is_0():
    """A column of few digits rounds what is just below 360 to it."""
    assert sources(made(ra_deg=[1.0, 360.0]), PLAIN, "Test")["ra_deg"].to_pylist() == [1.0, 0.0]
    with pytest.raises(DataError, match="outside -90 to 90"):
        sources(made(dec_deg=[1.0, 360.0]), PLAIN, "Test")


def test_object_that_comes_twice_with_one_class_is_one(caplog):
    rows = made(object_id=["a", "a"], ra_deg=[2.0, 1.0], dec_deg=[3.0, 3.0], **{"class": ["EA", "EA"]})
    assert sources(rows, PLAIN, "Test")["ra_deg"].to_pylist() == [1.0]
    assert "1 rows are dropped for another of the same object, such as a" in caplog.text


def test_renamed_table_is_refused_with_what_there_is(serve, manners, rng, tmp_path):
    of = survey(serve(Tap({"II/366/catv2021": SPECTRA})).url, manners, table='"II/366/catalog"')
    with pytest.raises(JobError, match=r"has no table 'II/366/catalog', similar ones are \['II/366/catv2021'"):
        ask(of, tmp_path, rng)


def test_missing_column_is_refused_with_what_there_is(serve, manners, rng, tmp_path):
    of = survey(serve(Tap({"spectra": SPECTRA})).url, manners, COLUMNS | {"probability": "prob"})
    with pytest.raises(JobError, match=r"have no columns \['prob'\], similar ones are"):
        ask(of, tmp_path, rng)


@pytest.mark.parametrize("where", ["snr >= 20", "snrg >=", "snrg > 3) OR (1 = 1 ORDER BY ra"])
def test_wrong_condition_is_refused_with_the_query(serve, manners, rng, tmp_path, where):
    of = best_of(serve(Tap({"spectra": SPECTRA})).url, manners)
    with pytest.raises(JobError, match=r"the job ended as ERROR; the service says: .*The query was: SELECT"):
        ask(of, tmp_path, rng, where=where)
    assert not list((tmp_path / "raw").glob("*.parquet"))


def test_condition_that_nothing_meets_is_refused(serve, manners, rng, tmp_path):
    of = best_of(serve(Tap({"spectra": SPECTRA})).url, manners)
    with pytest.raises(DataError, match="none of the 0 rows has a position; check `where`"):
        ask(of, tmp_path, rng, where="ra > 720")


def test_duplicate_rows_of_a_confused_service_are_refused(serve, manners, rng, tmp_path):
    twice = {name: dataclasses.replace(c, values=[*c.values, c.values[0]]) for name, c in SPECTRA.items()}
    with pytest.raises(DataError, match="1 duplicate rows"):
        ask(survey(serve(Tap({"spectra": twice})).url, manners), tmp_path, rng)


def test_survey_without_a_catalogue_is_refused(manners, rng, tmp_path):
    of = survey("http://127.0.0.1:9", manners)
    object.__setattr__(of, "catalogue", None)
    with pytest.raises(DataError, match="Test survey has no catalogue"):
        ask(of, tmp_path, rng)


# Files


def files_of(manners, *names, digests=None):
    def read(path):
        rows = [(name, float(ra), float(dec)) for name, ra, dec in map(str.split, catalogues.lines(path))]
        return pa.table(dict(zip(("object_id", "ra_deg", "dec_deg"), zip(*rows, strict=True), strict=True)))

    requests = tuple(http.Request("Files", f"https://files.example/{name}") for name in names)
    return Survey("Listed", "Nobody 2000", Catalogue(Files(requests, read, digests or {}), 3, 2000.0), manners=manners)


FILES = {"/lmc/ident.dat": b"a 1.0 2.0\nb 3.0 4.0\n", "/smc/ident.dat": gzip.compress(b"# s\nc 5.0 6.0\n")}


def filed(asked):
    body = FILES.get(asked.path)
    return Answer(body, "application/octet-stream") if body else Answer(b"not found", "text/plain", 404)


def test_files_are_joined(serve, manners, rng, tmp_path):
    archive = serve(filed, [CUT, status(503), FINE, CUT])
    mirrors = {"https://files.example": archive.url}
    of = files_of(dataclasses.replace(manners, tries=5), "lmc/ident.dat", "smc/ident.dat")
    found = ask(of, tmp_path, rng, mirrors=mirrors)
    assert found["object_id"].to_pylist() == ["a", "b", "c"]
    assert sorted(p.name for p in (tmp_path / "raw").glob("*.dat")) == ["00_ident.dat", "01_ident.dat"]
    asked = len(archive.asked)
    assert ask(of, tmp_path, rng, mirrors=mirrors).equals(found)
    assert len(archive.asked) == asked


def test_missing_file_and_condition_are_refused(serve, manners, rng, tmp_path):
    mirrors = {"https://files.example": serve(filed).url}
    with pytest.raises(RefusedError, match="HTTP status 404"):
        ask(files_of(manners, "blg/ident.dat"), tmp_path, rng, mirrors=mirrors)
    with pytest.raises(DataError, match="where: 'ra > 1' cannot be asked of Files"):
        ask(files_of(manners, "lmc/ident.dat"), tmp_path, rng, "ra > 1", mirrors)


def test_published_digest_of_a_file_is_checked(serve, manners, rng, tmp_path):
    archive = serve(filed)
    digests = {"https://files.example/lmc/ident.dat": http.Digests("0" * 64)}
    of = files_of(manners, "lmc/ident.dat", digests=digests)
    with pytest.raises(DataError, match="not the file that was published"):
        ask(of, tmp_path, rng, mirrors={"https://files.example": archive.url})


# Real catalogues under the names of the production tables


def drake_2014(folder):
    rows = [line for line in catalogues.lines(folder / "drake2014_table3.txt.gz") if line.startswith("CSS_")]
    hours = [15 * (int(r[21:23]) + int(r[24:26]) / 60 + float(r[27:32]) / 3600) for r in rows]
    degrees = [int(r[33] + "1") * (int(r[34:36]) + int(r[37:39]) / 60 + float(r[40:44]) / 3600) for r in rows]
    columns = {
        "CRTS": [r[:20] for r in rows],
        "RAJ2000": hours,
        "DEJ2000": degrees,
        "Cl": [int(r[69:71]) for r in rows],
    }
    return columns | {"Per": [float(r[51:62]) if r[51:62].strip() else None for r in rows]}


def drake_2017(folder):
    rows = pd.read_csv(folder / "drake2017_sss_periodic.txt.gz", sep=r"\s+", header=None, usecols=[0, 2, 3, 4, 8])
    return dict(zip(("SSS", "RAJ2000", "DEJ2000", "Per", "Cl"), (rows[i].tolist() for i in rows), strict=True))


def macho(folder):
    rows = pd.read_csv(folder / "macho_variables.csv.gz")
    degrees = {"RAJ2000": np.degrees(rows["rarad"]), "DEJ2000": np.degrees(rows["decrad"])}
    named = {"Field": "field", "Tile": "tile", "Seqn": "seqn", "Class": "classification", "bPer": "period_b"}
    return {k: v.tolist() for k, v in degrees.items()} | {ours: rows[theirs].tolist() for ours, theirs in named.items()}


def served(columns):
    kinds = {name: type(next(v for v in values if v is not None)) for name, values in columns.items()}
    return {name: Column(values, kinds[name]) for name, values in columns.items()}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "table", "read", "code", "rows", "surplus"),
    [
        ("drake_2014", "J/ApJS/213/9/table3", drake_2014, "Cl", 47_055, 4),
        ("drake_2017", "J/MNRAS/469/3688/table4", drake_2017, "Cl", 37_745, 0),
        ("macho_variables", "II/247/machovar", macho, "Class", 21_474, 0),
    ],
)
def test_real_catalogue_has_the_classes_of_its_file(
    serve, manners, rng, tmp_path, real_data, caplog, name, table, read, code, rows, surplus
):
    columns = read(real_data / "catalogues")
    archive = serve(Tap({table: served(columns)}))
    of = dataclasses.replace(registry.load(name), manners=manners)
    found = ask(of, tmp_path, rng, mirrors={catalogues.VIZIER_URL: f"{archive.url}/tap"})
    assert len(columns[code]) == rows == of.catalogue.rows
    assert "published" not in caplog.text
    assert found.num_rows == rows - surplus
    expected = Counter(of.catalogue.classes[str(value)] for value in columns[code])
    assert (Counter(found["class"].to_pylist()) - expected) == Counter()
    assert sum((expected - Counter(found["class"].to_pylist())).values()) == surplus
    assert sorted(set(found["class"].to_pylist())) == sorted(set(of.catalogue.classes.values()))
    # RR Lyrae stars of type ab pulsate in 0.45 to 0.8 d: the codes mean what the plug-in says.
    periods = [row["catalogue_period_d"] for row in found.to_pylist() if row["class"] == "RRAB"]
    assert 0.5 < np.median([p for p in periods if p is not None]) < 0.62


@pytest.mark.real
def test_real_clusters_of_dias(serve, manners, rng, tmp_path, real_data):
    lines = (real_data / "gaia_clusters/openclust/clusters.dat").read_text(encoding="latin-1").splitlines()
    ra = [15 * (int(r[18:20]) + int(r[21:23]) / 60 + int(r[24:26]) / 3600) for r in lines]
    dec = [int(r[27] + "1") * (int(r[28:30]) + int(r[31:33]) / 60 + int(r[34:36]) / 3600) for r in lines]
    diameters = [float(r[41:47]) if r[41:47].strip() else None for r in lines]
    columns = {"Cluster": [r[:17].strip() for r in lines], "RAJ2000": ra, "DEJ2000": dec, "Diam": diameters}
    archive = serve(Tap({"B/ocl/clusters": served(columns)}))
    of = dataclasses.replace(registry.load("dias_2002"), manners=manners)
    found = ask(of, tmp_path, rng, mirrors={catalogues.VIZIER_URL: f"{archive.url}/tap"})
    assert len(lines) == of.catalogue.rows == found.num_rows + 1
    m67 = found.filter(pa.compute.equal(found["object_id"], "NGC 2682")).to_pylist()[0]
    assert m67["ra_deg"] == pytest.approx(132.825, abs=0.01)
    assert m67["dec_deg"] == pytest.approx(11.8, abs=0.01)


@pytest.mark.real
def test_real_collection_of_ogle_3_comes_in_parts(serve, manners, rng, tmp_path, real_data):
    """Every 20th of 399,679 variables, in hours of right ascension and with -99.99 for what is missing."""
    path = real_data / "catalogues/ogle3_variables.txt.bz2"
    rows = pd.read_csv(path, sep="\t", comment="#", header=None, usecols=[0, 3, 5, 6, 14], skiprows=lambda i: i % 20)
    kinds = dict(zip(("ID", "Type", "RA", "DECL", "P_1"), (str, str, float, float, float), strict=True))
    columns = {name: [kind(v) for v in rows[i]] for (name, kind), i in zip(kinds.items(), rows, strict=True)}
    columns["n"] = list(range(len(rows)))
    asked = {"object_id": "ID", "ra_deg": "15 * RA", "dec_deg": "DECL", "class": "Type", "catalogue_period_d": "P_1"}
    archive = serve(Tap({"ogle3": served(columns)}, hard_limit=6000))
    query = Query("OGLE", f"{archive.url}/tap", asked, "ogle3", 6000, ("object_id",))
    of = Survey("OGLE-III", "Soszynski 2008", Catalogue(query, len(rows), 2005.0, 4, "n"), manners=manners)
    found = ask(of, tmp_path, rng)
    assert found.num_rows == len(rows) > 19_000
    assert Counter(found["class"].to_pylist()) == Counter(columns["Type"])
    assert found["catalogue_period_d"].null_count == sum(p <= 0 for p in columns["P_1"])
    np.testing.assert_allclose(np.sort(found["ra_deg"]), 15 * np.sort(columns["RA"]))

"""Light curves of targets, from archives on this machine to tables, with everything that may go wrong on the way."""

import dataclasses
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from curve_archives import (
    CRTS,
    IRSA,
    MACHO,
    OGLE,
    Crts,
    Star,
    Ztf,
    east,
    macho_line,
    macho_tile,
    paths,
    targets,
    votable,
    ztf_rows,
)
from loopback import CUT, FINE, PAGE, RESET, Answer, Archive, status
from workspace import ROOT

from workflow_scripts import tables
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.surveys import native, registry
from workflow_scripts.surveys.download_curves import STATUS, Wish, download, read_native
from workflow_scripts.tables import DataError

EDGE = 0.00005
STARS = [
    Star(202116200000001, "zg", 150.0, 20.0, 12),
    Star(202216200000002, "zr", east(150.0, 20.0, 0.5), 20.0, 9),
    Star(1727101300018074, "zg", east(150.0, 20.0, 0.3), 20.0, 5),  # the same star on the shifted grid
    Star(202116200000003, "zg", 359.99999, -5.0, 7),  # across right ascension 0
    Star(202116200000004, "zg", 150.1, 20.0, 8),
    Star(202116200000005, "zg", east(150.1, 20.0, 1.2), 20.0, 8),  # as long, but farther
    Star(202316200000006, "zi", 150.2, 20.0, 0),  # in the table of objects, without points
]
TARGETS = targets(
    [
        ("twice", 150.0, 20.0),
        ("edge", EDGE / 3600, -5.0),
        ("pair", 150.1, 20.0),
        ("far", east(150.1, 20.0, 8.0), 20.0),
        ("empty", 150.2, 20.0),
        ("nowhere", None, None),
        ("same place", 150.0, 20.0),
    ]
)


@pytest.fixture
def serve(monkeypatch):
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
    return Manners(interval_s=0.0, timeout_s=5.0, tries=4, backoff_s=0.002, budget_s=20.0, locks=tmp_path / "locks")


@pytest.fixture
def fetch(tmp_path, manners):
    """Download from a survey with its host on this machine."""

    def run(name, archive, rows=TARGETS, bands=(), radius=1.5, place="a"):
        survey = dataclasses.replace(registry.load(name), manners=manners)
        mirrors = dict.fromkeys((IRSA, CRTS, MACHO, OGLE), archive.url)
        wish = Wish(survey, tuple(bands), radius, mirrors)
        return download(rows, wish, tmp_path / place, tmp_path / "files", np.random.default_rng(1))

    return run


def lengths(found):
    """Points of each light curve."""
    rows = found.light_curves
    keys = zip(rows["object_id"].to_pylist(), rows["band"].to_pylist(), strict=True)
    return dict(zip(keys, pc.list_value_length(rows["time"]).to_pylist(), strict=True))


def states(found, *names):
    rows = found.status if isinstance(found.status, pa.Table) else found
    return {row["object_id"]: tuple(row[name] for name in names or ("status",)) for row in rows.to_pylist()}


# ZTF: objects by one upload, light curves by identifier


@pytest.mark.parametrize("name", ["ztf", "ztf_bulk"])
def test_light_curves_of_targets(serve, fetch, name):
    found = fetch(name, serve(Ztf(STARS)))
    assert lengths(found) == {
        ("edge", "g"): 7,
        ("pair", "g"): 8,
        ("same place", "g"): 12,
        ("same place", "r"): 9,
        ("twice", "g"): 12,
        ("twice", "r"): 9,
    }
    assert found.light_curves.schema == tables.RAW_LIGHT_CURVES.schema
    one = found.light_curves.filter(pc.equal(found.light_curves["object_id"], "edge")).to_pylist()[0]
    np.testing.assert_allclose(one["time"], 58242.4927082820 + 3.1 * np.arange(7), atol=1e-9)
    assert one["mag"] == [14.25 + 0.125 * (i % 7) for i in range(7)]
    assert one["usable"] == [False] + [True] * 6


def test_status_says_what_became_of_every_target(serve, fetch):
    found = fetch("ztf", serve(Ztf(STARS)))
    assert found.status.schema == STATUS.schema
    assert states(found, "status", "reason", "n_points", "n_left_out") == {
        "twice": ("found", None, 21, 1),
        "edge": ("found", None, 7, 0),
        "pair": ("found", None, 8, 1),
        "far": ("no_data", "no object of the survey within 1.5 arcsec in these bands", 0, 0),
        "empty": ("no_data", "the archive has no points of it in these bands", 0, 0),
        "nowhere": ("no_data", "the target has no coordinates", 0, 0),
        "same place": ("found", None, 21, 1),
    }
    assert states(found, "archive_ids")["twice"] == (["202116200000001", "202216200000002"],)
    assert states(found, "archive_ids")["pair"] == (["202116200000004"],), "of two that are equally long the nearer one"
    separations = states(found, "separation_arcsec")
    assert separations["twice"][0] == pytest.approx(0.5, abs=1e-6)
    assert separations["edge"][0] == pytest.approx((0.036 + EDGE) * np.cos(np.radians(5)), abs=1e-6)
    assert separations["nowhere"] == (None,)


def test_only_what_is_wanted_is_asked_for(serve, fetch):
    archive = serve(Ztf(STARS))
    found = fetch("ztf", archive, bands=["r"])
    assert set(lengths(found)) == {("twice", "r"), ("same place", "r")}
    asked = [oid for request in archive.asked for oid in request.all("ID")]
    assert asked == ["202216200000002"], "no other band, and one star once for two targets"
    assert [request.one("COLLECTION") for request in archive.asked if request.all("ID")] == ["ztf_dr18"]


def test_name_of_a_target_stays_as_its_catalogue_writes_it(serve, fetch):
    """In a shard by itself a target called 7.0 looks like the integer 7 in the dress of a real number."""
    found = fetch("ztf", serve(Ztf(STARS)), targets([("7.0", 150.1, 20.0)]))
    assert set(lengths(found)) == {("7.0", "g")}
    assert states(found) == {"7.0": ("found",)}


def test_radius_decides(serve, fetch):
    assert ("far", "g") not in lengths(fetch("ztf", serve(Ztf(STARS)), radius=1.5))
    assert ("far", "g") in lengths(fetch("ztf", serve(Ztf(STARS)), radius=9.0, place="b"))


def test_log_counts_targets_reasons_and_what_was_left_out(serve, fetch, caplog):
    with caplog.at_level("INFO"):
        fetch("ztf", serve(Ztf(STARS)))
    assert "4 of 7 targets: found" in caplog.text
    assert "1 of 7 targets: the target has no coordinates" in caplog.text
    assert "3 light curves left out" in caplog.text


def test_two_shards_share_the_bulk_files(serve, fetch):
    archive = serve(Ztf(STARS))
    fetch("ztf_bulk", archive, TARGETS.slice(0, 1), place="0000")
    fetch("ztf_bulk", archive, TARGETS.slice(1, 2), place="0001")
    files = [request.path for request in archive.asked if request.path.endswith(".parquet")]
    assert len(files) == len(set(files)) == 2, "g and r of the first shard; the second needs the same g file"


# Targets as they come


@pytest.mark.parametrize("rows", [TARGETS.slice(0, 0), TARGETS.slice(5, 1)], ids=["none", "none with coordinates"])
def test_nothing_to_look_for_asks_for_nothing(serve, fetch, rows):
    archive = serve(Ztf(STARS))
    found = fetch("ztf", archive, rows)
    assert found.light_curves == tables.RAW_LIGHT_CURVES.schema.empty_table()
    assert found.status["status"].to_pylist() == ["no_data"] * len(rows)
    assert archive.asked == []


def test_one_target(serve, fetch):
    assert lengths(fetch("ztf", serve(Ztf(STARS)), TARGETS.slice(2, 1))) == {("pair", "g"): 8}


def test_all_outside_the_footprint(serve, fetch):
    found = fetch("ztf", serve(Ztf(STARS)), targets([("a", 10.0, -80.0), ("b", 11.0, -80.0)]))
    assert states(found) == {"a": ("no_data",), "b": ("no_data",)}
    assert found.light_curves.num_rows == 0


def test_million_targets_are_all_accounted_for(fetch, monkeypatch):
    """Of 10^6 targets every fourth has an object; the queries themselves are stood in for."""
    from workflow_scripts.archives import by_id, tap

    n = 1_000_000
    number = np.arange(n)
    many = pa.table(
        {
            "object_id": pa.array(np.char.add("o", number.astype(str))),
            "ra_deg": (number % 1000) * 0.3,
            "dec_deg": (number // 1000) * 0.08 - 40,
        }
    )

    def answer(_, upload, path, *__):
        assert upload.rows.num_rows == n
        mine = upload.rows.take(pa.array(number[::4]))
        ids = mine.append_column("archive_id", pa.array(202116200000000 + number[::4]))
        pairs = ids.append_column("band", pa.repeat("zg", len(ids))).append_column("n_points", pa.repeat(9, len(ids)))
        path.parent.mkdir(parents=True)
        pa.parquet.write_table(pairs, path)

    def nothing(_, ids, *__):
        status = [ids, ["no_data"] * len(ids), [0] * len(ids), [None] * len(ids)]
        return by_id.Result(pa.table(status, schema=by_id.STATUS.schema), ())

    monkeypatch.setattr(tap, "fetch_for", answer)
    monkeypatch.setattr(by_id, "fetch", nothing)
    found = fetch("ztf", type("Nobody", (), {"url": "http://127.0.0.1:9"}), many)
    counts = {row["values"]: row["counts"] for row in found.status["reason"].value_counts().to_pylist()}
    assert counts == {
        "the archive has no points of it in these bands": n // 4,
        "no object of the survey within 1.5 arcsec in these bands": n - n // 4,
    }


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("a", 1.0, 2.0), ("a", 1.0, 2.0)], "1 duplicate rows, such as {'object_id': 'a'}"),
        ([("a", 400.0, 2.0)], "out of range; the first is in row 0"),
        ([("a", 1.0, -91.0)], "out of range"),
        ([(None, 1.0, 1.0)], "1 of 1 rows without a value of 'object_id'"),
    ],
)
def test_impossible_targets_are_refused(serve, fetch, rows, why):
    with pytest.raises(DataError, match=re.escape(why)):
        fetch("ztf", serve(Ztf(STARS)), targets(rows))


@pytest.mark.parametrize(
    ("name", "bands", "radius", "why"),
    [
        ("ztf", ["V"], 1.5, r"has no bands \['V'\], it has \['g', 'i', 'r'\]; correct `bands`"),
        ("ztf", [], 0.0, "radius_arcsec is 0, expected more than 0"),
        ("crts", [], 72.0, "radius_arcsec is 72, expected less than 72, which is the most that the service takes"),
        ("chen_2020", [], 1.5, "has no light curves; name a survey that has some"),
        ("asassn", [], 1.5, "no archive gives its light curves by itself. Download asassnvarlc_vband_complete.zip"),
        ("eros", [], 1.5, "no archive gives its light curves by itself. No public address"),
        ("sdss_stripe82", [], 1.5, "Download table1.tar.gz"),
    ],
)
def test_impossible_wishes_are_refused(serve, fetch, name, bands, radius, why):
    with pytest.raises(DataError, match=why):
        fetch(name, serve(Ztf(STARS)), bands=bands, radius=radius)


# Failures of the archive


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_faults_that_pass_leave_no_trace(serve, fetch, framing):
    expected = fetch("ztf", serve(Ztf(STARS)))
    faults = [part for fault in (status(500), RESET, status(429, "0.01"), CUT, PAGE) for part in (fault, FINE)]
    archive = serve(Ztf(STARS, framing), faults)
    found = fetch("ztf", archive, place="b")
    assert archive.faults == []
    assert found == expected


def test_answer_that_is_cut_where_rows_end_is_noticed(serve, fetch):
    """The kind of cut that CSV could not show: the server ends the answer well, in the middle of the table."""
    ztf = Ztf(STARS)

    def cut(asked):
        answer = ztf(asked)
        if asked.all("ID"):
            answer = dataclasses.replace(answer, body=answer.body[: answer.body.rindex(b"<TR>")])
        return answer

    with pytest.raises(DataError, match="VOTAB"):
        fetch("ztf", serve(cut))


def test_host_that_is_down_is_an_error_that_says_how_to_go_on(serve, fetch, tmp_path):
    ztf = Ztf(STARS)
    expected = fetch("ztf", serve(ztf), place="undisturbed")
    down = serve(lambda asked: Answer(b"", status=503) if asked.all("ID") else ztf(asked))
    with pytest.raises(DataError) as caught:
        fetch("ztf", down)
    assert "ZTF: 5 of 5 identifiers failed, such as '202116200000003'" in str(caught.value)
    assert "run again: only these are asked for" in str(caught.value)
    written = tables.read(tmp_path / "a" / "targets.parquet", STATUS)
    assert {row["object_id"] for row in written.to_pylist() if row["status"] == "failed"} == {
        "twice", "edge", "pair", "empty", "same place",
    }  # fmt: skip
    assert "503" in written["reason"][0].as_py()
    down.answer = ztf
    before = len(down.asked)
    assert fetch("ztf", down) == expected
    assert [request.path for request in down.asked[before:]] == ["/cgi-bin/ZTF/nph_light_curves"], "objects are known"


def test_host_that_is_down_from_the_beginning(serve, fetch, tmp_path):
    archive = serve(Ztf(STARS), [status(503)] * 99)
    with pytest.raises(
        DataError, match=r"6 of 7 targets are missing, .*targets\.parquet.* not obtained in 4 of 4 tries"
    ):
        fetch("ztf", archive)
    written = tables.read(tmp_path / "a" / "targets.parquet", STATUS)
    became = dict(zip(written["object_id"].to_pylist(), written["status"].to_pylist(), strict=True))
    assert became == dict.fromkeys(became, "failed") | {"nowhere": "no_data"}
    assert len(became) == 7
    assert "503" in written["reason"][0].as_py()
    archive.faults = []
    assert len(lengths(fetch("ztf", archive))) == 6


def test_answer_that_says_it_was_cut_is_asked_for_in_halves(serve, fetch):
    """QUERY_STATUS OVERFLOW: the service gives the light curves of two identifiers at most."""
    ztf, expected = Ztf(STARS), fetch("ztf", serve(Ztf(STARS)))

    def few(asked):
        ids = asked.all("ID")
        if len(ids) <= 2:
            return ztf(asked)
        rows = [row for star in STARS if str(star.oid) in ids[:2] for row in ztf_rows(star)]
        return Answer(votable(rows, "OVERFLOW"), "application/x-votable+xml")

    archive = serve(few)
    assert fetch("ztf", archive, place="b") == expected
    assert sorted(len(request.all("ID")) for request in archive.asked if request.all("ID")) == [1, 2, 2, 3, 5]


def test_next_run_asks_for_what_failed_and_nothing_else(serve, fetch, monkeypatch):
    whole = registry.load("ztf").light_curves.source
    small = dataclasses.replace(
        registry.load("ztf").light_curves, source=lambda *given: dataclasses.replace(whole(*given), batch=1)
    )
    survey = dataclasses.replace(registry.load("ztf"), light_curves=small)
    monkeypatch.setattr(registry, "load", lambda _: survey)
    ztf = Ztf(STARS)
    archive = serve(lambda asked: Answer(b"", status=500) if asked.one("ID") == "202116200000003" else ztf(asked))
    with pytest.raises(DataError, match="ZTF: 1 of 5 identifiers failed"):
        fetch("ztf", archive)
    archive.answer, before = ztf, len(archive.asked)
    assert len(lengths(fetch("ztf", archive))) == 6
    assert [request.all("ID") for request in archive.asked[before:]] == [["202116200000003"]]


def test_third_run_asks_for_nothing(serve, fetch):
    archive = serve(Ztf(STARS))
    first, before = fetch("ztf", archive), len(archive.asked)
    assert fetch("ztf", archive) == first
    assert len(archive.asked) == before


# CRTS: positions, a page, and the file that it links to

CATALINA = [
    (1140004059613, 150.0, 20.0, 30, False),
    (1004006043988, east(150.0, 20.0, 1.0), 20.0, 50, True),  # longer, but blended in every point
    (3011009016991, 0.00001, -5.0, 20, False),
    (3011009016992, 359.99999, -5.0, 20, False),
    (1007008012292, east(150.1, 20.0, 2.5), 20.0, 10, False),
]


def test_catalina_light_curves_of_positions(serve, fetch):
    found = fetch("crts", serve(Crts(CATALINA)), radius=3.0)
    assert lengths(found) == {
        ("edge", "V_CSS"): 20,
        ("pair", "V_CSS"): 10,
        ("same place", "V_CSS"): 30,
        ("twice", "V_CSS"): 30,
    }
    assert states(found, "archive_ids", "n_left_out")["twice"] == (["1140004059613"], 1)
    assert states(found, "archive_ids")["edge"] == (["3011009016991"],), "the nearer one, across right ascension 0"
    assert states(found, "separation_arcsec")["pair"][0] == pytest.approx(2.5, abs=1e-6)
    assert states(found, "status", "reason")["far"] == ("no_data", "the archive has no points of it in these bands")
    assert states(found, "status", "reason")["nowhere"] == ("no_data", "the target has no coordinates")


def test_catalina_request_is_what_the_service_takes(serve, fetch):
    archive = serve(Crts(CATALINA))
    rows = targets([(f"o{i}", 1.5 * i, 10.0) for i in range(200)])
    fetch("crts", archive, rows, radius=71.9, place="wide")
    assert float(archive.asked[-1].files["upload_file"].split()[3]) < 0.02
    archive.asked.clear()
    fetch("crts", archive, rows, radius=3.6)
    sent = [request.files["upload_file"].decode().splitlines() for request in archive.asked if request.method == "POST"]
    assert sorted(map(len, sent)) == [40, 80, 80]
    assert sorted(lines[1] for lines in sent)[0] == "2 1.5000000 10.0000000 0.0010000"


def test_catalina_without_any_object(serve, fetch):
    found = fetch("crts", serve(Crts([])))
    assert set(found.status["status"].to_pylist()) == {"no_data"}


def test_catalina_answer_at_the_limit_is_asked_for_in_halves(serve, fetch, monkeypatch):
    from workflow_scripts.surveys.plugins import crts

    monkeypatch.setattr(crts, "MOST_ROWS", 100)
    archive = serve(Crts(CATALINA, most_rows=100))
    found = fetch("crts", archive, TARGETS.slice(0, 3))
    assert lengths(found) == {("edge", "V_CSS"): 20, ("twice", "V_CSS"): 30}
    archive = serve(Crts([(1, 150.0, 20.0, 300, False)], most_rows=100))
    with pytest.raises(DataError, match="the archive cuts its answers at 100 rows"):
        fetch("crts", archive, TARGETS.slice(0, 1), place="b")


def test_catalina_answer_of_40_000_lines_header_included_is_asked_for_in_halves(serve, fetch):
    """The service's page says that its files are limited to 40000 lines; whether the header counts, it does not say."""
    crowded = [(1, 150.0, 20.0, 20_001, False), (2, EDGE / 3600, -5.0, 20_001, False)]
    found = fetch("crts", serve(Crts(crowded, most_rows=39_999)), TARGETS.slice(0, 2))
    assert lengths(found) == {("edge", "V_CSS"): 20_001, ("twice", "V_CSS"): 20_001}


def test_catalina_page_of_another_kind_is_a_failure(serve, fetch):
    page = Answer(b"<html>Please type the letters that you see.</html>", "text/html")
    with pytest.raises(DataError, match=r"no link to a result; it says: Please type the letters"):
        fetch("crts", serve(lambda _: page))


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_catalina_pages_come_by_every_framing(serve, fetch, framing):
    catalina = Crts(CATALINA)
    archive = serve(lambda asked: dataclasses.replace(catalina(asked), framing=framing))
    assert lengths(fetch("crts", archive, radius=3.0))["edge", "V_CSS"] == 20


def test_catalina_faults_that_pass_leave_no_trace(serve, fetch):
    expected = fetch("crts", serve(Crts(CATALINA)), radius=3.0)
    archive = serve(Crts(CATALINA), [status(500), CUT, FINE, RESET, CUT, status(503)])
    assert fetch("crts", archive, radius=3.0, place="b") == expected
    assert archive.faults == []


# OGLE and MACHO: the survey's own names

OGLE_FILES = {
    "/ogle/ogle4/OCVS/lmc/cep/phot/I/OGLE-LMC-CEP-0001.dat": b"5260.62701 14.25 0.005\n5261.5 14.375 0.005\n",
    "/ogle/ogle4/OCVS/lmc/cep/phot/V/OGLE-LMC-CEP-0001.dat": b"5300.5 15.25 0.008\n",
    "/ogle/ogle4/OCVS/blg/rrlyr/phot/I/OGLE-BLG-RRLYR-00002.dat": b"5260.5 16.5 0.01\n",
}
OGLE_STARS = targets([("OGLE-LMC-CEP-0001", None, None), ("OGLE-BLG-RRLYR-00002", None, None)])


def test_ogle_stars_that_all_lack_a_band_are_no_moved_archive(serve, fetch):
    """The second star has no file in V, which its file in I shows to be its own affair."""
    archive = serve(paths(OGLE_FILES))
    found = fetch("ogle", archive, OGLE_STARS.slice(1), bands=("V",))
    assert found.light_curves.num_rows == 0
    assert found.status["status"].to_pylist() == ["no_data"]
    archive = serve(paths({}))
    with pytest.raises(DataError, match="its folders have moved"):
        fetch("ogle", archive, OGLE_STARS.slice(1), bands=("V",), place="moved")


def test_ogle_light_curves_of_names(serve, fetch):
    archive = serve(paths(OGLE_FILES))
    found = fetch("ogle", archive, OGLE_STARS)
    assert lengths(found) == {
        ("OGLE-BLG-RRLYR-00002", "I"): 1,
        ("OGLE-LMC-CEP-0001", "I"): 2,
        ("OGLE-LMC-CEP-0001", "V"): 1,
    }
    times = dict(zip(found.light_curves["object_id"].to_pylist(), found.light_curves["time"].to_pylist(), strict=True))
    assert times["OGLE-BLG-RRLYR-00002"] == [55260.0]
    assert states(found, "archive_ids")["OGLE-BLG-RRLYR-00002"] == (["I/OGLE-BLG-RRLYR-00002"],)
    before = len(archive.asked)
    assert fetch("ogle", archive, OGLE_STARS) == found
    assert len(archive.asked) == before, "that there is no V file is known"


def test_ogle_star_in_one_band(serve, fetch):
    archive = serve(paths(OGLE_FILES))
    assert set(lengths(fetch("ogle", archive, OGLE_STARS, bands=["V"]))) == {("OGLE-LMC-CEP-0001", "V")}
    assert all("/V/" in request.path for request in archive.asked)


@pytest.mark.parametrize("name", ["ogle", "macho"])
def test_archive_whose_folders_have_moved_is_no_archive_without_data(serve, fetch, name, tmp_path):
    rows = OGLE_STARS if name == "ogle" else targets([("1.3319.10", None, None)])
    with pytest.raises(DataError, match=r"no data \(HTTP status 404\) for all of .* its folders have moved"):
        fetch(name, serve(paths({})), rows)
    assert not list((tmp_path / "a").glob("*.manifest.json")), "it is asked again"


@pytest.mark.parametrize(("name", "example"), [("ogle", "OGLE-LMC-CEP-0001"), ("macho", "1.3319.10")])
def test_names_of_another_survey_are_refused(serve, fetch, name, example):
    with pytest.raises(DataError, match=f"such as {example}"):
        fetch(name, serve(paths({})), targets([("ZTF 123", 1.0, 1.0)]))


TILES = {
    "/macho_photometry/F_1/F_1.3319.gz": macho_tile({"1.3319.10": 4, "1.3319.11": 3, "1.3319.12": 900}),
    "/macho_photometry/F_77/F_77.5.gz": macho_tile({"77.5.1": 5}),
}
MACHO_STARS = targets([("1.3319.10", 80.0, -69.0), ("77.5.1", None, None), ("1.3319.11", 1.0, 1.0), ("77.6.1", 1, 1)])


def test_macho_light_curves_of_names(serve, fetch, tmp_path):
    archive = serve(paths(TILES))
    found = fetch("macho", archive, MACHO_STARS)
    assert set(lengths(found).items()) >= {(("1.3319.10", "R"), 4), (("1.3319.10", "V"), 4), (("77.5.1", "V"), 5)}
    assert ("1.3319.12", "V") not in lengths(found)
    assert states(found)["77.6.1"] == ("no_data",)
    first = found.light_curves.to_pylist()[0]
    assert (first["object_id"], first["band"], first["time"][:2]) == ("1.3319.10", "R", [49000.25, 49001.25])
    assert first["mag"] == [17.5, 17.5, -75.0, 17.5], "what is missing stays for cleaning to count"
    asked = sorted(request.path for request in archive.asked)
    assert asked == sorted([*TILES, "/macho_photometry/F_77/F_77.6.gz"]), "a tile is asked for once"
    assert sorted(path.name for path in (tmp_path / "files").glob("F_*.gz")) == ["F_1.3319.gz", "F_77.5.gz"]


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_tile_that_is_unpacked_on_the_way_is_read(serve, fetch, encoding):
    """Some servers say of a .gz file that it is an encoding of the transfer, which the client then undoes."""
    packed = paths(TILES)
    archive = serve(lambda asked: dataclasses.replace(packed(asked), headers={"Content-Encoding": encoding}))
    assert fetch("macho", archive, MACHO_STARS.slice(0, 3)) == fetch(
        "macho", serve(packed), MACHO_STARS.slice(0, 3), place="b"
    )


@pytest.mark.parametrize("bands", [("R",), ("V", "R")])
def test_odd_star_alone_in_its_shard_is_no_wrong_unit(serve, fetch, bands, caplog):
    """The star lies where half of the red camera was dead, and has no good error in the blue either."""
    lines = [macho_line("1.3319.10", 49000.25 + i, -99.0, -6.25 if i % 2 else -99.0) for i in range(9)]
    tile = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    found = fetch("macho", serve(paths({"/macho_photometry/F_1/F_1.3319.gz": tile})), MACHO_STARS.slice(0, 1), bands)
    assert lengths(found) == {("1.3319.10", band): 9 for band in bands}
    assert "they look like fluxes or another unit" in caplog.text


def test_tile_that_the_archive_lacks_is_no_data_in_a_shard_of_its_own(serve, fetch):
    archive = serve(paths(TILES))
    fetch("macho", archive, MACHO_STARS.slice(1, 1), place="0000")
    for _ in range(2):
        assert states(fetch("macho", archive, MACHO_STARS.slice(3, 1), place="0001")) == {"77.6.1": ("no_data",)}
    assert [request.path.rsplit("/", 1)[1] for request in archive.asked] == ["F_77.5.gz", "F_77.6.gz", "F_77.5.gz"]


# A user's own files


def test_native_files_are_read_without_an_archive(tmp_path):
    for band in "IV":
        (tmp_path / band).mkdir()
        (tmp_path / band / "OGLE-LMC-CEP-0001.dat").write_text("5260.5 14.25 0.005\n")
    files = sorted(tmp_path.glob("*/*.dat"))
    rows = read_native(registry.load("ogle"), files, [])
    assert rows["band"].to_pylist() == ["I", "V"]
    assert read_native(registry.load("ogle"), files, ["V"])["band"].to_pylist() == ["V"]
    assert read_native(registry.load("ogle"), files, [], ["OGLE-LMC-CEP-0001"]).num_rows == 2


def test_native_files_without_points_are_an_error(tmp_path):
    (tmp_path / "1.csv").write_text("time,mag,mag_err\n2457420.65,14.5,0.01\n")
    survey = registry.load("asassn")
    for files, bands, objects in (([], [], []), ([tmp_path / "1.csv"], ["g"], []), ([tmp_path / "1.csv"], [], ["2"])):
        with pytest.raises(DataError, match=f"{len(files)} native files without a point .* expected at least one"):
            read_native(survey, files, bands, objects)


# One light curve of several

SIDE = {"separation_arcsec": pa.float64(), "n_points": pa.int64()}


def candidates(*rows):
    names = ("object_id", "band", "archive_id", *SIDE)
    schema = pa.schema([(name, SIDE.get(name, pa.string())) for name in names])
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=schema)


def test_longest_light_curve_wins_then_the_nearest_then_the_first_name():
    rows = candidates(
        ("a", "g", "3", 0.1, 5), ("a", "g", "2", 1.4, 6), ("a", "r", "4", 0.3, 1),
        ("b", "g", "6", 0.2, 5), ("b", "g", "5", 0.2, 5), ("b", "g", "4", 0.3, 5),
    )  # fmt: skip
    for order in (slice(None), slice(None, None, -1)):
        shuffled = rows.take(pa.array(np.arange(6)[order]))
        assert native.choose(shuffled).to_pylist() == [
            {"object_id": "a", "archive_id": "2", "separation_arcsec": 1.4, "n_left_out": 1, "band": "g"},
            {"object_id": "a", "archive_id": "4", "separation_arcsec": 0.3, "n_left_out": 0, "band": "r"},
            {"object_id": "b", "archive_id": "5", "separation_arcsec": 0.2, "n_left_out": 2, "band": "g"},
        ]


def test_near_is_exact_at_the_pole_and_across_zero():
    found = pa.table(
        {
            "object_id": ["p", "p", "z", "q"],
            "ra_deg": [10.0, 190.0, 359.9999, None],
            "dec_deg": [89.9999] * 2 + [0.0, 0],
        }
    )
    places = targets([("p", 190.0, 89.9999), ("z", 0.0001, 0.0), ("q", 0.0, 0.0)])
    near = native.near(found, places, 0.73)
    assert near["object_id"].to_pylist() == ["p", "p", "z"]
    np.testing.assert_allclose(near["separation_arcsec"].to_numpy(), [0.72, 0.0, 0.72], atol=1e-7)
    assert native.near(found, places, 0.71)["ra_deg"].to_pylist() == [190.0]


def test_unknown_band_is_refused(tmp_path):
    curves = registry.load("ztf").light_curves
    rows = pa.table({"oid": ["1"], "hjd": [1.0], "mag": [1.0], "magerr": [1.0], "filtercode": ["zz"], "catflags": [0]})
    with pytest.raises(DataError, match=r"bands \['zz'\] in column 'filtercode', expected \['zg', 'zr', 'zi'\]"):
        native.ours(curves, rows, rows["oid"], [], tmp_path)


# Kill -9

CHILD = """
import dataclasses, json, sys
from pathlib import Path
import numpy as np
import children, test_download_curves as here
from workflow_scripts import tables
from workflow_scripts.archives import manifest
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.download_curves import Wish, download

def work(name, rows):
    def run(url, folder):
        survey = dataclasses.replace(registry.load(name), manners=children.impatient(folder / "locks"))
        wish = Wish(survey, (), 1.5, dict.fromkeys((here.IRSA, here.CRTS, here.MACHO), url))
        found = download(rows, wish, folder / "lc", folder / "files", np.random.default_rng(1))
        manifest.sweep(folder / "light_curves.parquet")
        tables.write(found.light_curves, folder / "light_curves.parquet", tables.RAW_LIGHT_CURVES)
        return [folder / "light_curves.parquet", folder / "lc" / "targets.parquet", folder / "lc" / "status.parquet"]
    return run

rows = {"ztf": here.TARGETS, "crts": here.TARGETS, "macho": here.MACHO_STARS}
children.TASKS |= {name: work(name, targets) for name, targets in rows.items()}
print(json.dumps(children.killed_everywhere(json.loads(sys.argv[1]))))
"""


def test_run_that_was_killed_anywhere_ends_with_the_same_bytes(serve, tmp_path):
    archives = {"ztf": (Ztf(STARS), 31), "crts": (Crts(CATALINA), 17), "macho": (paths(TILES), 23)}
    given = [(name, serve(answer).url, str(tmp_path / name), step) for name, (answer, step) in archives.items()]
    here = Path(__file__).parent
    places = (ROOT, ROOT / "tests", here, ROOT / "tests" / "archives")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(given)],
        capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for name, found in json.loads(done.stdout.splitlines()[-1]).items():
        assert found["kills"] >= 4, name
        assert found["different"] == [], name
        assert found["untrusted"] == [], name
        left = [file for file in found["left"] if not file.endswith(".lock")]
        assert left == [], f"{name}: what a killed run leaves behind is gone after the next one"
